package guard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// suspendingSink suspends the agent while a decision is recorded: after it was
// made and before the tool begins.
type suspendingSink struct {
	a     *veto.Authorizer
	agent string
	audit.Memory
}

func (s *suspendingSink) Record(ctx context.Context, r *audit.Record) error {
	if r.Result == rules.Allowed {
		s.a.Suspend(s.agent)
	}
	return s.Memory.Record(ctx, r)
}

const suspendedDoc = `
agents: [{id: bot, status: %s}, {id: other, status: active}]
policies:
  - id: all
    agentId: "*"
    rules: [{type: tool_allowlist, tools: ["*"]}]
`

// Whatever stops the agent ends the contexts of its tools that run, and of no
// others.
func TestSuspensionEndsRunningTools(t *testing.T) {
	for name, stop := range map[string]func(*testing.T, *veto.Authorizer){
		"Suspend":             func(_ *testing.T, a *veto.Authorizer) { a.Suspend("bot") },
		"Suspend of a prefix": func(_ *testing.T, a *veto.Authorizer) { a.Suspend("b*") },
		"SuspendAll":          func(_ *testing.T, a *veto.Authorizer) { a.SuspendAll() },
		"status suspended":    func(t *testing.T, a *veto.Authorizer) { reload(t, a, fmt.Sprintf(suspendedDoc, "suspended")) },
		"status revoked":      func(t *testing.T, a *veto.Authorizer) { reload(t, a, fmt.Sprintf(suspendedDoc, "revoked")) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := load(t, fmt.Sprintf(suspendedDoc, "active"), nil)
				ended := make(chan error, 3)
				tool := wrap(t, a, "t", func(ctx context.Context, _ flat) (int, error) {
					<-ctx.Done()
					return 1, context.Cause(ctx)
				}, &guard.Options[int]{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				for _, agent := range []string{"bot", "bot", "other"} {
					go func() {
						_, err := tool(guard.WithAgent(ctx, agent), flat{})
						ended <- err
					}()
				}
				synctest.Wait()
				require.Empty(t, ended)
				stop(t, a)
				synctest.Wait()
				others := 0
				if name == "SuspendAll" {
					others = 1
				}
				require.Len(t, ended, 2+others)
				require.Equal(t, veto.ErrSuspended, <-ended)
				require.Equal(t, veto.ErrSuspended, <-ended)
				_, err := tool(guard.WithAgent(ctx, "bot"), flat{})
				require.ErrorIs(t, err, veto.ErrDenied)
				cancel()
				if others == 0 {
					require.Equal(t, context.Canceled, <-ended)
				}
			})
		})
	}
}

// A resumed agent calls again, also under a context under which it was
// suspended.
func TestResume(t *testing.T) {
	a := load(t, everything, nil)
	tool := wrap(t, a, "t", func(ctx context.Context, _ flat) (int, error) { return 1, context.Cause(ctx) }, bot[int]())
	ctx := t.Context()
	for range 3 {
		_, err := tool(ctx, flat{})
		require.NoError(t, err)
		a.Suspend("bot")
		_, err = tool(ctx, flat{})
		require.Equal(t, rules.CodeAgentSuspended, code(t, err))
		a.Resume("bot")
	}
}

// No tool begins after the agent was suspended, also where the decision was
// made before.
func TestSuspensionBetweenDecisionAndRun(t *testing.T) {
	for _, mode := range []veto.Mode{veto.Enforce, veto.Shadow, veto.Log} {
		s := &suspendingSink{agent: "bot"}
		a := load(t, everything, &veto.Options{Sink: s, Mode: mode})
		s.a = a
		ran := false
		tool, err := guard.WrapJSON(a, "t", func(context.Context, flat) (int, error) { ran = true; return 0, nil }, bot[int]())
		require.NoError(t, err)
		_, err = tool(t.Context(), json.RawMessage(`{}`))
		b := blocked(t, err)
		require.ErrorIs(t, err, veto.ErrDenied)
		require.ErrorIs(t, err, veto.ErrSuspended)
		require.Equal(t, rules.CodeAgentSuspended, b.Result.Code)
		require.Equal(t, "Agent is suspended", b.Result.Reason.String())
		require.Equal(t, last(t, &s.Memory).ID, b.Result.DecisionID)
		require.False(t, ran)
	}
}

// The ticket of such a call is spent, and its record says that it did not run.
func TestSuspensionAfterTheTicketWasUsed(t *testing.T) {
	s := &suspendingSink{agent: "bot"}
	book := newBook(t, nil, nil)
	a := load(t, asking, &veto.Options{Sink: s, Approvals: book})
	s.a = a
	tool := wrap(t, a, "pay", func(context.Context, string) (int, error) { panic("it ran") }, &guard.Options[int]{Agent: "bot", Approver: &human{answer: yes}})
	_, err := tool(t.Context(), `{"amount":5}`)
	require.ErrorIs(t, err, veto.ErrSuspended)
	tickets, err := book.List(t.Context())
	require.NoError(t, err)
	require.Len(t, tickets, 1)
	require.Equal(t, approval.Used, tickets[0].State)
	require.Equal(t, approval.NotRun, tickets[0].Outcome)
}

// A suspension ends waiting for a human too.
func TestSuspensionWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := newBook(t, nil, nil)
		a := load(t, asking, &veto.Options{Approvals: book})
		tool := wrap(t, a, "pay", func(context.Context, string) (int, error) { panic("it ran") }, &guard.Options[int]{Agent: "bot", Wait: true})
		done := make(chan error, 1)
		go func() {
			_, err := tool(t.Context(), `{"amount":5}`)
			done <- err
		}()
		synctest.Wait()
		require.Empty(t, done)
		a.Suspend("bot")
		require.ErrorIs(t, <-done, veto.ErrEscalated)
		pending, err := book.List(t.Context(), approval.Pending)
		require.NoError(t, err)
		require.Len(t, pending, 1)
	})
}
