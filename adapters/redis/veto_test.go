package vetoredis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/useveto/veto-go"
	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
)

// two are two processes' worth of Authorizers on one store.
func two(t *testing.T, document string, opts *veto.Options) (a, b *veto.Authorizer) {
	t.Helper()
	s, p := sharedServer(t), prefix(t)
	open := func() *vetoredis.Store { return s.open(t, vetoredis.Options{Prefix: p}) }
	return authorizer(t, open(), document, opts), authorizer(t, open(), document, opts)
}

// decide returns the code of a decision.
func decide(t *testing.T, a *veto.Authorizer, session, tool string, params map[string]any) rules.Code {
	t.Helper()
	r, err := a.Decide(ctx, veto.Call{AgentID: "bot", Tool: tool, Session: session, Parameters: params})
	require.Equal(t, r.Allowed, err == nil)
	return r.Code
}

func TestProcessesShareLimits(t *testing.T) {
	a, b := two(t, `
policies:
  - id: p
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: ["*"]}
      - {type: rate_limit, tools: [search], rateLimit: {maxCalls: 4, windowSeconds: 3600}}
      - {type: rate_limit, tools: [paced], rateLimit: {maxCalls: 4, windowSeconds: 3600, algorithm: token_bucket}}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 10, windowSeconds: 3600}}
      - {type: budget, tools: [mail], budget: {distinct: to, max: 2, windowSeconds: 3600}}
`, nil)
	for range 2 {
		for _, x := range []*veto.Authorizer{a, b} {
			require.Equal(t, rules.CodeAllowed, decide(t, x, "", "search", nil))
			require.Equal(t, rules.CodeAllowed, decide(t, x, "", "paced", nil))
			require.Equal(t, rules.CodeAllowed, decide(t, x, "", "pay", map[string]any{"amount": 2.5}))
		}
	}
	require.Equal(t, rules.CodeAllowed, decide(t, a, "", "mail", map[string]any{"to": "ann"}))
	require.Equal(t, rules.CodeAllowed, decide(t, b, "", "mail", map[string]any{"to": "bob"}))
	for _, x := range []*veto.Authorizer{a, b} {
		require.Equal(t, rules.CodeRateLimited, decide(t, x, "", "search", nil))
		require.Equal(t, rules.CodeRateLimited, decide(t, x, "", "paced", nil))
		require.Equal(t, rules.CodeBudgetExceeded, decide(t, x, "", "pay", map[string]any{"amount": 0.000001}))
		require.Equal(t, rules.CodeBudgetExceeded, decide(t, x, "", "mail", map[string]any{"to": "carl"}))
		require.Equal(t, rules.CodeAllowed, decide(t, x, "", "mail", map[string]any{"to": "ann"}))
	}
	usage, err := b.Usage(ctx, veto.Call{AgentID: "bot", Tool: "pay", Parameters: map[string]any{"amount": 1}})
	require.NoError(t, err)
	require.Len(t, usage, 1)
	require.Equal(t, "10", usage[0].Used)
	require.Equal(t, "10", usage[0].Limit)
	require.InDelta(t, time.Hour, usage[0].ResetIn, float64(time.Minute))
	require.InDelta(t, time.Hour, usage[0].RetryAfter, float64(time.Minute))
}

