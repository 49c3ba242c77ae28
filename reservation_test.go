package veto_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// used is how much of a limit is used up for calls of the tool in the session
// "s".
func used(t testing.TB, a *veto.Authorizer, tool, rule string) string {
	t.Helper()
	all, err := a.Usage(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: tool, Parameters: map[string]any{"amount": 1, "to": "ann", "tokens": 1}})
	require.NoError(t, err)
	for _, u := range all {
		if u.RuleID == rule {
			return u.Used
		}
	}
	t.Fatalf("no limit %s", rule)
	return ""
}

func reserve(t testing.TB, a *veto.Authorizer, tool string, params any) veto.Reservation {
	t.Helper()
	res, r, err := a.Reserve(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: tool, Parameters: params})
	require.NoError(t, err)
	require.True(t, r.Allowed)
	return res
}

// What a call cost takes the place of what was reserved, less or more; more
// may go past the bound, and then denies until there is room.
func TestReservationCommit(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := inSession(t, set(allowlist("pay"), budget(rules.Budget{Parameter: "amount", Max: number("10"), WindowSeconds: 60})),
		&veto.Options{Now: func() time.Time { return now }})
	four := map[string]any{"amount": 4}
	require.NoError(t, reserve(t, a, "pay", four).Commit(ctx, "1.5"))
	require.Equal(t, "1.5", used(t, a, "pay", "budget[0]"))
	now = now.Add(10 * time.Second)
	second := reserve(t, a, "pay", four)
	require.Equal(t, "5.5", used(t, a, "pay", "budget[0]"))
	require.NoError(t, second.Commit(ctx, "12"))
	require.Equal(t, "13.5", used(t, a, "pay", "budget[0]"))
	require.Equal(t, rules.CodeBudgetExceeded, say(a, "pay", map[string]any{"amount": json.Number("0.000000000000000001")}))
	// The first word counts: a cost that is known does not become small again.
	same := second
	for _, r := range []veto.Reservation{second, same} {
		require.ErrorIs(t, r.Commit(ctx, "3"), veto.ErrReservation)
		require.ErrorIs(t, r.Commit(ctx, ""), veto.ErrReservation)
		require.ErrorIs(t, r.CommitBudget(ctx, "p", "budget[0]", "3"), veto.ErrReservation)
		require.ErrorIs(t, r.Refund(ctx), veto.ErrReservation)
	}
	require.Equal(t, "13.5", used(t, a, "pay", "budget[0]"))

	now = now.Add(60 * time.Second)
	kept := reserve(t, a, "pay", four)
	require.NoError(t, kept.Commit(ctx, ""), "as it was reserved")
	require.Equal(t, "4", used(t, a, "pay", "budget[0]"))
	require.ErrorIs(t, kept.Refund(ctx), veto.ErrReservation)
	back := reserve(t, a, "pay", four)
	require.NoError(t, back.Refund(ctx))
	require.ErrorIs(t, back.Refund(ctx), veto.ErrReservation)
	require.ErrorIs(t, back.Commit(ctx, "1"), veto.ErrReservation)
	require.Equal(t, "4", used(t, a, "pay", "budget[0]"))

	// What is said when the window has passed changes nothing any more.
	third := reserve(t, a, "pay", four)
	now = now.Add(60 * time.Second)
	require.Equal(t, "0", used(t, a, "pay", "budget[0]"))
	require.NoError(t, third.Commit(ctx, "9"))
	require.Equal(t, "0", used(t, a, "pay", "budget[0]"))

	last := reserve(t, a, "pay", four)
	for _, bad := range []json.Number{"-1", "NaN", "1e18", "0.0000000000000000001", "five"} {
		require.ErrorIs(t, last.Commit(ctx, bad), evaluator.ErrNoAmount, bad)
		require.ErrorIs(t, last.CommitBudget(ctx, "p", "budget[0]", bad), veto.ErrReservation, bad)
	}
	require.EqualError(t, last.CommitBudget(ctx, "p", "budget[0]", "-1"), `veto: Reservation: CommitBudget: policy "p", rule "budget[0]": the cost is no number from 0 up to 10^18 with at most 18 digits after the point: "-1"`)
	require.NoError(t, last.Commit(ctx, "2"), "what was refused said nothing")
	require.Equal(t, "2", used(t, a, "pay", "budget[0]"))
}

