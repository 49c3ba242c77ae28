package veto_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// A State that is closed changes nothing about calls that it would not count:
// those that are denied, or escalated, whatever it says.
func TestClosedStateAndWhatIsNotAllowed(t *testing.T) {
	policies := func() *veto.PolicySet {
		return set(allowlist("t", "ask"), limit(5, 60, "t", "ask", "never"),
			rules.Rule{Type: rules.RequireApproval, Tools: []string{"ask"}})
	}
	state := evaluator.NewState(nil)
	a := newAuthorizer(t, policies(), &veto.Options{State: state})
	b := newAuthorizer(t, policies(), nil)
	state.Close()
	for _, tool := range []string{"ask", "never", "other"} {
		want, _ := b.Authorize(ctx, "bot", tool, nil)
		got, _ := a.Authorize(ctx, "bot", tool, nil)
		require.Equal(t, want.Code, got.Code, tool)
		require.Equal(t, want.Code, a.Explain(ctx, veto.Call{AgentID: "bot", Tool: tool}, nil).Result.Code, tool)
	}
	require.Equal(t, rules.CodeLimitsUnavailable, a.Explain(ctx, veto.Call{AgentID: "bot", Tool: "t"}, nil).Result.Code)
}
