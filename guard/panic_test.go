package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

type bomb struct{ A string }

func (bomb) MarshalJSON() ([]byte, error) { panic("secret in a panic") }

type fuse struct{ A string }

func (*fuse) UnmarshalJSON([]byte) error { panic("secret in a panic") }

type broken struct{ A string }

func (broken) MarshalJSON() ([]byte, error) { return nil, errors.New("secret in an error") }

// G8: what panics before the tool runs is a denial that is recorded, and the
// panic's text is shown to nobody.
func TestAttack_G8_OurPanicsDeny(t *testing.T) {
	records := audit.NewMemory(nil)
	a := load(t, everything, &veto.Options{Sink: records})
	denies := func(t *testing.T, call func() error) {
		t.Helper()
		_, before := records.Query(audit.Query{})
		var err error
		require.NotPanics(t, func() { err = call() })
		require.ErrorIs(t, err, veto.ErrDenied)
		b := blocked(t, err)
		require.Equal(t, rules.CodeInvalidRequest, b.Result.Code)
		require.NotContains(t, err.Error(), "secret")
		require.NotContains(t, b.Err.Error(), "secret")
		_, after := records.Query(audit.Query{})
		require.Equal(t, before+1, after)
		require.Equal(t, rules.CodeInvalidRequest, last(t, records).Code)
	}
	t.Run("Identity", func(t *testing.T) {
		tool := wrap(t, a, "t", echo[flat], &guard.Options[flat]{Agent: "bot", Identity: func(context.Context) guard.Identity { panic("secret") }})
		denies(t, func() error { _, err := tool(t.Context(), flat{}); return err })
	})
	t.Run("Values", func(t *testing.T) {
		tool := wrap(t, a, "t", echo[flat], &guard.Options[flat]{Agent: "bot", Values: func(context.Context) any { panic("secret") }})
		denies(t, func() error { _, err := tool(t.Context(), flat{}); return err })
		require.Equal(t, "bot", last(t, records).AgentID)
	})
	t.Run("MarshalJSON", func(t *testing.T) {
		denies(t, func() error {
			_, err := wrap(t, a, "t", echo[bomb], bot[bomb]())(t.Context(), bomb{})
			return err
		})
		denies(t, func() error {
			_, err := wrap(t, a, "t", echo[map[string]any], bot[map[string]any]())(t.Context(), map[string]any{"b": bomb{}})
			return err
		})
		denies(t, func() error {
			_, err := wrap(t, a, "t", echo[broken], bot[broken]())(t.Context(), broken{})
			return err
		})
		stream, err := guard.WrapStream(a, "t", streamOf[bomb, int](), bot[int]())
		require.NoError(t, err)
		denies(t, func() (err error) {
			for _, err = range stream(t.Context(), bomb{}) {
			}
			return err
		})
	})
	t.Run("UnmarshalJSON", func(t *testing.T) {
		tool, err := guard.WrapJSON(a, "t", echo[fuse], bot[fuse]())
		require.NoError(t, err)
		denies(t, func() error { _, err := tool(t.Context(), json.RawMessage(`{}`)); return err })
		denies(t, func() error {
			_, err := wrap(t, a, "t", echo[fuse], bot[fuse]())(t.Context(), fuse{})
			return err
		})
	})
	t.Run("Values that are no JSON", func(t *testing.T) {
		tool := wrap(t, a, "t", echo[flat], &guard.Options[flat]{Agent: "bot", Values: func(context.Context) any { return bomb{} }})
		var err error
		require.NotPanics(t, func() { _, err = tool(t.Context(), flat{}) })
		require.ErrorIs(t, err, veto.ErrDenied)
	})
}

// An approver that panics has not approved.
func TestApproverPanics(t *testing.T) {
	a := load(t, asking, &veto.Options{Approvals: newBook(t, nil, nil)})
	tool := wrap(t, a, "pay", func(context.Context, string) (int, error) { panic("it ran") },
		&guard.Options[int]{Agent: "bot", Approver: panicking{}})
	_, err := tool(t.Context(), `{"amount":5}`)
	require.ErrorIs(t, err, veto.ErrEscalated)
}

type panicking struct{}

func (panicking) Ask(context.Context, approval.Ticket) (approval.Answer, error) { panic("secret") }

// A panic of the tool's passes through. The call is over all the same: its
// ticket says that it failed, its context is given back, and the next call is
// one like any other.
func TestPanicOfTheToolPassesThrough(t *testing.T) {
	book := newBook(t, nil, nil)
	a := load(t, asking, &veto.Options{Approvals: book})
	approver := &human{answer: yes}
	opts := &guard.Options[int]{Agent: "bot", Approver: approver}
	var seen context.Context
	tool := wrap(t, a, "pay", func(ctx context.Context, _ string) (int, error) { seen = ctx; panic("mine") }, opts)
	ctx, cancel := context.WithCancel(t.Context())
	for n := 1; n <= 3; n++ {
		require.PanicsWithValue(t, "mine", func() { _, _ = tool(ctx, `{"amount":5}`) })
		require.Equal(t, n, approver.asked)
		tickets, err := book.List(ctx, approval.Used)
		require.NoError(t, err)
		require.Len(t, tickets, n)
		for _, ticket := range tickets {
			require.Equal(t, approval.Failed, ticket.Outcome)
		}
	}
	require.NoError(t, seen.Err(), "it is kept for the next call")
	cancel()
	require.Error(t, seen.Err())

	decoded, err := guard.WrapJSON(a, "pay", func(context.Context, map[string]any) (int, error) { panic("mine") }, opts)
	require.NoError(t, err)
	require.PanicsWithValue(t, "mine", func() { _, _ = decoded(t.Context(), json.RawMessage(`{"amount":5}`)) })
	stream, err := guard.WrapStream(a, "pay", panicOf[string, int](), opts)
	require.NoError(t, err)
	require.PanicsWithValue(t, "mine", func() {
		for range stream(t.Context(), `{"amount":5}`) {
		}
	})
	tickets, err := book.List(t.Context(), approval.Used)
	require.NoError(t, err)
	require.Len(t, tickets, 5)
}

// A tool that ends its goroutine, as a test does that fails, releases all too.
func TestGoexitOfTheTool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := newBook(t, nil, nil)
		a := load(t, asking, &veto.Options{Approvals: book})
		tool := wrap(t, a, "pay", func(context.Context, string) (int, error) { runtime.Goexit(); return 0, nil },
			&guard.Options[int]{Agent: "bot", Approver: &human{answer: yes}})
		go func() { _, _ = tool(t.Context(), `{"amount":5}`) }()
		synctest.Wait()
		tickets, err := book.List(t.Context(), approval.Used)
		require.NoError(t, err)
		require.Len(t, tickets, 1)
		require.Equal(t, approval.Failed, tickets[0].Outcome)
	})
}
