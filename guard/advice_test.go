package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// Somebody to ask, and nothing to ask about: that is found when the tool is
// wrapped, and not when the first call is escalated.
func TestApproverWithoutApprovals(t *testing.T) {
	a := load(t, asking, nil)
	never := func(context.Context, string) (int, error) { panic("it ran") }
	for _, opts := range []*guard.Options[int]{
		{Agent: "bot", Approver: &human{answer: yes}},
		{Agent: "bot", Wait: true},
	} {
		tool, err := guard.Wrap(a, "pay", never, opts)
		require.ErrorContains(t, err, `guard: tool "pay": Options.Approver or Options.Wait is set`)
		require.ErrorContains(t, err, "set veto.Options.Approvals")
		_, err = tool(t.Context(), "{}")
		require.ErrorIs(t, err, veto.ErrDenied)
		_, err = guard.WrapJSON(a, "pay", func(context.Context, json.RawMessage) (int, error) { panic("it ran") }, opts)
		require.ErrorContains(t, err, "set veto.Options.Approvals")
		_, err = guard.WrapStream(a, "pay", streamOf[string, int](), opts)
		require.ErrorContains(t, err, "set veto.Options.Approvals")
		_, err = guard.Wrap(load(t, asking, &veto.Options{Approvals: newBook(t, nil, nil)}), "pay", never, opts)
		require.NoError(t, err)
	}
}

// brokenStore keeps no ticket.
type brokenStore struct{ approval.Memory }

func (*brokenStore) Create(context.Context, string, []byte) error { return errors.New("disk full") }

// A call that is escalated says to the model whether anybody was asked, and to
// the operator why nobody was. What is wrong with an approval is not the answer
// of a human.
func TestWhatStandsAgainstApprovals(t *testing.T) {
	const pay5 = `{"amount":5}`
	book := newBook(t, nil, nil)
	with, without := load(t, asking, &veto.Options{Approvals: book}), load(t, asking, nil)
	call := func(a *veto.Authorizer, ctx context.Context, params string) *guard.BlockedError {
		_, err := wrap(t, a, "pay", echo[string], bot[string]())(ctx, params)
		return blocked(t, err)
	}
	says := func(b *guard.BlockedError, code rules.Code, model, reason, err string) {
		t.Helper()
		require.Equal(t, code, b.Result.Code)
		require.Equal(t, model, b.Error())
		require.Equal(t, reason, b.Result.Reason.String())
		require.ErrorContains(t, b.Err, err)
	}
	const asks = `Tool 'pay' requires approval by policy "ask"`

	b := call(without, t.Context(), pay5)
	says(b, rules.CodeApprovalRequired, "This call needs the approval of a human, who has not been asked.", asks,
		"nobody was asked, as the Authorizer has no approvals; set veto.Options.Approvals")
	require.ErrorIs(t, b, veto.ErrEscalated)
	b = call(load(t, asking, &veto.Options{Approvals: newBook(t, &brokenStore{}, nil)}), t.Context(), pay5)
	says(b, rules.CodeApprovalRequired, "This call needs the approval of a human, who has not been asked.", asks, "no ticket could be opened")
	b = call(with, t.Context(), pay5)
	says(b, rules.CodeApprovalRequired, "This call needs the approval of a human, who has not answered yet.", asks, "approval_required")
	require.NotContains(t, b.Err.Error(), "nobody")
	id := b.Result.ApprovalID

	const invalid = "There is no valid approval of this call."
	says(call(without, guard.WithApproval(t.Context(), id), pay5), rules.CodeApprovalDenied, invalid,
		"Approval is not valid: the Authorizer has no approvals", "the Authorizer has no approvals")
	says(call(with, guard.WithApproval(t.Context(), "0192b6f0-0000-7000-8000-000000000000"), pay5), rules.CodeApprovalDenied, invalid,
		"Approval is not valid: there is no such approval", "there is no such approval")
	_, err := book.Ask(t.Context(), &human{answer: yes}, id)
	require.NoError(t, err)
	says(call(with, guard.WithApproval(t.Context(), id), `{"amount":6}`), rules.CodeApprovalDenied, invalid,
		"Approval is not valid: the approval is for another call", "the approval is for another call")
	_, err = wrap(t, with, "pay", echo[string], bot[string]())(guard.WithApproval(t.Context(), id), pay5)
	require.NoError(t, err)
	says(call(with, guard.WithApproval(t.Context(), id), pay5), rules.CodeApprovalExpired, "The approval of this call is no longer valid.",
		"Approval is no longer valid: the approval was used", "the approval was used")

	b = call(with, t.Context(), `{"amount":7}`)
	_, err = book.Ask(t.Context(), &human{answer: no}, b.Result.ApprovalID)
	require.ErrorIs(t, err, approval.ErrDenied)
	says(call(with, t.Context(), `{"amount":7}`), rules.CodeApprovalDenied, "A human did not approve this call.", "Approval was denied", "approval_denied")
}

// Whoever forgot the session is told how there comes to be one.
func TestSessionless(t *testing.T) {
	a := load(t, secretive, nil)
	tool := wrap(t, a, "free", echo[string], bot[string]())
	_, err := tool(t.Context(), "{}")
	b := blocked(t, err)
	require.Equal(t, rules.CodeSessionUnknown, b.Result.Code)
	require.ErrorContains(t, b.Err, "there is no session; open one with Authorizer.OpenSession, and set Options.Session or call with guard.WithSession")
	require.Equal(t, "This call is not permitted at this point.", err.Error())
	ctx := guard.WithSession(t.Context(), "s")
	_, err = tool(ctx, "{}")
	require.Equal(t, rules.CodeSessionUnknown, code(t, err))
	require.ErrorContains(t, blocked(t, err).Err, "the session is not open in this project; open it with Authorizer.OpenSession")
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	_, err = tool(ctx, "{}")
	require.Equal(t, rules.CodeSequenceViolated, code(t, err))
}
