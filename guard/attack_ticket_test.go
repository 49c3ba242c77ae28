package guard_test

import (
	"context"
	"iter"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// E2: a ticket is for one call, also where the calls that the tool makes are
// under the context that it came by: where that is a context of a framework's,
// which the guard hands on as it is; and where the tool is a stream.
func TestAttack_E2_TicketUnderAContextOfTheFramework(t *testing.T) {
	const lists = asking + `      - {type: tool_allowlist, tools: [log]}
`
	d := newDesk(t, lists)
	ctx := guard.WithIdentity(t.Context(), whoPays)
	id := d.escalated(t, ctx)
	d.approve(t, id)
	outer, err := guard.Wrap(d.a, "pay", func(ctx *turnCtx, _ string) (int, error) {
		require.NoError(t, d.call(ctx, "log", "{}"))
		require.Equal(t, rules.CodeApprovalRequired, code(t, d.call(ctx, "pay", pay5)))
		return 1, nil
	}, bot[int]())
	require.NoError(t, err)
	with := &turnCtx{Context: guard.WithApproval(ctx, id)}
	_, err = outer(with, pay5)
	require.NoError(t, err)
	_, err = outer(with, pay5)
	require.Equal(t, rules.CodeApprovalRequired, code(t, err), "the ticket was for one call: this is another")

	d = newDesk(t, lists)
	id = d.escalated(t, ctx)
	d.approve(t, id)
	streams := stream(t, d.a, "pay", func(ctx context.Context, _ string) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			yield(1, d.call(ctx, "log", "{}"))
			yield(2, d.call(ctx, "pay", pay5))
		}
	}, bot[int]())
	seq := streams(guard.WithApproval(ctx, id), pay5)
	_, errs := collect(seq)
	require.NoError(t, errs[0])
	require.Equal(t, rules.CodeApprovalRequired, code(t, errs[1]))
	_, errs = collect(seq)
	require.Equal(t, rules.CodeApprovalRequired, code(t, errs[0]), "to range again is another call")
}

// A call that did not run may be made again under the same context: when the
// human has answered, or after one that the ticket was not for.
func TestApprovalOfACallThatWasBlockedBefore(t *testing.T) {
	d := newDesk(t, asking)
	ctx := guard.WithIdentity(t.Context(), whoPays)
	id := d.escalated(t, ctx)
	ids := []string{id}
	with := guard.WithApproval(ctx, ids...)
	ids[0] = "none"
	require.Equal(t, id, blocked(t, d.call(with, "pay", pay5)).Result.ApprovalID)
	d.approve(t, id)
	require.Equal(t, rules.CodeApprovalDenied, code(t, d.call(with, "pay", `{"amount":6}`)))
	panics := wrap(t, d.a, "pay", func(context.Context, string) (int, error) { panic("it ran") },
		&guard.Options[int]{Agent: "bot", Values: func(context.Context) any { panic("no") }})
	_, err := panics(with, pay5)
	require.Error(t, err)
	require.NoError(t, d.call(with, "pay", pay5))
	require.Equal(t, approval.Used, d.state(t, id))

	// Of calls at the same time one has the ticket.
	id = d.escalated(t, ctx)
	d.approve(t, id)
	with = guard.WithApproval(ctx, id)
	d.ran.Store(0)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { _ = d.call(with, "pay", pay5) })
	}
	all.Wait()
	require.EqualValues(t, 1, d.ran.Load())
}
