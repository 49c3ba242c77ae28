package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/audit/audittest"
	"github.com/useveto/veto-go/rules"
)

func TestMemory_Conforms(t *testing.T) {
	conforms(t, func() audittest.Subject {
		m := audit.NewMemory(nil)
		return audittest.Subject{Sink: m, Read: func() []string {
			records, total := m.Query(audit.Query{Limit: audit.MaxLimit})
			read := make([]string, total)
			for i, r := range records { // newest first
				read[total-1-i] = marshal(t, r)
			}
			return read
		}}
	})
}

// fill records n calls, a second apart, called 0, 1, 2, …
func fill(t *testing.T, m *audit.Memory, n int) {
	for i := range n {
		require.NoError(t, m.Record(ctx, &audit.Record{
			CallID: fmt.Sprint(i), Timestamp: at.Add(time.Duration(i) * time.Second), Action: "authorize",
			AgentID: fmt.Sprint("agent", i%2), ToolName: fmt.Sprint("tool", i%3), Result: rules.Outcome(i % 3),
		}))
	}
}

func query(m *audit.Memory, q audit.Query) (ids []string, total int) {
	records, total := m.Query(q)
	for _, r := range records {
		ids = append(ids, r.CallID)
	}
	return ids, total
}

func TestMemory_Ring(t *testing.T) {
	for _, c := range []struct {
		n    int
		want []string
	}{
		{0, nil}, {1, []string{"0"}}, {2, []string{"1", "0"}}, {3, []string{"2", "1", "0"}},
		{4, []string{"3", "2", "1"}}, {5, []string{"4", "3", "2"}}, {6, []string{"5", "4", "3"}}, {100, []string{"99", "98", "97"}},
	} {
		m := audit.NewMemory(&audit.MemoryOptions{Capacity: 3})
		fill(t, m, c.n)
		ids, total := query(m, audit.Query{})
		require.Equal(t, c.want, ids, c.n)
		require.Equal(t, len(c.want), total, c.n)
	}
}

func TestMemory_DefaultCapacity(t *testing.T) {
	for _, m := range []*audit.Memory{{}, audit.NewMemory(nil), audit.NewMemory(&audit.MemoryOptions{Capacity: -1})} {
		fill(t, m, audit.DefaultCapacity+1)
		ids, total := query(m, audit.Query{Offset: audit.DefaultCapacity - 1})
		require.Equal(t, []string{"1"}, ids)
		require.Equal(t, audit.DefaultCapacity, total)
	}
}

func TestMemory_Query(t *testing.T) {
	m := audit.NewMemory(nil)
	fill(t, m, 6)
	second := func(n float64) time.Time { return at.Add(time.Duration(n * 1e9)) }
	outcome := func(o rules.Outcome) *rules.Outcome { return &o }
	for name, c := range map[string]struct {
		q     audit.Query
		want  []string
		total int
	}{
		"all":           {audit.Query{}, []string{"5", "4", "3", "2", "1", "0"}, 6},
		"agent":         {audit.Query{AgentID: "agent1"}, []string{"5", "3", "1"}, 3},
		"agent exactly": {audit.Query{AgentID: "Agent1"}, nil, 0},
		"tool":          {audit.Query{ToolName: "tool2"}, []string{"5", "2"}, 2},
		"action":        {audit.Query{Action: "authorize"}, []string{"5", "4", "3", "2", "1", "0"}, 6},
		"other action":  {audit.Query{Action: "approve"}, nil, 0},
		"denied":        {audit.Query{Result: outcome(rules.Denied)}, []string{"3", "0"}, 2},
		"allowed":       {audit.Query{Result: outcome(rules.Allowed)}, []string{"4", "1"}, 2},
		"two":           {audit.Query{AgentID: "agent0", Result: outcome(rules.Allowed)}, []string{"4"}, 1},
		"from":          {audit.Query{From: second(4)}, []string{"5", "4"}, 2},
		"to":            {audit.Query{To: second(1)}, []string{"1", "0"}, 2},
		"one moment":    {audit.Query{From: second(2), To: second(2)}, []string{"2"}, 1},
		"between":       {audit.Query{From: second(2.1), To: second(2.9)}, nil, 0},
		"other zone":    {audit.Query{To: second(0).UTC()}, []string{"0"}, 1},
		"reversed":      {audit.Query{From: second(3), To: second(1)}, nil, 0},
		"limit":         {audit.Query{Limit: 2}, []string{"5", "4"}, 6},
		"offset":        {audit.Query{Limit: 2, Offset: 3}, []string{"2", "1"}, 6},
		"offset at end": {audit.Query{Limit: 2, Offset: 5}, []string{"0"}, 6},
		"past the end":  {audit.Query{Offset: 6}, nil, 6},
		"negative":      {audit.Query{Limit: -1, Offset: -1}, []string{"5", "4", "3", "2", "1", "0"}, 6},
		// Records are written with milliseconds, which is what a reader has.
		"as written": {audit.Query{From: second(2).Truncate(time.Millisecond), To: second(2).Truncate(time.Millisecond)}, []string{"2"}, 1},
	} {
		ids, total := query(m, c.q)
		require.Equal(t, c.want, ids, name)
		require.Equal(t, c.total, total, name)
	}
}

func TestMemory_QueryLimits(t *testing.T) {
	m := audit.NewMemory(nil)
	fill(t, m, 1500)
	for limit, want := range map[int]int{0: 100, 1: 1, 1000: 1000, 1001: 1000} {
		ids, total := query(m, audit.Query{Limit: limit})
		require.Len(t, ids, want)
		require.Equal(t, 1500, total)
	}
}

// What a reader does to its records changes nobody else's.
func TestMemory_QueryReturnsCopies(t *testing.T) {
	m := audit.NewMemory(nil)
	require.NoError(t, m.Record(ctx, full(t)))
	records, _ := m.Query(audit.Query{})
	want := marshal(t, records[0])
	records[0].Shadow[0].PolicyID = "changed"
	*records[0] = audit.Record{}
	records, _ = m.Query(audit.Query{})
	require.Equal(t, want, marshal(t, records[0]))
}
