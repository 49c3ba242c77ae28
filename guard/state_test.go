package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// What a tool returns is the caller's: the value, the error as it is, or both.
func TestResultsAreUntouched(t *testing.T) {
	a := load(t, everything, nil)
	mine := errors.New("mine")
	type big struct{ p *int }
	want := big{new(int)}
	out, err := wrap(t, a, "t", func(context.Context, flat) (big, error) { return want, mine }, bot[big]())(t.Context(), flat{})
	require.Same(t, want.p, out.p)
	require.True(t, err == mine)
	// Even what looks like a denial is the tool's own.
	denial := &guard.BlockedError{Tool: "inner"}
	_, err = wrap(t, a, "t", func(context.Context, flat) (int, error) { return 0, denial }, bot[int]())(t.Context(), flat{})
	require.True(t, err == error(denial))
	decoded, err := guard.WrapJSON(a, "t", func(context.Context, flat) (any, error) { return nil, mine }, bot[any]())
	require.NoError(t, err)
	_, err = decoded(t.Context(), json.RawMessage(`{}`))
	require.True(t, err == mine)
}

// In the modes shadow and log the tool runs whatever the policies say, and
// nothing else does.
func TestModesRunTheTool(t *testing.T) {
	for _, mode := range []veto.Mode{veto.Shadow, veto.Log} {
		records := audit.NewMemory(nil)
		a := load(t, secretive, &veto.Options{Mode: mode, Sink: records, Approvals: newBook(t, nil, nil)})
		ran := 0
		run := func(name, params string) error {
			_, err := wrap(t, a, name, func(ctx context.Context, _ string) (int, error) { ran++; return 0, ctx.Err() },
				&guard.Options[int]{Agent: "bot", Approver: &human{err: errors.New("asked")}})(t.Context(), params)
			return err
		}
		for _, name := range []string{"unknown", "forbidden", "pay", "limited", "limited", "free"} {
			require.NoError(t, run(name, "{}"), name)
		}
		require.NoError(t, run("checked", `{"hushword":"x"}`))
		require.Equal(t, 7, ran)
		require.Equal(t, []string{"default_deny", "tool_denied", "approval_required", "allowed", "rate_limited", "session_unknown", "constraint_violated"}, codes(records))
		require.ErrorIs(t, run("checked", `{`), veto.ErrDenied)
		a.Suspend("bot")
		require.ErrorIs(t, run("limited", `{}`), veto.ErrDenied)
		require.Equal(t, 7, ran)
	}
}

const sequenced = `
policies:
  - id: p
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [check, pay]}
      - {type: sequence, tools: [pay], sequence: {requires: [{tools: [check]}]}}
`

// A required call is one whose tool has succeeded: not one that was refused,
// failed, panicked, or whose stream was left.
func TestRequiredCallsAreThoseThatSucceeded(t *testing.T) {
	mine := errors.New("mine")
	check := func(t *testing.T, a *veto.Authorizer, how string) {
		t.Helper()
		do := func(fn func() error) func(context.Context, string) (int, error) {
			return wrap(t, a, "check", func(context.Context, string) (int, error) { return 0, fn() }, bot[int]())
		}
		ctx := guard.WithSession(t.Context(), "s")
		switch how {
		case "not called":
		case "succeeded":
			_, _ = do(func() error { return nil })(ctx, "{}")
		case "failed":
			_, _ = do(func() error { return mine })(ctx, "{}")
		case "panicked":
			require.Panics(t, func() { _, _ = do(func() error { panic("mine") })(ctx, "{}") })
		case "refused":
			_, err := do(func() error { return nil })(ctx, "{")
			require.Error(t, err)
		case "other session":
			require.NoError(t, a.OpenSession(ctx, "", "other"))
			_, err := do(func() error { return nil })(guard.WithSession(ctx, "other"), "{}")
			require.NoError(t, err)
		case "stream", "stream left", "stream failed":
			var last error
			if how == "stream failed" {
				last = mine
			}
			seq := stream(t, a, "check", func(context.Context, string) iter.Seq2[int, error] {
				return func(yield func(int, error) bool) { _ = yield(1, nil) && yield(2, last) }
			}, bot[int]())(ctx, "{}")
			for range seq {
				if how == "stream left" {
					break
				}
			}
		case "JSON":
			tool, err := guard.WrapJSON(a, "check", echo[flat], bot[flat]())
			require.NoError(t, err)
			_, err = tool(ctx, json.RawMessage(`{}`))
			require.NoError(t, err)
		}
	}
	for how, want := range map[string]bool{
		"not called": false, "succeeded": true, "failed": false, "panicked": false, "refused": false, "other session": false,
		"stream": true, "stream left": false, "stream failed": false, "JSON": true,
	} {
		a := load(t, sequenced, nil)
		require.NoError(t, a.OpenSession(t.Context(), "", "s"))
		check(t, a, how)
		_, err := wrap(t, a, "pay", echo[string], bot[string]())(guard.WithSession(t.Context(), "s"), "{}")
		require.Equal(t, want, err == nil, how)
		if !want {
			require.Equal(t, rules.CodeSequenceViolated, code(t, err), how)
		}
	}
}

// A required call counts only when it has returned, not while it runs.
func TestARunningCallIsNotYetOne(t *testing.T) {
	a := load(t, sequenced, nil)
	require.NoError(t, a.OpenSession(t.Context(), "", "s"))
	ctx := guard.WithSession(t.Context(), "s")
	pay := wrap(t, a, "pay", echo[string], bot[string]())
	check := wrap(t, a, "check", func(ctx context.Context, _ string) (int, error) {
		_, err := pay(ctx, "{}")
		require.Equal(t, rules.CodeSequenceViolated, code(t, err))
		return 0, nil
	}, bot[int]())
	_, err := check(ctx, "{}")
	require.NoError(t, err)
	_, err = pay(ctx, "{}")
	require.NoError(t, err)
}

// D1 through guards: exactly as many calls run as the limit permits, whoever
// calls; and each counts once.
func TestAttack_D1_ConcurrentGuards(t *testing.T) {
	a := load(t, `
policies:
  - id: p
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: [t]}
      - {type: rate_limit, tools: [t], rateLimit: {maxCalls: 50, windowSeconds: 3600, per: [global]}}
`, nil)
	var ran atomic.Int64
	byValue := wrap(t, a, "t", func(_ context.Context, in map[string]any) (int, error) {
		in["x"] = ran.Add(1)
		return 0, nil
	}, bot[int]())
	byJSON, err := guard.WrapJSON(a, "t", func(context.Context, flat) (int, error) { ran.Add(1); return 0, nil }, bot[int]())
	require.NoError(t, err)
	seq := stream(t, a, "t", func(context.Context, []byte) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) { ran.Add(1); yield(1, nil) }
	}, bot[int]())
	shared := map[string]any{"a": []any{1}}
	raw := json.RawMessage(`{"path":"/a"}`)
	one := seq(t.Context(), raw)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			ctx := t.Context()
			if i%2 == 0 {
				ctx = guard.WithAgent(ctx, "other")
			}
			for range 10 {
				_, _ = byValue(ctx, shared)
				_, _ = byJSON(ctx, raw)
				for range one {
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 50, ran.Load())
	require.Equal(t, map[string]any{"a": []any{1}}, shared)
	require.Equal(t, `{"path":"/a"}`, string(raw))
}
