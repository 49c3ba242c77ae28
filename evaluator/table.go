package evaluator

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// table is a part of the counters of a State, by the hash of their keys: a
// hash table with chains that grows by linear hashing, so that it has twice as
// many buckets as counters and no insertion moves more than the counters of
// two buckets. It does not shrink.
//
// Finding a counter takes no lock. Whoever changes the table holds mu; a
// search meanwhile may come into another chain and miss what is there, so that
// "not found" is only true under mu. Locks are taken in this order: a session,
// counters as counter.before says, a table, State.mu.
type table struct {
	mu    sync.Mutex
	count int
	hand  uint64 // the bucket that is swept next
	// latest is a time before which no counter begins: those that were swept
	// knew none that is later.
	latest int64

	size atomic.Uint64 // buckets in use
	rows [maxRows][]atomic.Pointer[counter]
}

// maxRows is how many rows of buckets there can be. Row 0 has one, and each
// after it as many as all before it.
const maxRows = 36

func (x *table) init() {
	x.latest = never
	x.rows[0] = make([]atomic.Pointer[counter], 1)
	x.size.Store(1)
}

// bucket is the i-th bucket, of those in use.
func (x *table) bucket(i uint64) *atomic.Pointer[counter] {
	row := bits.Len64(i)
	if row == 0 {
		return &x.rows[0][0]
	}
	return &x.rows[row][i&^(1<<(row-1))]
}

// place is the number of the bucket of a hash, of so many: that of as many low
// bits as number the buckets, or of one fewer where there is none yet.
func place(hash, size uint64) uint64 {
	mask := uint64(1)<<bits.Len64(size-1) - 1
	if i := hash & mask; i < size {
		return i
	}
	return hash & (mask >> 1)
}

// find returns the counter of a key, or nil.
func (x *table) find(hash uint64, key []byte) *counter {
	c := x.bucket(place(hash, x.size.Load())).Load()
	for c != nil && (c.hash != hash || c.key != string(key)) {
		c = c.next.Load()
	}
	return c
}

// insert adds a counter whose key the table does not have. The caller holds
// mu.
func (x *table) insert(c *counter) {
	push(x.bucket(place(c.hash, x.size.Load())), c)
	x.count++
	for x.size.Load() < 2*uint64(x.count) {
		x.split()
	}
}

func push(b *atomic.Pointer[counter], c *counter) {
	c.next.Store(b.Load())
	b.Store(c)
}

// split adds a bucket, and moves there what belongs there.
func (x *table) split() {
	size := x.size.Load()
	if row := bits.Len64(size); x.rows[row] == nil {
		x.rows[row] = make([]atomic.Pointer[counter], 1<<(row-1))
	}
	to := x.bucket(size)
	at := x.bucket(place(size, size))
	for c := at.Load(); c != nil; c = at.Load() {
		if place(c.hash, size+1) == size {
			at.Store(c.next.Load())
			push(to, c)
		} else {
			at = &c.next
		}
	}
	x.size.Store(size + 1)
}

// remove takes a counter out, which is in the table. The caller holds mu.
func (x *table) remove(c *counter) {
	at := x.bucket(place(c.hash, x.size.Load()))
	for other := at.Load(); other != c; other = at.Load() {
		at = &other.next
	}
	at.Store(c.next.Load())
	x.count--
}

// all returns the counters that are in the table now.
func (x *table) all() []*counter {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]*counter, 0, x.count)
	for i := range x.size.Load() {
		for c := x.bucket(i).Load(); c != nil; c = c.next.Load() {
			all = append(all, c)
		}
	}
	return all
}

// begin returns a time before which no counter of the table begins, or never.
func (x *table) begin() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.latest
}
