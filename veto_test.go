package veto_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
)

var ctx = context.Background()

// set returns one policy for every agent with the rules given.
func set(rs ...rules.Rule) *veto.PolicySet {
	return &veto.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Name: "P", Rules: rs}}}
}

func allowlist(tools ...string) rules.Rule {
	return rules.Rule{Type: rules.ToolAllowlist, Tools: tools}
}

func denylist(tools ...string) rules.Rule {
	return rules.Rule{Type: rules.ToolDenylist, Tools: tools}
}

func limit(maxCalls, seconds int, tools ...string) rules.Rule {
	return rules.Rule{Type: rules.RateLimited, Tools: tools, RateLimit: &rules.RateLimit{MaxCalls: maxCalls, WindowSeconds: seconds}}
}

func newAuthorizer(t testing.TB, set *veto.PolicySet, opts *veto.Options) *veto.Authorizer {
	t.Helper()
	a, err := veto.New(set, opts)
	require.NoError(t, err)
	return a
}

func TestAuthorize(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("file.*", "search"), denylist("file.delete"), limit(2, 60, "search")), nil)
	for _, c := range []struct {
		tool   string
		code   rules.Code
		reason string
	}{
		{"file.read", rules.CodeAllowed, `Allowed by policy "P"`},
		{"file.delete", rules.CodeToolDenied, `Tool 'file.delete' is denied by policy "P"`},
		{"File.Delete", rules.CodeToolDenied, `Tool 'File.Delete' is denied by policy "P"`},
		{"File.read", rules.CodeDefaultDeny, "No policy explicitly allows this action (default deny)"},
		{"search", rules.CodeAllowed, `Allowed by policy "P"`},
		{"search", rules.CodeAllowed, `Allowed by policy "P"`},
		{"search", rules.CodeRateLimited, "Tool 'search' exceeded 2 calls per 60 seconds"},
	} {
		r, err := a.Authorize(ctx, "bot", c.tool, nil)
		require.Equal(t, c.code, r.Code, c.tool)
		require.Equal(t, c.reason, r.Reason.String())
		require.Equal(t, r.Allowed, err == nil)
		require.Equal(t, r.Allowed, r.Code == rules.CodeAllowed)
		if err != nil {
			require.ErrorIs(t, err, veto.ErrDenied)
			var denied *veto.DeniedError
			require.True(t, errors.As(err, &denied))
			require.Equal(t, c.code, denied.Code())
		}
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools allocate")
	}
	a := newAuthorizer(t, set(allowlist("file.*", "search", "readFile"), denylist("file.delete"), limit(1000000, 60, "search")), &veto.Options{Sink: audit.Discard})
	params := map[string]any{"path": "/tmp/a", "n": 5, "q": "x"}
	for _, tool := range []string{"file.read", "file.delete", "other", "search", "bad tool", "readFile"} {
		a.Authorize(ctx, "bot", tool, params)
		require.Zero(t, testing.AllocsPerRun(100, func() { a.Authorize(ctx, "bot", tool, params) }), tool)
	}
}

func BenchmarkAuthorize(b *testing.B) {
	a := newAuthorizer(b, set(allowlist("file.*", "search"), denylist("file.delete"), limit(1000000, 1, "search")), &veto.Options{Sink: audit.Discard})
	params := map[string]any{"path": "/tmp/a", "n": 5, "q": "x"}
	for _, tool := range []string{"file.read", "file.delete", "search"} {
		b.Run(tool, func(b *testing.B) {
			for b.Loop() {
				a.Authorize(ctx, "bot", tool, params)
			}
		})
	}
}

// What a record holds of a request that is not valid is bounded.
func TestRecordOfInvalidRequest(t *testing.T) {
	memory := audit.NewMemory(nil)
	a := newAuthorizer(t, set(allowlist("*")), &veto.Options{Sink: memory})
	long := strings.Repeat("é", 1<<20)
	_, err := a.Decide(ctx, veto.Call{AgentID: long, Tool: long, Session: long, Parameters: json.RawMessage(`{"a":1,"a":2}`)})
	require.ErrorIs(t, err, veto.ErrDenied)
	records, _ := memory.Query(audit.Query{})
	data, err := json.Marshal(records[0])
	require.NoError(t, err)
	require.Less(t, len(data), 2000)
	require.True(t, utf8.Valid(data))
}

// Every decision is recorded, with its time, its cause and its parameters.
func TestEveryDecisionIsRecorded(t *testing.T) {
	memory := audit.NewMemory(nil)
	a := newAuthorizer(t, set(allowlist("t"), denylist("u")), &veto.Options{Sink: memory})
	done, cancel := context.WithCancel(ctx)
	cancel()
	for _, c := range []context.Context{ctx, done, nil} {
		a.Authorize(c, "bot", "t", map[string]any{"password": "x", "n": 1})
	}
	a.Authorize(ctx, "bot", "u", nil)
	a.Authorize(ctx, "bot", "no tool", nil)
	a.Suspend("bot")
	a.Authorize(ctx, "bot", "t", nil)
	records, total := memory.Query(audit.Query{})
	require.Equal(t, 6, total)
	var codes []string
	for _, r := range records {
		codes = append(codes, r.Code.String())
		require.NotZero(t, r.ID)
		require.Equal(t, "authorize", r.Action)
	}
	require.Equal(t, []string{"agent_suspended", "invalid_request", "tool_denied", "invalid_request", "cancelled", "allowed"}, codes)
	require.Equal(t, `{"n":1,"password":"[REDACTED]"}`, sorted(t, records[5].Parameters.AppendJSON(nil)))
	require.Equal(t, "p", records[2].PolicyID)
	require.Len(t, records[2].PolicyDigest, 64)
	require.Equal(t, a.Revision(), records[2].PolicyRevision)
}

// sorted writes a JSON object with its members in order.
func sorted(t *testing.T, data []byte) string {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(data, &v))
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}
