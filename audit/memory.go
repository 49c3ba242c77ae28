package audit

import (
	"context"
	"sync"
	"time"

	"github.com/useveto/veto-go/rules"
)

// MemoryOptions are the options of NewMemory.
type MemoryOptions struct {
	// Capacity is the most records kept; the oldest make room. Default
	// 10,000.
	Capacity int
}

// Memory is a Sink that keeps the latest records in memory, to be queried. It
// is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	records []*Record // a ring
	next    int       // where the next record goes
}

// NewMemory returns an empty Memory. opts may be nil.
func NewMemory(opts *MemoryOptions) *Memory {
	capacity := 10_000
	if opts != nil && opts.Capacity > 0 {
		capacity = opts.Capacity
	}
	return &Memory{records: make([]*Record, 0, capacity)}
}

// Record keeps a copy of r. It never fails.
func (m *Memory) Record(_ context.Context, r *Record) error {
	c := r.Clone()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.records) < cap(m.records) {
		m.records = append(m.records, c)
		return nil
	}
	m.records[m.next] = c
	m.next = (m.next + 1) % len(m.records)
	return nil
}

// Query chooses records. The zero Query chooses the latest 100.
type Query struct {
	AgentID  string // "" for any
	Action   string
	ToolName string
	// Result, if not nil, is the outcome.
	Result *rules.Outcome
	// From and To bound the timestamp, both inclusive; zero for no bound.
	From, To time.Time
	// Limit is the most records returned: 1..1,000, default 100. Offset is
	// how many that match are passed over.
	Limit, Offset int
}

// The bounds of Query.Limit.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Matches reports whether the query chooses r, Limit and Offset aside.
func (q *Query) Matches(r *Record) bool {
	return (q.AgentID == "" || q.AgentID == r.AgentID) &&
		(q.Action == "" || q.Action == r.Action) &&
		(q.ToolName == "" || q.ToolName == r.ToolName) &&
		(q.Result == nil || *q.Result == r.Result) &&
		(q.From.IsZero() || !r.Timestamp.Before(q.From)) &&
		(q.To.IsZero() || !r.Timestamp.After(q.To))
}

// Query returns the records that q chooses, the last recorded first, and how
// many match in all. The records are shared and must not be changed.
func (m *Memory) Query(q Query) (records []*Record, total int) {
	limit := q.Limit
	switch {
	case limit <= 0:
		limit = DefaultLimit
	case limit > MaxLimit:
		limit = MaxLimit
	}
	m.mu.Lock()
	defer m.mu.Unlock()
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
	return records, total
}