// Where budgets sum different things, each is told its own.
func TestReservationCommitBudget(t *testing.T) {
	a := inSession(t, set(allowlist("ask"),
		budget(rules.Budget{Parameter: "amount", Max: number("100"), WindowSeconds: 60}),
		budget(rules.Budget{Parameter: "tokens", Max: number("1000"), PerSession: true}),
		budget(rules.Budget{Cost: number("1"), Max: number("50"), WindowSeconds: 60}),
	), nil)
	res := reserve(t, a, "ask", map[string]any{"amount": 5, "tokens": 500})
	require.ErrorIs(t, res.Commit(ctx, "3"), evaluator.ErrSeveral, "three what?")
	require.NoError(t, res.CommitBudget(ctx, "p", "budget[0]", "0.25"))
	require.NoError(t, res.CommitBudget(ctx, "p", "budget[1]", "731"))
	require.ErrorIs(t, res.CommitBudget(ctx, "p", "budget[1]", "1"), evaluator.ErrSaid)
	require.ErrorIs(t, res.CommitBudget(ctx, "p", "budget[7]", "1"), evaluator.ErrNoBudget)
	require.ErrorIs(t, res.CommitBudget(ctx, "q", "budget[0]", "1"), evaluator.ErrNoBudget)
	require.Error(t, res.CommitBudget(ctx, "", "", "1"))
	require.ErrorIs(t, res.Refund(ctx), veto.ErrReservation, "it has succeeded")
	sums := func() []string {
		return []string{used(t, a, "ask", "budget[0]"), used(t, a, "ask", "budget[1]"), used(t, a, "ask", "budget[2]")}
	}
	require.Equal(t, []string{"0.25", "731", "1"}, sums())
	require.NoError(t, res.Commit(ctx, ""), "the rest as reserved")
	require.ErrorIs(t, res.CommitBudget(ctx, "p", "budget[2]", "0"), veto.ErrReservation)
	require.Equal(t, []string{"0.25", "731", "1"}, sums())
	// What is left when all others are known is one thing again.
	res = reserve(t, a, "ask", map[string]any{"amount": 5, "tokens": 5})
	require.NoError(t, res.CommitBudget(ctx, "p", "budget[1]", "9"))
	require.NoError(t, res.CommitBudget(ctx, "p", "budget[2]", "2"))
	require.NoError(t, res.Commit(ctx, "1"))
	require.Equal(t, []string{"1.25", "740", "3"}, sums())
	// Nothing is a cost in every unit.
	require.NoError(t, reserve(t, a, "ask", map[string]any{"amount": 5, "tokens": 5}).Refund(ctx))
	require.Equal(t, []string{"1.25", "740", "3"}, sums())
	// The sums of a session that has ended are of nobody's concern.
	res = reserve(t, a, "ask", map[string]any{"amount": 5, "tokens": 50})
	require.NoError(t, a.EndSession(ctx, "", "s"))
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.NoError(t, res.CommitBudget(ctx, "p", "budget[1]", "7"))
	require.NoError(t, res.CommitBudget(ctx, "p", "budget[0]", "7"))
	require.Equal(t, []string{"8.25", "0", "4"}, sums())
}

// One cost is that of every budget that sums the same parameter.
func TestReservationCommitSeveralOfOne(t *testing.T) {
	a := inSession(t, set(allowlist("pay"),
		budget(rules.Budget{Parameter: "amount", Max: number("10"), WindowSeconds: 60}),
		budget(rules.Budget{Parameter: "amount", Max: number("100"), PerSession: true}),
	), nil)
	require.NoError(t, reserve(t, a, "pay", map[string]any{"amount": 5}).Commit(ctx, "2"))
	require.Equal(t, "2", used(t, a, "pay", "budget[0]"))
	require.Equal(t, "2", used(t, a, "pay", "budget[1]"))
}