// A session moves between processes, with its history, its budgets and its
// counters.
func TestSessionMoves(t *testing.T) {
	a, b := two(t, `
policies:
  - id: p
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: ["read", "send", "secret", "pay"]}
      - {type: sequence, tools: [send], sequence: {requires: [{tools: [read], same: {to: to}}], blockedBy: [{tools: [secret]}]}}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 10, perSession: true}}
toolPolicies:
  - toolName: open
    mode: deterministic
    sessionConstraints: {maxCalls: 3, counters: {files: {increment: [open], decrement: [close], max: 1}}}
  - toolName: close
    mode: deterministic
`, nil)
	to := func(who string) map[string]any { return map[string]any{"to": who} }
	require.Equal(t, rules.CodeSessionUnknown, decide(t, a, "s", "send", to("ann")))
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeSequenceViolated, decide(t, b, "s", "send", to("ann")))
	require.Equal(t, rules.CodeAllowed, decide(t, a, "s", "read", to("ann")))
	require.Equal(t, rules.CodeAllowed, decide(t, b, "s", "send", to("ann")), "b sees what a was allowed")
	require.Equal(t, rules.CodeSequenceViolated, decide(t, b, "s", "send", to("bob")))
	require.Equal(t, rules.CodeAllowed, decide(t, b, "s", "read", to("bob")))
	require.Equal(t, rules.CodeAllowed, decide(t, a, "s", "send", to("bob")))

	require.Equal(t, rules.CodeAllowed, decide(t, a, "s", "pay", map[string]any{"amount": 6}))
	require.Equal(t, rules.CodeBudgetExceeded, decide(t, b, "s", "pay", map[string]any{"amount": 5}))
	require.Equal(t, rules.CodeAllowed, decide(t, b, "s", "pay", map[string]any{"amount": 4}))

	require.Equal(t, rules.CodeAllowed, decide(t, b, "s", "secret", nil))
	require.Equal(t, rules.CodeSequenceViolated, decide(t, a, "s", "send", to("bob")))

	require.NoError(t, b.EndSession(ctx, "", "s"))
	require.Equal(t, rules.CodeSessionUnknown, decide(t, a, "s", "send", to("bob")))
	require.Equal(t, rules.CodeSessionUnknown, decide(t, a, "s", "pay", map[string]any{"amount": 1}))
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeSequenceViolated, decide(t, a, "s", "send", to("bob")), "it is another session")
	require.Equal(t, rules.CodeAllowed, decide(t, a, "s", "pay", map[string]any{"amount": 10}))

	call := func(x *veto.Authorizer, tool string) rules.Code {
		t.Helper()
		r, _ := x.Decide(ctx, veto.Call{AgentID: "tools", Tool: tool, Session: "t"})
		return r.Code
	}
	c, d := two(t, `
toolPolicies:
  - toolName: open
    mode: deterministic
    sessionConstraints: {maxCalls: 3, counters: {files: {increment: [open], decrement: [close], max: 1}}}
  - {toolName: close, mode: deterministic}
`, nil)
	require.NoError(t, c.OpenSession(ctx, "", "t"))
	require.Equal(t, rules.CodeAllowed, call(c, "open"))
	require.Equal(t, rules.CodeBudgetExceeded, call(d, "open"), "one is open")
	require.Equal(t, rules.CodeAllowed, call(d, "close"))
	require.Equal(t, rules.CodeAllowed, call(d, "open"))
	require.Equal(t, rules.CodeAllowed, call(c, "close"))
	require.Equal(t, rules.CodeAllowed, call(c, "open"))
	require.Equal(t, rules.CodeAllowed, call(c, "close"))
	require.Equal(t, rules.CodeBudgetExceeded, call(d, "open"), "it was opened three times")
}

// broken is a sink that keeps nothing.
type broken struct{}

func (broken) Record(context.Context, *audit.Record) error { return errors.New("disk full") }

