package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// E3a: a hundred equal escalations of one loop are one question; and of
// different ones twenty are put to a human.
func TestAttack_E3a_OneTicketAndACap(t *testing.T) {
	d := newDesk(t, asking)
	ctx := guard.WithIdentity(t.Context(), whoPays)
	id := d.escalated(t, ctx)
	for range 100 {
		require.Equal(t, id, d.escalated(t, ctx))
	}
	for n := 1; n < approval.MaxPendingPerAgent; n++ {
		err := d.call(ctx, "pay", fmt.Sprintf(`{"amount":5,"n":%d}`, n))
		require.ErrorIs(t, err, veto.ErrEscalated)
	}
	err := d.call(ctx, "pay", `{"amount":5,"n":"one more"}`)
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeApprovalLimit, code(t, err))
	require.Equal(t, "This call is over a limit.", err.Error())
	require.Equal(t, id, d.escalated(t, ctx), "the questions that are put stand")
	// An answer makes room.
	require.NoError(t, d.book.Answer(ctx, id, no))
	require.ErrorIs(t, d.call(ctx, "pay", `{"amount":5,"n":"one more"}`), veto.ErrEscalated)
	require.Equal(t, rules.CodeApprovalDenied, code(t, d.call(ctx, "pay", pay5)), "and no stays no")
}

// E3a: files that the agent's own tool wrote into the directory of the tickets
// approve nothing.
func TestAttack_E3a_FilesOfTheAgent(t *testing.T) {
	home := filepath.Join(t.TempDir(), "tickets")
	dir, err := approval.OpenDir(home)
	require.NoError(t, err)
	defer dir.Close()
	c := newClock()
	ctx := guard.WithIdentity(t.Context(), whoPays)
	d := &desk{book: newBook(t, dir, c.now), clock: c}
	d.a = load(t, asking, &veto.Options{Approvals: d.book, Now: c.now})
	id := d.escalated(t, ctx)

	// What a true approval of another call looks like.
	require.ErrorIs(t, d.call(ctx, "pay", `{"amount":1}`), veto.ErrEscalated)
	tickets, err := d.book.List(ctx)
	require.NoError(t, err)
	require.Len(t, tickets, 2)
	other := tickets[0].ID
	if other == id {
		other = tickets[1].ID
	}
	before, err := os.ReadDir(home)
	require.NoError(t, err)
	d.approve(t, other)
	after, err := os.ReadDir(home)
	require.NoError(t, err)
	had := make(map[string]bool)
	for _, f := range before {
		had[f.Name()] = true
	}
	forged := 0
	for _, f := range after {
		if had[f.Name()] || !strings.Contains(f.Name(), other) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(home, f.Name()))
		require.NoError(t, err)
		name := filepath.Join(home, strings.ReplaceAll(f.Name(), other, id))
		for _, text := range []string{string(data), strings.ReplaceAll(string(data), other, id), `{"approve":true,"by":"klara"}`, ""} {
			require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
			for _, book := range []*approval.Book{d.book, newBook(t, dir, c.now)} { // also after a restart
				forger := &desk{book: book, clock: c, a: load(t, asking, &veto.Options{Approvals: book, Now: c.now})}
				err := forger.call(guard.WithApproval(ctx, id), "pay", pay5)
				require.Error(t, err)
				require.Zero(t, forger.ran.Load())
			}
			forged++
			require.NoError(t, os.Remove(name))
		}
	}
	require.NotZero(t, forged)

	// Nor does a ticket that it made up.
	ticket, err := json.Marshal(tickets[0])
	require.NoError(t, err)
	evil := id[:len(id)-4] + "0000"
	require.NoError(t, os.WriteFile(filepath.Join(home, evil+".ticket"), ticket, 0o600))
	err = d.call(guard.WithApproval(ctx, evil), "pay", pay5)
	require.Equal(t, rules.CodeApprovalDenied, code(t, err))
	require.Zero(t, d.ran.Load())
	_, err = d.book.List(ctx)
	require.ErrorContains(t, err, evil)
}

// E4: no answer in time is no.
func TestAttack_E4_TimeoutIsADenial(t *testing.T) {
	for name, c := range map[string]struct {
		wait time.Duration // of the caller; 0: as long as it takes
		want rules.Code
	}{
		"the caller's": {10 * time.Minute, rules.CodeApprovalRequired},
		"the ticket's": {0, rules.CodeApprovalExpired},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				book := newBook(t, nil, nil)
				a := load(t, asking, &veto.Options{Approvals: book})
				tool := wrap(t, a, "pay", func(context.Context, string) (int, error) { panic("it ran") }, &guard.Options[int]{Agent: "bot", Wait: true})
				ctx := t.Context()
				if c.wait > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.wait)
					defer cancel()
				}
				_, err := tool(ctx, pay5)
				require.Equal(t, c.want, code(t, err))
			})
		})
	}
	t.Run("an approver that fails", func(t *testing.T) {
		d := newDesk(t, asking)
		tool := wrap(t, d.a, "pay", func(context.Context, string) (int, error) { panic("it ran") },
			&guard.Options[int]{Agent: "bot", Approver: &human{err: errors.New("nobody is there"), answer: yes}})
		_, err := tool(t.Context(), pay5)
		require.ErrorIs(t, err, veto.ErrEscalated)
		require.Equal(t, approval.Pending, d.state(t, blocked(t, err).Result.ApprovalID))
	})
}

