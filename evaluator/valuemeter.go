package evaluator

import (
	"container/heap"
	"slices"
	"strconv"
	"time"
)

// valueMeter is the different values of one key in (now-window, now], or since
// a session began where window is 0, each with the time of its last use. A
// call costs as much as the logarithm of the number of values, and takes no
// memory where the value is known.
type valueMeter struct {
	window int64
	values map[string]*valueUse
	byTime valueHeap // the same
	newest int64     // no value was used later
	uses   uint64    // so far

	// Each value takes the room of a counter, of the agent who used it first;
	// but for one, whose room is that of the counter itself.
	within *valueUse      // that one
	rooms  map[*owner]int // of the others
	over   map[*owner]int // of values that have left since
}

// valueUse is the last use of a value. Two may be of the same time, so each
// has a number of its own.
type valueUse struct {
	useMark
	value string
	place int    // in the heap
	room  *owner // whose it is; nil of the one within the counter
}

type useMark struct {
	at     int64
	number uint64
}

// valueHeap has the value that was used first in front.
type valueHeap []*valueUse

func (h valueHeap) Len() int           { return len(h) }
func (h valueHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h valueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *valueHeap) Push(x any) {
	u := x.(*valueUse)
	u.place = len(*h)
	*h = append(*h, u)
}

func (h *valueHeap) Pop() any {
	last := len(*h) - 1
	u := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return u
}

// newValueMeter returns a valueMeter that has counted nothing.
func newValueMeter(window int64) *valueMeter {
	return &valueMeter{window: window, values: make(map[string]*valueUse)}
}

// maxSorted is up to how many values are sorted to say how long to wait; a
// caller past them, whose waiting is not worth that, is told the least.
const maxSorted = 4096

// expire drops the values that left the window.
func (m *valueMeter) expire(now int64) {
	if m.window == 0 {
		return
	}
	if len(m.byTime) > maxSorted && m.newest <= now-m.window {
		m.values, m.byTime = make(map[string]*valueUse), nil // all of them, at once
		for o, n := range m.rooms {
			m.vacate(o, n)
		}
		m.within = nil
	}
	for len(m.byTime) > 0 && m.byTime[0].at <= now-m.window {
		m.drop(m.byTime[0])
	}
}

func (m *valueMeter) drop(u *valueUse) {
	heap.Remove(&m.byTime, u.place)
	delete(m.values, u.value)
	if u == m.within {
		m.within = nil
	}
	if u.room != nil {
		m.vacate(u.room, 1)
	}
}

// vacate says that so many rooms of o are needed no more.
func (m *valueMeter) vacate(o *owner, n int) {
	if m.rooms[o] -= n; m.rooms[o] == 0 {
		delete(m.rooms, o)
	}
	if m.over == nil {
		m.over = make(map[*owner]int)
	}
	m.over[o] += n
}

// use counts a use of a value that has none, in a room of its own or, where
// that is nil, within that of the counter.
func (m *valueMeter) use(value string, mark useMark, room *owner) {
	u := &valueUse{useMark: mark, value: value, room: room}
	if room == nil {
		m.within = u
	} else {
		if m.rooms == nil {
			m.rooms = make(map[*owner]int)
		}
		m.rooms[room]++
	}
	m.values[value] = u
	heap.Push(&m.byTime, u)
	m.newest = max(m.newest, mark.at)
}

// move makes mark the last use of u.
func (m *valueMeter) move(u *valueUse, mark useMark) {
	u.useMark = mark
	heap.Fix(&m.byTime, u.place)
	m.newest = max(m.newest, mark.at)
}

func (m *valueMeter) look(now int64, t *take) (bool, time.Duration) {
	m.expire(now)
	if m.values[string(t.value)] != nil || len(m.values) < t.limit.max {
		return true, 0
	}
	return false, m.until(now, len(m.values)+1-t.limit.max)
}

// until returns how long it is until so many values have left the window; 0
// where they never do.
func (m *valueMeter) until(now int64, values int) time.Duration {
	if m.window == 0 || values <= 0 {
		return 0
	}
	at := m.byTime[0].at
	if values > 1 && len(m.byTime) <= maxSorted {
		times := make([]int64, len(m.byTime))
		for i, u := range m.byTime {
			times[i] = u.at
		}
		slices.Sort(times)
		at = times[min(values, len(times))-1]
	}
	return time.Duration(at + m.window - now)
}

func (m *valueMeter) add(now int64, t *take) {
	m.uses++
	t.at, t.use = now, m.uses
	u := m.values[string(t.value)]
	if t.known = u != nil; t.known {
		t.before = u.useMark
		m.move(u, useMark{now, t.use})
	} else {
		m.use(string(t.value), useMark{now, t.use}, t.room)
	}
}

// remove puts the use before the call back, unless the value was used again.
func (m *valueMeter) remove(_ int64, t *take) {
	switch u := m.values[string(t.value)]; {
	case u == nil || u.useMark != useMark{t.at, t.use}:
	case t.known:
		m.move(u, t.before)
	default:
		m.drop(u)
	}
}

func (m *valueMeter) usage(now int64) Usage {
	m.expire(now)
	n := len(m.values)
	u := Usage{Used: strconv.Itoa(n)}
	if n > maxSorted && m.window != 0 {
		u.ResetIn = time.Duration(m.newest + m.window - now) // not later than that
	} else {
		u.ResetIn = m.until(now, n)
	}
	return u
}

func (m *valueMeter) idle(now int64) bool {
	m.expire(now)
	return len(m.values) == 0
}