// A decision that cannot be recorded takes nothing.
func TestGiveBackWhenTheRecordFails(t *testing.T) {
	const document = `
policies:
  - id: p
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: ["*"]}
      - {type: rate_limit, tools: [a], rateLimit: {maxCalls: 1, windowSeconds: 3600}}
      - {type: rate_limit, tools: [a], rateLimit: {maxCalls: 50, windowSeconds: 3600, per: [global]}}
      - {type: rate_limit, tools: [a], rateLimit: {maxCalls: 1, windowSeconds: 3600, algorithm: token_bucket}}
      - {type: budget, tools: [a], budget: {cost: 1, max: 1, windowSeconds: 3600}}
      - {type: budget, tools: [a], budget: {distinct: x, max: 1, windowSeconds: 3600}}
      - {type: budget, tools: [a], budget: {cost: 1, max: 1, perSession: true}}
      - {type: sequence, tools: [a], sequence: {blockedBy: [{tools: [a]}]}}
`
	s, p := sharedServer(t), prefix(t)
	open := func() *vetoredis.Store { return s.open(t, vetoredis.Options{Prefix: p}) }
	fails := authorizer(t, open(), document, &veto.Options{Sink: broken{}})
	works := authorizer(t, open(), document, nil)
	require.NoError(t, works.OpenSession(ctx, "", "s"))
	for i := range 3 {
		require.Equal(t, rules.CodeAuditFailed, decide(t, fails, "s", "a", map[string]any{"x": i}))
	}
	require.Equal(t, rules.CodeAllowed, decide(t, works, "s", "a", map[string]any{"x": 9}))
	require.NotEqual(t, rules.CodeAllowed, decide(t, works, "s", "a", map[string]any{"x": 9}))
}

func TestReservations(t *testing.T) {
	a, b := two(t, `
policies:
  - id: p
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: ["*"]}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 100, windowSeconds: 3600}}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 150, perSession: true}}
      - {type: sequence, tools: [send], sequence: {requires: [{tools: [pay]}]}}
`, nil)
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	pay := veto.Call{AgentID: "bot", Tool: "pay", Session: "s", Parameters: map[string]any{"amount": 60}}
	used := func() (all []string) {
		usage, err := b.Usage(ctx, pay)
		require.NoError(t, err)
		for _, u := range usage {
			all = append(all, u.Used)
		}
		return all
	}
	res, _, err := a.Reserve(ctx, pay)
	require.NoError(t, err)
	require.Equal(t, []string{"60", "60"}, used())
	_, _, err = b.Reserve(ctx, pay)
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeSequenceViolated, decide(t, b, "s", "send", nil), "it has not succeeded yet")
	require.NoError(t, res.Commit(ctx, "12.25"))
	require.Equal(t, []string{"12.25", "12.25"}, used())
	require.Equal(t, rules.CodeAllowed, decide(t, b, "s", "send", nil))

	res, _, err = b.Reserve(ctx, pay)
	require.NoError(t, err)
	require.NoError(t, res.Refund(ctx))
	require.Equal(t, []string{"12.25", "12.25"}, used())
	res, _, err = b.Reserve(ctx, pay)
	require.NoError(t, err)
	require.NoError(t, res.Commit(ctx, "500"))
	require.Equal(t, []string{"512.25", "512.25"}, used(), "what it cost counts in full")
	require.Equal(t, rules.CodeBudgetExceeded, decide(t, a, "s", "pay", map[string]any{"amount": 0}))
}

// Failures are counted, and logged when they begin and when they end.
func TestFailuresAreLoggedOnce(t *testing.T) {
	s := start(t, durable...)
	core, logs := observer.New(zap.WarnLevel)
	a := authorizer(t, s.open(t, vetoredis.Options{Timeout: time.Second}), limited, &veto.Options{Logger: zap.New(core)})
	require.Equal(t, rules.CodeAllowed, decide(t, a, "", "t", nil))
	require.Zero(t, logs.Len())
	for range 2 {
		s.kill()
		before := a.StoreFailures()
		for range 3 {
			require.Equal(t, rules.CodeLimitsUnavailable, decide(t, a, "", "t", nil))
		}
		require.Equal(t, before+3, a.StoreFailures())
		require.Len(t, logs.TakeAll(), 1)
		s.run(t)
		wait(t, "the store", func() bool { return decide(t, a, "", "t", nil) == rules.CodeAllowed })
		require.Len(t, logs.TakeAll(), 1)
	}
}
