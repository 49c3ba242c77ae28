package audit

import (
	"context"
	"sync"
)

// DefaultCapacity is how many records a Memory keeps by default.
const DefaultCapacity = 10_000

// MemoryOptions are the options of NewMemory.
type MemoryOptions struct {
	// Capacity is the most records kept; the oldest make room. Default
	// DefaultCapacity. A record takes up to about 10 KiB.
	Capacity int
}

// Memory is a Sink that keeps the latest records in memory, to be queried. It
// is safe for concurrent use. The zero Memory has the default capacity.
type Memory struct {
	capacity int

	mu      sync.Mutex
	records []*Record // a ring, once it is full
	next    int       // where the next record goes then
}

// NewMemory returns an empty Memory. opts may be nil.
func NewMemory(opts *MemoryOptions) *Memory {
	m := &Memory{}
	if opts != nil {
		m.capacity = opts.Capacity
	}
	return m
}

// Record keeps a copy of r. It never fails.
func (m *Memory) Record(_ context.Context, r *Record) error {
	capacity := m.capacity
	if capacity <= 0 {
		capacity = DefaultCapacity
	}
	c := r.Clone()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.records) < capacity {
		m.records = append(m.records, c)
		return nil
	}
	m.records[m.next] = c
	m.next = (m.next + 1) % len(m.records)
	return nil
}

// Query returns records that q chooses, the last recorded first, and how many
// match in all. The records are copies.
func (m *Memory) Query(q Query) (records []*Record, total int) {
	limit := q.limit()
	m.mu.Lock()
	for i := range m.records {
		// Backwards from the one before next, which is the last in the ring.
		r := m.records[(m.next-1-i+2*len(m.records))%len(m.records)]
		if !q.Matches(r) {
			continue
		}
		if total >= q.Offset && len(records) < limit {
			records = append(records, r)
		}
		total++
	}
	m.mu.Unlock()
	for i, r := range records {
		records[i] = r.Clone()
	}
	return records, total
}
