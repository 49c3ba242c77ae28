package guard_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// everything permits the agent bot every tool.
const everything = `
policies:
  - id: all
    agentId: bot
    rules: [{type: tool_allowlist, tools: ["*"]}]
`

// asking lets bot pay when a human says so, up to 100.
const asking = `
policies:
  - id: ask
    agentId: bot
    rules:
      - {type: require_approval, tools: [pay], approval: {message: Check the order first.}}
      - {type: parameter_constraint, tools: [pay], parameters: {amount: {max: 100}}}
`

// load returns an Authorizer by a document.
func load(t testing.TB, document string, opts *veto.Options) *veto.Authorizer {
	t.Helper()
	set, err := veto.Load("policy.yaml", []byte(document))
	require.NoError(t, err)
	a, err := veto.New(set, opts)
	require.NoError(t, err)
	return a
}

// reload puts another document in force.
func reload(t testing.TB, a *veto.Authorizer, document string) {
	t.Helper()
	set, err := veto.Load("policy.yaml", []byte(document))
	require.NoError(t, err)
	require.NoError(t, a.SetPolicies(set))
}

// bot are the options of most guards.
func bot[Out any]() *guard.Options[Out] { return &guard.Options[Out]{Agent: "bot"} }

// wrap guards a tool that must be one that can be.
func wrap[In, Out any](t testing.TB, a *veto.Authorizer, tool string, fn func(context.Context, In) (Out, error), opts *guard.Options[Out]) func(context.Context, In) (Out, error) {
	t.Helper()
	guarded, err := guard.Wrap(a, tool, fn, opts)
	require.NoError(t, err)
	return guarded
}

// echo is a tool that returns what it was called with.
func echo[In any](_ context.Context, in In) (In, error) { return in, nil }

// blocked returns the error of a call that a guard did not let run.
func blocked(t testing.TB, err error) *guard.BlockedError {
	t.Helper()
	var b *guard.BlockedError
	require.ErrorAs(t, err, &b)
	require.False(t, b.Result.Allowed)
	return b
}

// last returns the latest record.
func last(t testing.TB, m *audit.Memory) *audit.Record {
	t.Helper()
	records, _ := m.Query(audit.Query{Limit: 1})
	require.NotEmpty(t, records)
	return records[0]
}

// codes returns the codes of all records, the oldest first.
func codes(m *audit.Memory) []string {
	records, _ := m.Query(audit.Query{Limit: audit.MaxLimit})
	all := make([]string, len(records))
	for i, r := range records {
		all[len(all)-1-i] = r.Code.String()
	}
	return all
}

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock {
	return &clock{at: time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// newBook returns a book in a store; nil for one in memory.
func newBook(t testing.TB, store approval.Store, now func() time.Time) *approval.Book {
	t.Helper()
	if store == nil {
		store = new(approval.Memory)
	}
	key, err := approval.NewKey([]byte("a secret of the tests, 32 bytes+"))
	require.NoError(t, err)
	book, err := approval.New(store, key, &approval.Options{Now: now})
	require.NoError(t, err)
	return book
}

// human answers every ticket, and counts how often it was asked.
type human struct {
	mu     sync.Mutex
	asked  int
	answer approval.Answer
	err    error
}

func (h *human) Ask(context.Context, approval.Ticket) (approval.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked++
	return h.answer, h.err
}

var (
	yes = approval.Answer{Approve: true, By: "klara"}
	no  = approval.Answer{By: "klara"}
)

// code is what a denial says.
func code(t testing.TB, err error) rules.Code {
	t.Helper()
	return blocked(t, err).Result.Code
}
