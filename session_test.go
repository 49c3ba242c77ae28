package veto_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
)

// A session belongs to a project, which is by default that of the Authorizer.
func TestSessionsOfProjects(t *testing.T) {
	policies := set(allowlist("t"), budget(rules.Budget{Cost: number("1"), Max: number("1"), PerSession: true}))
	a := newAuthorizer(t, policies, &veto.Options{Project: "shop"})
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	r, err := a.Decide(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: "t"})
	require.NoError(t, err, r.Reason)
	r, _ = a.Decide(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: "t", Project: "shop"})
	require.Equal(t, rules.CodeBudgetExceeded, r.Code)
	require.NoError(t, a.EndSession(ctx, "shop", "s"))
	r, _ = a.Decide(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: "t"})
	require.Equal(t, rules.CodeSessionUnknown, r.Code)

	a = newAuthorizer(t, policies, nil)
	require.NoError(t, a.OpenSession(ctx, "shop", "s"))
	r, _ = a.Decide(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: "t"})
	require.Equal(t, rules.CodeSessionUnknown, r.Code, "that of no project is another")
	require.NoError(t, a.EndSession(ctx, "", "s"), "it is not open: nothing to end")
	_, err = a.Decide(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: "t", Project: "shop"})
	require.NoError(t, err)
}

// Opening an open session changes nothing; one that ended begins anew.
func TestOpenSessionAgain(t *testing.T) {
	a := inSession(t, set(allowlist("*"),
		budget(rules.Budget{Cost: number("1"), Max: number("1"), PerSession: true}, "pay"),
		sequence(rules.Sequence{BlockedBy: entries("read")}, "send")), nil)
	require.Equal(t, rules.CodeAllowed, say(a, "pay", nil))
	require.Equal(t, rules.CodeAllowed, say(a, "read", nil))
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeBudgetExceeded, say(a, "pay", nil))
	require.Equal(t, rules.CodeSequenceViolated, say(a, "send", nil))
	require.NoError(t, a.EndSession(ctx, "", "s"))
	require.NoError(t, a.EndSession(ctx, "", "s"))
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.Equal(t, rules.CodeAllowed, say(a, "pay", nil))
	require.Equal(t, rules.CodeAllowed, say(a, "send", nil))
}

// Nobody and no context open no session.
func TestSessionsOfNobody(t *testing.T) {
	done, cancel := context.WithCancel(ctx)
	cancel()
	var none *veto.Authorizer
	var nilContext context.Context
	a := newAuthorizer(t, set(allowlist("*")), nil)
	for name, x := range map[string]struct {
		a   *veto.Authorizer
		ctx context.Context
	}{"nil": {none, ctx}, "zero": {&veto.Authorizer{}, ctx}, "no context": {a, nilContext}, "cancelled": {a, done}} {
		require.Error(t, x.a.OpenSession(x.ctx, "", "s"), name)
		require.Error(t, x.a.EndSession(x.ctx, "", "s"), name)
		_, err := x.a.Usage(x.ctx, veto.Call{AgentID: "bot", Tool: "t"})
		require.Error(t, err, name)
	}
}