// A call that is not allowed reserves nothing, and there is nothing to say of
// it; neither is there of the zero Reservation.
func TestReservationDenied(t *testing.T) {
	a := inSession(t, set(allowlist("pay"), budget(rules.Budget{Parameter: "amount", Max: number("10"), WindowSeconds: 60})), nil)
	var none *veto.Authorizer
	for name, ask := range map[string]func() (veto.Reservation, veto.Result, error){
		"too much": func() (veto.Reservation, veto.Result, error) {
			return a.Reserve(ctx, veto.Call{AgentID: "bot", Tool: "pay", Parameters: map[string]any{"amount": 11}})
		},
		"no such tool": func() (veto.Reservation, veto.Result, error) {
			return a.Reserve(ctx, veto.Call{AgentID: "bot", Tool: "other"})
		},
		"nil": func() (veto.Reservation, veto.Result, error) {
			return none.Reserve(ctx, veto.Call{AgentID: "bot", Tool: "pay"})
		},
	} {
		res, r, err := ask()
		require.ErrorIs(t, err, veto.ErrDenied, name)
		require.False(t, r.Allowed, name)
		require.Zero(t, res, name)
		require.Error(t, res.Commit(ctx, "1"), name)
		require.Error(t, res.CommitBudget(ctx, "p", "budget[0]", "1"), name)
		require.Error(t, res.Refund(ctx), name)
	}
	require.Equal(t, "0", used(t, a, "pay", "budget[0]"))
	// One that is allowed, and that no budget is part of, has nothing to
	// correct.
	free := inSession(t, set(allowlist("look")), nil)
	res, _, err := free.Reserve(ctx, veto.Call{AgentID: "bot", Tool: "look"})
	require.NoError(t, err)
	require.Error(t, res.Commit(ctx, "five"))
	require.ErrorIs(t, res.CommitBudget(ctx, "p", "budget[0]", "1"), evaluator.ErrNoBudget)
	require.NoError(t, res.Commit(ctx, "5"), "there is nothing to keep")
	require.NoError(t, res.Commit(ctx, ""))
	require.NoError(t, res.Refund(ctx))
}

// Where the mode lets a call run that was not allowed, there is nothing to say
// of it, and saying it is no error.
func TestReservationUnderMode(t *testing.T) {
	for _, mode := range []veto.Mode{veto.Shadow, veto.Log} {
		a := inSession(t, set(allowlist("pay"), budget(rules.Budget{Parameter: "amount", Max: number("10"), WindowSeconds: 60})), &veto.Options{Mode: mode})
		res, _, err := a.Reserve(ctx, veto.Call{AgentID: "bot", Tool: "pay", Parameters: map[string]any{"amount": 11}})
		require.ErrorIs(t, err, veto.ErrDenied)
		require.NoError(t, res.Commit(ctx, "7"))
		require.NoError(t, res.CommitBudget(ctx, "p", "budget[0]", "7"))
		require.NoError(t, res.Refund(ctx))
		require.Equal(t, "0", used(t, a, "pay", "budget[0]"))
		// One that is allowed is as ever.
		require.NoError(t, reserve(t, a, "pay", map[string]any{"amount": 3}).Commit(ctx, "1"))
		require.Equal(t, "1", used(t, a, "pay", "budget[0]"))
	}
}

// What it cost is so also where the caller no longer waits; a nil context is
// refused.
func TestReservationContext(t *testing.T) {
	a := inSession(t, set(allowlist("pay"), budget(rules.Budget{Parameter: "amount", Max: number("10"), WindowSeconds: 60})), nil)
	done, cancel := context.WithCancel(ctx)
	cancel()
	res := reserve(t, a, "pay", map[string]any{"amount": 4})
	require.NoError(t, res.Commit(done, "1"))
	require.Equal(t, "1", used(t, a, "pay", "budget[0]"))
	var nilContext context.Context
	require.Error(t, res.Commit(nilContext, "2"))
	require.Equal(t, "1", used(t, a, "pay", "budget[0]"))
	_, r, err := a.Reserve(done, veto.Call{AgentID: "bot", Tool: "pay", Parameters: map[string]any{"amount": 4}})
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeCancelled, r.Code)
	require.Equal(t, "1", used(t, a, "pay", "budget[0]"))
}

// A reserved call is one that a sequence requires when it has succeeded, and
// one that blocks from when it was allowed.
func TestReservationAndSequences(t *testing.T) {
	a := inSession(t, set(allowlist("*"),
		sequence(rules.Sequence{Requires: entries("check")}, "send"),
		sequence(rules.Sequence{BlockedBy: entries("check")}, "other")), nil)
	for _, end := range []func(veto.Reservation) error{
		func(veto.Reservation) error { return nil }, // nobody hears of it again
		func(r veto.Reservation) error { return r.Refund(ctx) },
	} {
		res := reserve(t, a, "check", nil)
		require.Equal(t, rules.CodeSequenceViolated, say(a, "send", nil))
		require.Equal(t, rules.CodeSequenceViolated, say(a, "other", nil))
		require.NoError(t, end(res))
		require.Equal(t, rules.CodeSequenceViolated, say(a, "send", nil))
		require.Equal(t, rules.CodeSequenceViolated, say(a, "other", nil))
	}
	// A caller that always says a cost is heard where no budget sums it.
	require.NoError(t, reserve(t, a, "check", nil).Commit(ctx, "3"))
	require.Equal(t, rules.CodeAllowed, say(a, "send", nil))
	// Where nobody reports, to be allowed is to succeed.
	require.NoError(t, a.EndSession(ctx, "", "s"))
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeAllowed, say(a, "check", nil))
	require.Equal(t, rules.CodeAllowed, say(a, "send", nil))
}

