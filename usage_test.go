package veto_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// Usage says of each limit what is used up, until when, and how long the call
// would have to wait; it takes nothing and is not recorded.
func TestUsage(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	memory := audit.NewMemory(nil)
	a := inSession(t, set(allowlist("pay", "look"),
		limit(2, 60, "pay"),
		budget(rules.Budget{Parameter: "amount", Max: number("10.50"), WindowSeconds: 100}, "pay"),
		budget(rules.Budget{Distinct: "to", Max: number("2"), WindowSeconds: 200}, "pay"),
		budget(rules.Budget{Cost: number("0.5"), Max: number("1"), PerSession: true}, "pay"),
	), &veto.Options{Now: func() time.Time { return now }, Sink: memory})
	ask := func(amount string) string {
		all, err := a.Usage(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: "pay", Parameters: json.RawMessage(`{"amount":` + amount + `,"to":"ann"}`)})
		require.NoError(t, err)
		text := ""
		for _, u := range all {
			require.Equal(t, "p", u.PolicyID)
			text += fmt.Sprintf("%s %s/%s in %v reset %v retry %v\n", u.RuleID, u.Used, u.Limit, u.Window, u.ResetIn, u.RetryAfter)
		}
		return text
	}
	fresh := `rate_limit[0] 0/2 in 1m0s reset 0s retry 0s
budget[0] 0/10.50 in 1m40s reset 0s retry 0s
budget[1] 0/2 in 3m20s reset 0s retry 0s
budget[2] 0/1 in 0s reset 0s retry 0s
`
	require.Equal(t, fresh, ask("1"))
	require.Equal(t, fresh, ask("1"), "to ask takes nothing")
	for _, amount := range []int{4, 6} {
		require.Equal(t, rules.CodeAllowed, say(a, "pay", map[string]any{"amount": amount, "to": "ann"}))
		now = now.Add(10 * time.Second)
	}
	want := `rate_limit[0] 2/2 in 1m0s reset 50s retry 40s
budget[0] 10/10.50 in 1m40s reset 1m30s retry 1m20s
budget[1] 1/2 in 3m20s reset 3m10s retry 0s
budget[2] 1/1 in 0s reset 0s retry 0s
`
	require.Equal(t, want, ask("1"))
	now = now.Add(1000 * time.Second)
	require.Equal(t, `rate_limit[0] 0/2 in 1m0s reset 0s retry 0s
budget[0] 0/10.50 in 1m40s reset 0s retry 0s
budget[1] 0/2 in 3m20s reset 0s retry 0s
budget[2] 1/1 in 0s reset 0s retry 0s
`, ask("11"))
	_, total := memory.Query(audit.Query{})
	require.Equal(t, 2, total)

	all, err := a.Usage(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: "look"})
	require.NoError(t, err)
	require.Empty(t, all)
	for _, bad := range []veto.Call{{}, {AgentID: "bot", Tool: "no tool"}, {AgentID: "bot", Tool: "pay", Parameters: json.RawMessage(`{`)}} {
		all, err := a.Usage(ctx, bad)
		require.NoError(t, err)
		require.Empty(t, all)
	}
}

// Of Authorizers that share a State, each sees what the others used; of a
// project and of another agent it is another's.
func TestUsageIsOfTheKey(t *testing.T) {
	state := evaluator.NewState(nil)
	policies := set(allowlist("t"), limit(5, 60))
	a, b := newAuthorizer(t, policies, &veto.Options{State: state}), newAuthorizer(t, policies, &veto.Options{State: state})
	_, err := a.Authorize(ctx, "bot", "t", nil)
	require.NoError(t, err)
	for _, c := range []struct {
		call veto.Call
		want string
	}{{veto.Call{AgentID: "bot"}, "1"}, {veto.Call{AgentID: "other"}, "0"}, {veto.Call{AgentID: "bot", Project: "p"}, "0"}} {
		c.call.Tool = "t"
		all, err := b.Usage(ctx, c.call)
		require.NoError(t, err)
		require.Equal(t, c.want, all[0].Used)
	}
}

// A call that limits count allocates nothing.
func TestAllocationsOfLimits(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools allocate")
	}
	per := limit(1_000_000, 60)
	per.RateLimit.Per = []string{"agent", "user", "param:to"}
	a := newAuthorizer(t, set(allowlist("t"), limit(20, 1), per,
		budget(rules.Budget{Parameter: "amount", Max: number("1e17"), WindowSeconds: 3600}),
		budget(rules.Budget{Cost: number("0.01"), Max: number("10"), WindowSeconds: 60, Per: []string{"tool"}}),
	), &veto.Options{Sink: audit.Discard})
	call := veto.Call{AgentID: "bot", User: "ann", Tool: "t", Parameters: map[string]any{"amount": 12.34, "to": "bob"}}
	for range 100 {
		a.Decide(ctx, call)
	}
	require.Zero(t, testing.AllocsPerRun(2000, func() { a.Decide(ctx, call) }))
}
