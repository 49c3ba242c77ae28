package audit

import (
	"time"

	"github.com/useveto/veto-go/rules"
)

// The bounds of Query.Limit.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Query chooses records. The zero Query chooses the latest 100.
type Query struct {
	// AgentID, Action and ToolName are exact; "" is any.
	AgentID  string
	Action   string
	ToolName string
	// Result is the outcome; nil is any.
	Result *rules.Outcome
	// From and To bound the timestamp, both inclusive, in the milliseconds
	// that records are written with; the zero time is no bound.
	From, To time.Time
	// Limit is the most records returned: 1..MaxLimit, default DefaultLimit;
	// more counts as MaxLimit. Offset is how many that match are passed over.
	Limit, Offset int
}

// Matches reports whether the query chooses r, Limit and Offset aside.
func (q *Query) Matches(r *Record) bool {
	return (q.AgentID == "" || q.AgentID == r.AgentID) &&
		(q.Action == "" || q.Action == r.Action) &&
		(q.ToolName == "" || q.ToolName == r.ToolName) &&
		(q.Result == nil || *q.Result == r.Result) &&
		(q.From.IsZero() || r.Timestamp.UnixMilli() >= q.From.UnixMilli()) &&
		(q.To.IsZero() || r.Timestamp.UnixMilli() <= q.To.UnixMilli())
}

// limit is the limit that is in force.
func (q *Query) limit() int {
	if q.Limit <= 0 {
		return DefaultLimit
	}
	return min(q.Limit, MaxLimit)
}