// An amount that is none, or a value that cannot be counted, denies with the
// parameter's name; what is too much is an ordinary violation.
func TestBadAmounts(t *testing.T) {
	sum := rules.Budget{Parameter: "amount", Max: number("10"), WindowSeconds: 60}
	inSum := rules.Budget{Parameter: "/order/total", Max: number("10"), PerSession: true}
	values := rules.Budget{Distinct: "amount", Max: number("10"), WindowSeconds: 60}
	amount := func(v any) any { return map[string]any{"amount": v} }
	const (
		failed = rules.CodeEvaluationError
		passed = rules.CodeBudgetExceeded
	)
	for _, c := range []struct {
		name      string
		budget    rules.Budget
		params    any
		code      rules.Code
		parameter string
	}{
		{"no parameters", sum, nil, failed, "amount"},
		{"absent", sum, map[string]any{"Amount": 1}, failed, "amount"},
		{"null", sum, amount(nil), failed, "amount"},
		{"text", sum, amount("5"), failed, "amount"},
		{"text NaN", sum, amount("NaN"), failed, "amount"},
		{"true", sum, amount(true), failed, "amount"},
		{"array", sum, amount([]any{5}), failed, "amount"},
		{"object", sum, amount(map[string]any{"value": 5}), failed, "amount"},
		{"negative", sum, amount(-1), passed, "amount"},
		{"barely negative", sum, amount(json.Number("-1e-300")), passed, "amount"},
		{"too fine", sum, amount(json.Number("1e-19")), failed, "amount"},
		{"far too fine", sum, amount(json.Number("1e-300")), failed, "amount"},
		{"too much", sum, amount(json.Number("10.000000000000000001")), passed, ""},
		{"far too much", sum, amount(json.Number("1e18")), passed, ""},
		{"huge", sum, amount(json.Number("1e300")), passed, ""},
		{"pointer, absent", inSum, map[string]any{"order": map[string]any{}}, failed, "/order/total"},
		{"pointer, into a number", inSum, map[string]any{"order": 5}, failed, "/order/total"},
		{"pointer, negative", inSum, map[string]any{"order": map[string]any{"total": -0.5}}, passed, "/order/total"},
		{"value, absent", values, map[string]any{}, failed, "amount"},
		{"value, null", values, amount(nil), failed, "amount"},
		{"value, array", values, amount([]any{"a"}), failed, "amount"},
		{"value, 257 bytes", values, amount(strings.Repeat("x", 257)), failed, "amount"},
	} {
		for _, soft := range []rules.Violation{"", rules.EscalateOnViolation} {
			rule := budget(c.budget)
			rule.OnViolation = soft
			a := inSession(t, set(allowlist("t"), rule), nil)
			r, err := a.Decide(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: "t", Parameters: c.params})
			if soft != "" && c.code == passed && c.parameter == "" {
				require.Equal(t, rules.CodeApprovalRequired, r.Code, c.name)
				continue
			}
			require.Equal(t, c.code, r.Code, c.name)
			var denied *veto.DeniedError
			require.True(t, errors.As(err, &denied), c.name)
			require.ErrorIs(t, err, veto.ErrDenied, c.name)
			require.Equal(t, rules.Denial{Outcome: veto.Denied, Code: c.code, PolicyID: "p", RuleID: "budget[0]", Parameter: c.parameter}, denied.Denial(), c.name)
			want := `Policy "P" could not be evaluated`
			if c.code == passed {
				want = "Tool 't' exceeds the budget of 10"
			}
			require.Equal(t, want, r.Reason.String(), c.name)
		}
	}
	// What is no number in JSON is no request.
	a := inSession(t, set(allowlist("t"), budget(sum)), nil)
	for _, v := range []any{math.NaN(), math.Inf(1), math.Inf(-1), json.Number("NaN"), json.Number("0x5"), json.Number("")} {
		require.Equal(t, rules.CodeInvalidRequest, say(a, "t", amount(v)), "%v", v)
	}
	require.Equal(t, "0", used(t, a, "t", "budget[0]"))
	// And what is one, in whatever kind, is counted exactly.
	for _, v := range []any{1, int8(1), uint64(1), float32(0.5), 0.25, json.Number("0.10"), json.Number("1E-1"), json.Number("-0"), 0} {
		require.Equal(t, rules.CodeAllowed, say(a, "t", amount(v)), "%T %v", v, v)
	}
	require.Equal(t, "3.95", used(t, a, "t", "budget[0]"))
}

// A session of a project that the Authorizer is not bound to is a mistake.
func TestSessionOfAnotherProject(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("*")), &veto.Options{Project: "ours"})
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	require.NoError(t, a.OpenSession(ctx, "ours", "s"))
	require.ErrorContains(t, a.OpenSession(ctx, "theirs", "s"), `"theirs"`)
	require.Error(t, a.EndSession(ctx, "theirs", "s"))
	require.NoError(t, a.EndSession(ctx, "ours", "s"))
}
