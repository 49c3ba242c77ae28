package guard_test

import (
	"context"
	"encoding/json"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// Frameworks have contexts of their own: an interface, or a struct.
type (
	turn interface {
		context.Context
		Turn() int
	}
	turnCtx struct {
		context.Context
		agent string
		n     int
	}
)

func (c *turnCtx) Turn() int { return c.n }

// ofFramework takes the identity from the framework's context.
func ofFramework(ctx context.Context) guard.Identity {
	switch c := ctx.(type) {
	case *turnCtx:
		return guard.Identity{Agent: c.agent}
	default:
		return guard.Identity{}
	}
}

// A tool with a context of the framework's gets just that, also where a
// context of the standard library was the base of it.
func TestContextsOfFrameworks(t *testing.T) {
	a := load(t, everything, nil)
	given := &turnCtx{t.Context(), "bot", 3}
	opts := &guard.Options[int]{Identity: ofFramework}

	byPointer, err := guard.Wrap(a, "t", func(c *turnCtx, _ flat) (int, error) {
		require.Same(t, given, c)
		return c.Turn(), nil
	}, opts)
	require.NoError(t, err)
	n, err := byPointer(given, flat{})
	require.NoError(t, err)
	require.Equal(t, 3, n)

	byInterface, err := guard.WrapJSON(a, "t", func(c turn, _ flat) (int, error) {
		require.Same(t, given, c)
		return c.Turn(), nil
	}, opts)
	require.NoError(t, err)
	n, err = byInterface(given, json.RawMessage(`{}`))
	require.NoError(t, err)
	require.Equal(t, 3, n)

	stream, err := guard.WrapStream(a, "t", func(c turn, _ flat) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) { yield(c.Turn(), nil) }
	}, opts)
	require.NoError(t, err)
	for n, err := range stream(given, flat{}) {
		require.NoError(t, err)
		require.Equal(t, 3, n)
	}

	// Identities in the context below count as in any.
	_, err = byPointer(&turnCtx{guard.WithAgent(t.Context(), "other"), "bot", 3}, flat{})
	require.Equal(t, rules.CodeDefaultDeny, code(t, err))
}

// A tool of a framework's context cannot be told that the agent was suspended,
// but none begins after that.
func TestContextsOfFrameworksAndSuspension(t *testing.T) {
	s := &suspendingSink{agent: "bot"}
	a := load(t, everything, &veto.Options{Sink: s})
	s.a = a
	ran := 0
	tool, err := guard.Wrap(a, "t", func(*turnCtx, flat) (int, error) { ran++; return 0, nil }, &guard.Options[int]{Identity: ofFramework})
	require.NoError(t, err)
	_, err = tool(&turnCtx{t.Context(), "bot", 3}, flat{})
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Zero(t, ran)
}

func TestAttack_G9_NilContext(t *testing.T) {
	a := load(t, everything, nil)
	ran := false
	run := func(context.Context, flat) (int, error) { ran = true; return 0, nil }
	var none context.Context
	_, err := wrap(t, a, "t", run, bot[int]())(none, flat{})
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeInvalidRequest, code(t, err))
	asked := &guard.Options[int]{
		Agent:    "bot",
		Identity: func(context.Context) guard.Identity { panic("asked") },
		Values:   func(context.Context) any { panic("asked") },
	}
	_, err = wrap(t, a, "t", run, asked)(none, flat{})
	require.Equal(t, rules.CodeInvalidRequest, code(t, err))
	require.NotContains(t, blocked(t, err).Err.Error(), "panic")

	decoded, err := guard.WrapJSON(a, "t", run, bot[int]())
	require.NoError(t, err)
	_, err = decoded(none, json.RawMessage(`{}`))
	require.ErrorIs(t, err, veto.ErrDenied)
	stream, err := guard.WrapStream(a, "t", func(context.Context, flat) iter.Seq2[int, error] { ran = true; return nil }, bot[int]())
	require.NoError(t, err)
	for _, err := range stream(none, flat{}) {
		require.ErrorIs(t, err, veto.ErrDenied)
	}

	// A nil pointer of the framework's that is none of ours to look into.
	byPointer, err := guard.Wrap(a, "t", func(*turnCtx, flat) (int, error) { ran = true; return 0, nil }, bot[int]())
	require.NoError(t, err)
	_, err = byPointer(nil, flat{})
	require.ErrorIs(t, err, veto.ErrDenied)
	_, err = byPointer(&turnCtx{}, flat{})
	require.ErrorIs(t, err, veto.ErrDenied)
	byInterface, err := guard.Wrap(a, "t", func(turn, flat) (int, error) { ran = true; return 0, nil }, bot[int]())
	require.NoError(t, err)
	_, err = byInterface(nil, flat{})
	require.ErrorIs(t, err, veto.ErrDenied)
	require.False(t, ran)
}

func TestAttack_G9_CancelledContext(t *testing.T) {
	a := load(t, everything, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := wrap(t, a, "t", echo[flat], bot[flat]())(ctx, flat{})
	require.Equal(t, rules.CodeCancelled, code(t, err))
	require.Equal(t, "This call cannot be made now.", err.Error())
}

// The context of the tool is that of the caller: it has its values and its
// end.
func TestContextOfTheTool(t *testing.T) {
	type key struct{}
	a := load(t, everything, nil)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(context.WithValue(t.Context(), key{}, "v"), time.Minute, context.DeadlineExceeded)
		defer cancel()
		tool := wrap(t, a, "t", func(ctx context.Context, _ flat) (string, error) {
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.Equal(t, time.Minute, time.Until(deadline))
			<-ctx.Done()
			return ctx.Value(key{}).(string), context.Cause(ctx)
		}, bot[string]())
		v, err := tool(ctx, flat{})
		require.Equal(t, "v", v)
		require.Equal(t, context.DeadlineExceeded, err)
	})
}
