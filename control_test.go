package veto_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
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

func TestSuspendPrefix(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("*")), nil)
	may := func(agent string) bool { _, err := a.Authorize(ctx, agent, "t", nil); return err == nil }
	a.Suspend("support-*")
	require.False(t, may("support-1"))
	require.True(t, may("sales-1"))
	a.Resume("support-1")
	require.False(t, may("support-1"))
	a.Resume("support-*")
	require.True(t, may("support-1"))
	a.Suspend("*")
	require.False(t, may("sales-1"))
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
	require.Contains(t, a.Revision(), "+lists-1", "a decision says that lists are not those of the document")
	r, _ := a.Authorize(ctx, "bot", "t", map[string]any{"to": "bob"})
	require.Equal(t, a.Revision(), r.PolicyRevision)
	require.NoError(t, a.ResetList("staff"))
	require.True(t, may("t", "ann"))
	require.False(t, may("t", "bob"))
	require.NotContains(t, a.Revision(), "+")
	require.ErrorContains(t, a.ResetList("nobody"), `"nobody"`)
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

// Tools speaks of the project that is named, and needs no session.
func TestToolsFor(t *testing.T) {
	acme := "acme"
	policies := &veto.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "bot", ProjectID: &acme, Rules: []rules.Rule{allowlist("t")}}}}
	a := newAuthorizer(t, policies, &veto.Options{RequireSession: true, RequireProject: true})
	identity := veto.Call{AgentID: "bot", Project: "acme"}
	require.Equal(t, "may", a.ToolsFor(ctx, identity, []string{"t"})[0].Access.String())
	require.Equal(t, "never", a.Tools(ctx, "bot", []string{"t"})[0].Access.String())
}

// A shadow policy cannot use up what the decision may spend.
func TestShadowHasItsOwnBounds(t *testing.T) {
	dear := "(a{1,10}){1,15}b"
	var rs []rules.Rule
	for range 49 {
		rs = append(rs, constraint([]string{"*"}, map[string]rules.Constraint{"text": {NotRegex: &dear}}))
	}
	cheap := "[0-9]"
	policies := set(allowlist("t"), constraint([]string{"t"}, map[string]rules.Constraint{"text": {NotRegex: &cheap}}))
	policies.Policies = append(policies.Policies, rules.Policy{ID: "shadow", AgentID: "*", Priority: 100, Shadow: true, Rules: rs})
	a := newAuthorizer(t, policies, nil)
	r, err := a.Authorize(ctx, "bot", "t", map[string]any{"text": strings.Repeat("x", 2500)})
	require.NoError(t, err)
	require.Equal(t, rules.CodeEvaluationError, r.Shadow[0].Code)
}

// A clock that panics denies.
func TestClockPanics(t *testing.T) {
	memory := audit.NewMemory(nil)
	a := newAuthorizer(t, set(allowlist("*")), &veto.Options{Sink: memory, Now: func() time.Time { panic("no clock") }})
	r, err := a.Authorize(ctx, "bot", "t", nil)
	require.Error(t, err)
	require.Equal(t, rules.CodeEvaluationError, r.Code)
	_, total := memory.Query(audit.Query{})
	require.Equal(t, 1, total)
}

type failing struct{}

func (failing) Record(context.Context, *audit.Record) error { return errors.New("disk full") }

// A sink that has kept the record of a call that is refused after all, as
// another failed, is told so.
func TestRecordOfRefusedCall(t *testing.T) {
	memory := audit.NewMemory(nil)
	a := newAuthorizer(t, set(allowlist("*")), &veto.Options{Sink: audit.Multi(memory, failing{})})
	r, err := a.Authorize(ctx, "bot", "t", nil)
	require.ErrorIs(t, err, veto.ErrUnavailable)
	records, _ := memory.Query(audit.Query{})
	require.Equal(t, rules.CodeAuditFailed, records[0].Code)
	require.Equal(t, r.DecisionID, records[0].ID)
}

// The record of an invalid call says what was tried, where it could be read,
// and else that it could not.
func TestRecordsOfWhatWasNotRead(t *testing.T) {
	memory := audit.NewMemory(nil)
	a := newAuthorizer(t, set(allowlist("*")), &veto.Options{Sink: memory})
	a.Authorize(ctx, "bot", "no tool", map[string]any{"rm": "-rf"})
	a.Authorize(ctx, "bot", "t", json.RawMessage(`{"a":1,"A":2}`))
	records, _ := memory.Query(audit.Query{})
	require.Equal(t, "null", records[0].Parameters.String())
	require.Empty(t, records[0].Parameters.Digest())
	require.Equal(t, `{"rm":"-rf"}`, records[1].Parameters.String())
}

// Somebody was meant by an id that nobody can have: then everyone is stopped.
func TestSuspendNobody(t *testing.T) {
	for _, id := range []string{"", "bot\n", strings.Repeat("x", 256), "\xff"} {
		core, logs := observer.New(zap.ErrorLevel)
		a := newAuthorizer(t, set(allowlist("read")), &veto.Options{Logger: zap.New(core)})
		a.Suspend(id)
		require.Equal(t, rules.CodeAgentSuspended, say(a, "read", nil), "%q", id)
		require.Len(t, logs.FilterMessageSnippet("every agent is suspended").All(), 1)
		a.Suspend("other")
		a.Resume("bot")
		require.Equal(t, rules.CodeAgentSuspended, say(a, "read", nil), "%q", id)
		a.Resume(id)
		require.Equal(t, rules.CodeAllowed, say(a, "read", nil), "%q", id)
	}
	(*veto.Authorizer)(nil).Suspend("")
}
