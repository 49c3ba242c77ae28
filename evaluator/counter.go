package evaluator

import (
	"cmp"
	"sync"
	"sync/atomic"
)

// counter is a meter with its key. One of a State is in its table and has a
// lock of its own; one of a session is guarded by that session, and has no use
// for hash, next and mu.
//
// Most of what a counter costs is waiting for memory that another processor
// wrote. So what it is found by comes first, which changes seldom, and then
// what a call changes, beginning with the lock.
type counter struct {
	hash  uint64                  // of key
	next  atomic.Pointer[counter] // in its bucket; guarded by that table
	key   string
	owner *owner // nil: it is dropped, and counts for nobody
	meter meter
	_     [8]byte // up to the end of a line of the cache

	mu     sync.Mutex
	latest int64 // time never goes back for a key
}

// callCounter is a counter with its callMeter beside it, which most are. It
// fills two lines of the cache, and is to stay so.
type callCounter struct {
	counter
	calls callMeter
}

// newCounter returns a counter of l that has counted nothing.
func newCounter(l *limit, key []byte) *counter {
	if l.meter != CountCalls {
		return &counter{meter: newMeter(l), key: string(key)}
	}
	c := &callCounter{calls: callMeter{window: int64(l.window)}}
	c.key, c.meter = string(key), &c.calls
	return &c.counter
}

// at returns the time that it is for the counter.
func (c *counter) at(now int64) int64 {
	c.latest = max(c.latest, now)
	return c.latest
}

// before is the order in which everybody locks counters.
func (c *counter) before(other *counter) int {
	if n := cmp.Compare(c.hash, other.hash); n != 0 {
		return n
	}
	return cmp.Compare(c.key, other.key)
}
