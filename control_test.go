package veto_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
)

func TestKillSwitch(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("*")), nil)
	code := func(agent string) string {
		r, err := a.Authorize(ctx, agent, "t", nil)
		require.Equal(t, r.Allowed, err == nil)
		return r.Code.String()
	}
	a.Suspend("bot")
	require.Equal(t, "agent_suspended", code("bot"))
	require.Equal(t, "allowed", code("other"))
	require.NoError(t, a.SetPolicies(set(allowlist("t"))))
	require.Equal(t, "agent_suspended", code("bot"), "it survives a reload")
	require.Equal(t, "never", a.Tools(ctx, "bot", []string{"t"})[0].Access.String())
	require.Equal(t, rules.CodeAgentSuspended, a.Explain(ctx, veto.Call{AgentID: "bot", Tool: "t"}, nil).Result.Code)
	a.SuspendAll()
	require.Equal(t, "agent_suspended", code("other"))
	a.Resume("bot")
	require.Equal(t, "agent_suspended", code("bot"), "Resume does not end SuspendAll")
	a.ResumeAll()
	require.Equal(t, "allowed", code("bot"))
	r, _ := a.Authorize(ctx, "bot", "not a name", nil)
	a.Suspend("bot")
	require.Equal(t, rules.CodeInvalidRequest, r.Code, "the input is checked first")
	require.Equal(t, "invalid_request", func() string { r, _ := a.Authorize(ctx, "bot", "not a name", nil); return r.Code.String() }())
}

func TestSetList(t *testing.T) {
	document := set(constraint([]string{"t"}, map[string]rules.Constraint{"to": {InList: "staff"}}),
		rules.Rule{Type: rules.ToolDenylist, Tools: []string{"u"}, When: `!inList("staff", string(args.to))`}, allowlist("u"))
	document.Lists = map[string][]string{"staff": {"ann"}}
	a := newAuthorizer(t, document, nil)
	may := func(tool, to string) bool {
		_, err := a.Authorize(ctx, "bot", tool, map[string]any{"to": to})
		return err == nil
	}
	for _, tool := range []string{"t", "u"} {
		require.True(t, may(tool, "ann"))
		require.False(t, may(tool, "bob"))
	}
	values := []string{"bob"}
	require.NoError(t, a.SetList("staff", values))
	values[0] = "eve"
	for range 2 {
		for _, tool := range []string{"t", "u"} {
			require.False(t, may(tool, "ann"))
			require.True(t, may(tool, "bob"))
			require.False(t, may(tool, "eve"))
		}
		require.NoError(t, a.SetPolicies(document)) // and again, after a reload
	}
	require.ErrorContains(t, a.SetList("nobody", nil), `"nobody"`)
}

func TestTools(t *testing.T) {
	policies := set(
		allowlist("read", "mail.*", "both"), denylist("mail.delete", "both"),
		constraint([]string{"pay"}, map[string]rules.Constraint{"n": {Max: number("5")}}),
		rules.Rule{Type: rules.RequireApproval, Tools: []string{"mail.send"}},
		limit(1, 60, "read"),
	)
	a := newAuthorizer(t, policies, nil)
	var got []string
	for _, x := range a.Tools(ctx, "bot", []string{"read", "mail.list", "mail.delete", "mail.send", "both", "pay", "other", "bad name"}) {
		got = append(got, x.Name+" "+x.Access.String())
	}
	require.Equal(t, []string{
		"read may", "mail.list may", "mail.delete never", "mail.send escalates", "both never", "pay may", "other never", "bad name never",
	}, got)
}

// The calls of one turn are decided in order, and share the limits.
func TestDecideAll(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("t"), limit(2, 60)), nil)
	calls := make([]veto.Call, 3)
	for i := range calls {
		calls[i] = veto.Call{AgentID: "bot", Tool: "t"}
	}
	results, err := a.DecideAll(ctx, calls)
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, []bool{true, true, false}, []bool{results[0].Allowed, results[1].Allowed, results[2].Allowed})
	_, err = a.DecideAll(ctx, nil)
	require.NoError(t, err)
}

func TestModes(t *testing.T) {
	for _, mode := range []veto.Mode{veto.Enforce, veto.Shadow, veto.Log} {
		a := newAuthorizer(t, set(allowlist("t")), &veto.Options{Mode: mode})
		r, err := a.Authorize(ctx, "bot", "u", nil)
		require.Error(t, err, "the answer is the same in every mode")
		require.Equal(t, mode, r.Mode)
		require.Equal(t, mode != veto.Enforce, r.RunsUnderMode())
		r, _ = a.Authorize(ctx, "bot", "not a name", nil)
		require.False(t, r.RunsUnderMode())
		a.Suspend("bot")
		r, _ = a.Authorize(ctx, "bot", "t", nil)
		require.False(t, r.RunsUnderMode())
	}
}
