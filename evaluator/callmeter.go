package evaluator

import (
	"slices"
	"strconv"
	"time"
)

// callMeter is a rolling window: the calls of one key in (now-window, now].
//
// It holds entries of (time, number of calls), oldest first. A limit of at
// most exactEntries has an entry for each call and is exact. Above that, calls
// that fall into the same bucket of the window share an entry, which has the
// time of the last of them: so an entry expires when its last call does, quota
// returns at most a bucket late, and never early. A meter therefore never lets
// one call too many through. Under a load that always waits for quota, each
// window is at most a bucket longer, so less than 1 % fewer calls are allowed.
//
// This is the sliding-window log, with its memory bounded by merging
// neighbours towards the later of them: at most buckets+1 entries, which is
// 4 KiB with what the slice has to spare. A meter of another limit number
// (after a reload) works on the same entries.
type callMeter struct {
	window int64
	at     int64 // of the newest entry
	calls  int32 // of the newest entry; 0: nothing is counted
	used   int32 // calls in all entries
	older  []callEntry
}

type callEntry struct {
	at    int64 // nanoseconds, of the last call
	calls int32
}

const (
	exactEntries = 32
	buckets      = 128 // of a window
)

// sameBucket reports whether two times, the earlier first, fall into the same
// bucket of a window. Buckets begin at multiples of their size, also of times
// below zero.
func sameBucket(earlier, later, window int64) bool {
	size := window / buckets
	if later-earlier >= size {
		return false
	}
	into := later % size
	if into < 0 {
		into += size
	}
	return later-earlier <= into
}

// expire drops the entries that left the window.
func (m *callMeter) expire(now int64) {
	edge := now - m.window
	if len(m.older) > 0 && m.older[0].at <= edge {
		n := 0
		for n < len(m.older) && m.older[n].at <= edge {
			m.used -= m.older[n].calls
			n++
		}
		m.older = m.older[:copy(m.older, m.older[n:])]
	}
	if m.at <= edge {
		m.calls, m.used = 0, 0
	}
}

func (m *callMeter) look(now int64, t *take) (bool, time.Duration) {
	m.expire(now)
	over := int(m.used) + 1 - t.limit.max
	if over <= 0 {
		return true, 0
	}
	return false, m.until(now, over)
}

// until returns how long it is until so many calls have left the window: all
// at most.
func (m *callMeter) until(now int64, calls int) time.Duration {
	at := m.at
	for _, e := range m.older {
		if calls -= int(e.calls); calls <= 0 {
			at = e.at
			break
		}
	}
	return time.Duration(at + m.window - now)
}

func (m *callMeter) add(now int64, t *take) {
	t.at = now
	m.used++
	if m.calls > 0 {
		if m.at == now || t.limit.max > exactEntries && sameBucket(m.at, now, m.window) {
			m.at = now
			m.calls++
			return
		}
		m.older = append(m.older, callEntry{m.at, m.calls})
	}
	m.at, m.calls = now, 1
}

// remove finds the entry of the call, which may since have moved to a later
// call's time.
func (m *callMeter) remove(now int64, t *take) {
	if t.at <= now-m.window {
		return // it has left the window
	}
	all := m.entries()
	for i := range all {
		e := &all[i]
		if e.at < t.at {
			continue
		}
		if e.at > t.at && (t.limit.max <= exactEntries || !sameBucket(t.at, e.at, m.window)) {
			return
		}
		if e.calls--; e.calls == 0 {
			all = slices.Delete(all, i, i+1)
		}
		m.set(all)
		return
	}
}

func (m *callMeter) usage(now int64) Usage {
	m.expire(now)
	u := Usage{Used: strconv.Itoa(int(m.used))}
	if m.used > 0 {
		u.ResetIn = m.until(now, int(m.used))
	}
	return u
}

func (m *callMeter) idle(now int64) bool {
	m.expire(now)
	return m.used == 0
}

// entries returns all entries, oldest first. The slice is that of older, with
// one more: to be read, or to be changed and handed to set.
func (m *callMeter) entries() []callEntry {
	if m.calls == 0 {
		return m.older
	}
	return append(m.older, callEntry{m.at, m.calls})
}

// set makes all the entries.
func (m *callMeter) set(all []callEntry) {
	m.calls, m.used, m.older = 0, 0, nil
	for _, e := range all {
		m.used += e.calls
	}
	if n := len(all); n > 0 {
		m.at, m.calls, m.older = all[n-1].at, all[n-1].calls, all[:n-1]
	}
}