// E4: the agent cannot approve what it does itself, in whatever spelling.
func TestAttack_E4_ApproverIsTheAgent(t *testing.T) {
	for _, by := range []string{"bot", "BOT", "", "a\nb"} {
		d := newDesk(t, asking)
		tool := wrap(t, d.a, "pay", func(context.Context, string) (int, error) { panic("it ran") },
			&guard.Options[int]{Agent: "bot", Approver: &human{answer: approval.Answer{Approve: true, By: by}}})
		_, err := tool(t.Context(), pay5)
		require.ErrorIs(t, err, veto.ErrEscalated, "%q", by)
	}
}

// Wait runs the tool as soon as somebody has approved, and denies when somebody
// said no.
func TestWait(t *testing.T) {
	for name, answer := range map[string]approval.Answer{"yes": yes, "no": no} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				book := newBook(t, nil, nil)
				a := load(t, asking, &veto.Options{Approvals: book})
				tool := wrap(t, a, "pay", echo[string], &guard.Options[string]{Agent: "bot", Wait: true})
				go func() {
					time.Sleep(20 * time.Minute)
					pending, err := book.List(t.Context(), approval.Pending)
					require.NoError(t, err)
					require.Len(t, pending, 1)
					require.NoError(t, book.Answer(t.Context(), pending[0].ID, answer))
				}()
				start := time.Now()
				_, err := tool(t.Context(), pay5)
				require.Equal(t, answer.Approve, err == nil)
				require.Equal(t, 20*time.Minute, time.Since(start))
				if !answer.Approve {
					require.ErrorIs(t, err, veto.ErrDenied)
					require.Equal(t, rules.CodeApprovalDenied, code(t, err))
					require.Equal(t, "A human did not approve this call.", err.Error())
				}
			})
		})
	}
}

// A call that is made again under a ticket that nobody has answered yet waits,
// or asks, as the first did.
func TestWaitUnderATicketThatIsPending(t *testing.T) {
	d := newDesk(t, asking)
	ctx := guard.WithIdentity(t.Context(), whoPays)
	id := d.escalated(t, ctx)
	h := &human{answer: yes}
	tool := wrap(t, d.a, "pay", echo[string], &guard.Options[string]{Agent: "bot", Approver: h})
	_, err := tool(guard.WithApproval(ctx, id), pay5)
	require.NoError(t, err)
	require.Equal(t, 1, h.asked)
	require.Equal(t, approval.Used, d.state(t, id))

	synctest.Test(t, func(t *testing.T) {
		book := newBook(t, nil, nil)
		a := load(t, asking, &veto.Options{Approvals: book})
		_, err := wrap(t, a, "pay", echo[string], bot[string]())(t.Context(), pay5)
		id := blocked(t, err).Result.ApprovalID
		answered := make(chan error, 1)
		time.AfterFunc(time.Minute, func() { answered <- book.Answer(t.Context(), id, no) })
		_, err = wrap(t, a, "pay", echo[string], &guard.Options[string]{Agent: "bot", Wait: true})(guard.WithApproval(t.Context(), id), pay5)
		require.Equal(t, rules.CodeApprovalDenied, code(t, err))
		require.NoError(t, <-answered)
	})
}

// Two policies that ask are two questions, one after the other. One above the
// other is one: what it covers counts as its grant, and the lower one is not
// reached.
func TestTwoQuestions(t *testing.T) {
	for _, c := range []struct{ priority, asked int }{{0, 2}, {5, 1}} {
		d := newDesk(t, asking+fmt.Sprintf(`  - id: second
    agentId: bot
    priority: %d
    rules: [{type: require_approval, tools: [pay]}]
`, c.priority))
		h := &human{answer: yes}
		tool := wrap(t, d.a, "pay", echo[string], &guard.Options[string]{Agent: "bot", Approver: h})
		_, err := tool(t.Context(), pay5)
		require.NoError(t, err)
		require.Equal(t, c.asked, h.asked)
		require.Len(t, outcomes(t, d.book), c.asked)

		// Made again by hand, it is the same: under both tickets at last.
		ctx := guard.WithAgent(t.Context(), "bot")
		var ids []string
		for range c.asked {
			err := d.call(guard.WithApproval(ctx, ids...), "pay", pay5)
			require.ErrorIs(t, err, veto.ErrEscalated)
			ids = append(ids, blocked(t, err).Result.ApprovalID)
			d.approve(t, ids[len(ids)-1])
		}
		require.NoError(t, d.call(guard.WithApproval(ctx, ids...), "pay", pay5))
		require.EqualValues(t, 1, d.ran.Load())
	}
}