// everything is a set with every kind of limit on the tool pay, each with room
// for one call.
func everything() *veto.PolicySet {
	one := 1
	return &veto.PolicySet{
		Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{
			allowlist("*"),
			limit(1, 60, "pay"),
			{Type: rules.RateLimited, ID: "bucket", Tools: []string{"pay"}, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60, Algorithm: "token_bucket"}},
			budget(rules.Budget{Parameter: "amount", Max: number("1"), WindowSeconds: 60}, "pay"),
			budget(rules.Budget{Cost: number("1"), Max: number("1"), PerSession: true}, "pay"),
			budget(rules.Budget{Distinct: "to", Max: number("1"), WindowSeconds: 60}, "pay"),
			budget(rules.Budget{Distinct: "to", Max: number("1"), PerSession: true}, "pay"),
			sequence(rules.Sequence{BlockedBy: entries("pay")}, "read"),
			sequence(rules.Sequence{Requires: entries("pay")}, "send"),
		}}},
		ToolPolicies: []rules.ToolPolicy{{ToolName: "pay", Mode: "deterministic", SessionConstraints: &rules.SessionConstraints{
			MaxCalls: &one, Budget: number("1"), SpendArgument: "amount",
			Counters: map[string]rules.SessionCounter{"open": {Increment: []string{"pay"}, Max: &one}},
		}}},
	}
}

// cancelLater is a context that ends after it was asked so often.
type cancelLater struct {
	context.Context
	left int
}

func (c *cancelLater) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// A call whose answer is not delivered as allowed, because it could not be
// recorded or the caller no longer waits, is given back by every kind of limit
// and by the history of its session.
func TestEverythingIsGivenBack(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		sink audit.Sink
		ctx  func() context.Context
		code rules.Code
	}{
		"record failed":   {badSink{errors.New("disk full")}, func() context.Context { return ctx }, rules.CodeAuditFailed},
		"record panicked": {badSink{}, func() context.Context { return ctx }, rules.CodeAuditFailed},
		"cancelled":       {nil, func() context.Context { return &cancelLater{ctx, 1} }, rules.CodeCancelled},
	} {
		state := evaluator.NewState(nil)
		opts := &veto.Options{State: state, Now: func() time.Time { return now }}
		fine := inSession(t, everything(), opts)
		bad := newAuthorizer(t, everything(), &veto.Options{State: state, Sink: c.sink, Now: opts.Now})
		for i := range 3 {
			call := veto.Call{AgentID: "bot", Session: "s", Tool: "pay", Parameters: map[string]any{"amount": 1, "to": i}}
			r, err := bad.Decide(c.ctx(), call)
			require.Equal(t, c.code, r.Code, name)
			require.ErrorIs(t, err, veto.ErrDenied, name)
			res, r, err := bad.Reserve(c.ctx(), call)
			require.Equal(t, c.code, r.Code, name)
			require.ErrorIs(t, err, veto.ErrDenied, name)
			require.Zero(t, res, name)
		}
		// Whatever it is asked, the state has seen no call.
		usage, err := fine.Usage(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: "pay", Parameters: map[string]any{"amount": 1, "to": "ann"}})
		require.NoError(t, err)
		require.Len(t, usage, 9, name)
		for _, u := range usage {
			require.Equal(t, "0", u.Used, "%s: %s", name, u.RuleID)
		}
		require.Equal(t, rules.CodeSequenceViolated, say(fine, "send", nil), name)
		require.Equal(t, rules.CodeAllowed, say(fine, "read", nil), name)
		require.Equal(t, rules.CodeAllowed, say(fine, "pay", map[string]any{"amount": 1, "to": "ann"}), name)
		require.Equal(t, rules.CodeSequenceViolated, say(fine, "read", nil), name)
		require.Equal(t, rules.CodeAllowed, say(fine, "send", nil), name)
		require.Equal(t, rules.CodeBudgetExceeded, say(fine, "pay", map[string]any{"amount": 1, "to": "ann"}), name)
	}
}
