package veto_test

import (
	"context"
	"errors"
	"testing"

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
			require.Equal(t, c.code, denied.Code)
		}
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools allocate")
	}
	a := newAuthorizer(t, set(allowlist("file.*", "search"), denylist("file.delete"), limit(1000000, 60, "search")), &veto.Options{Sink: audit.Discard})
	params := map[string]any{"path": "/tmp/a", "n": 5, "q": "x"}
	for _, tool := range []string{"file.read", "file.delete", "other", "search", "bad tool"} {
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
