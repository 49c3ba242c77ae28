package evaluator

import (
	"strconv"
	"time"
)

// callMeter is a rolling window: the calls of one key in (now-window, now].
//
// It holds entries of (time, number of calls), oldest first. A limit of at
// most exactEntries has an entry for each call and is exact. Above that, calls
// that fall into the same sixteenth of the window share an entry, which has
// the time of the last of them: so an entry expires when its last call does,
// quota returns at most window/16 late, and never early. A meter therefore
// never lets one call too many through, and holds at most 32 entries, or 17.
//
// This is the sliding-window log, with its memory bounded by merging
// neighbours towards the later of them. A meter of another limit number
// (after a reload) works on the same entries.
type callMeter struct {
	window  int64
	used    int
	entries []callEntry
	first   [1]callEntry // where entries begins
}

type callEntry struct {
	at    int64 // nanoseconds, of the last call
	calls int32
}

// callCounter is a counter with its callMeter beside it: most are such, and
// what is in one place in memory is soon at hand.
type callCounter struct {
	counter
	calls callMeter
}

// newCounter returns a counter of l that has counted nothing.
func newCounter(l *limit) *counter {
	if l.meter != CountCalls {
		return &counter{meter: newMeter(l)}
	}
	c := &callCounter{calls: callMeter{window: int64(l.window)}}
	c.meter = &c.calls
	return &c.counter
}

const (
	exactEntries = 32
	buckets      = 16
)

// bucketOf is the sixteenth of a window that the time at, which may be
// negative, falls into.
func bucketOf(at, window int64) int64 {
	size := window / buckets
	n := at / size
	if at%size < 0 {
		n--
	}
	return n
}

// expire drops the entries that left the window.
func (m *callMeter) expire(now int64) {
	n := 0
	for n < len(m.entries) && m.entries[n].at <= now-m.window {
		m.used -= int(m.entries[n].calls)
		n++
	}
	if n > 0 {
		m.entries = m.entries[:copy(m.entries, m.entries[n:])]
	}
}

func (m *callMeter) look(now int64, t *take) (bool, time.Duration) {
	m.expire(now)
	over := m.used + 1 - t.limit.max
	if over <= 0 {
		return true, 0
	}
	return false, m.until(now, over)
}

// until returns how long it is until so many calls have left the window.
func (m *callMeter) until(now int64, calls int) time.Duration {
	for _, e := range m.entries {
		if calls -= int(e.calls); calls <= 0 {
			return time.Duration(e.at + m.window - now)
		}
	}
	return time.Duration(m.window) // not reached: a limit is at least one
}

func (m *callMeter) add(now int64, t *take) {
	t.at = now
	m.used++
	if n := len(m.entries); n > 0 {
		last := &m.entries[n-1]
		if last.at == now || t.limit.max > exactEntries && bucketOf(last.at, m.window) == bucketOf(now, m.window) {
			last.at = now
			last.calls++
			return
		}
	}
	if m.entries == nil {
		m.entries = m.first[:0]
	}
	m.entries = append(m.entries, callEntry{at: now, calls: 1})
}

// remove finds the entry of the call, which may since have moved to a later
// call's time.
func (m *callMeter) remove(now int64, t *take) {
	if t.at <= now-m.window {
		return // it has left the window
	}
	for i := range m.entries {
		e := &m.entries[i]
		if e.at < t.at {
			continue
		}
		if e.at > t.at && (t.limit.max <= exactEntries || bucketOf(e.at, m.window) != bucketOf(t.at, m.window)) {
			return
		}
		m.used--
		if e.calls--; e.calls == 0 {
			m.entries = append(m.entries[:i], m.entries[i+1:]...)
		}
		return
	}
}

func (m *callMeter) usage(now int64) Usage {
	m.expire(now)
	u := Usage{Used: strconv.Itoa(m.used)}
	if m.used > 0 {
		u.ResetIn = m.until(now, m.used)
	}
	return u
}

func (m *callMeter) idle(now int64) bool {
	m.expire(now)
	return len(m.entries) == 0
}
