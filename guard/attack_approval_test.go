package guard_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// pay5 is the call that these tests approve.
const pay5 = `{"amount":5}`

// whoPays is who makes it.
var whoPays = guard.Identity{Agent: "bot", Project: "p", Session: "s", User: "ann"}

// desk is an Authorizer that asks, with what belongs to it.
type desk struct {
	a       *veto.Authorizer
	book    *approval.Book
	clock   *clock
	records *audit.Memory
	ran     atomic.Int64
}

func newDesk(t testing.TB, document string) *desk {
	t.Helper()
	d := &desk{clock: newClock(), records: audit.NewMemory(nil)}
	d.book = newBook(t, nil, d.clock.now)
	d.a = load(t, document, &veto.Options{Approvals: d.book, Sink: d.records, Now: d.clock.now})
	return d
}

// call makes a call through a guard of a tool that counts.
func (d *desk) call(ctx context.Context, tool, params string) error {
	guarded, err := guard.Wrap(d.a, tool, func(context.Context, string) (int, error) { d.ran.Add(1); return 0, nil }, nil)
	if err == nil {
		_, err = guarded(ctx, params)
	}
	return err
}

// escalated makes the call and returns its ticket.
func (d *desk) escalated(t testing.TB, ctx context.Context) string {
	t.Helper()
	err := d.call(ctx, "pay", pay5)
	require.ErrorIs(t, err, veto.ErrEscalated)
	id := blocked(t, err).Result.ApprovalID
	require.NotEmpty(t, id)
	return id
}

func (d *desk) approve(t testing.TB, id string) {
	t.Helper()
	require.NoError(t, d.book.Answer(context.Background(), id, yes))
}

func (d *desk) state(t testing.TB, id string) approval.State {
	t.Helper()
	ticket, err := d.book.Get(context.Background(), id)
	require.NoError(t, err)
	return ticket.State
}

// E1: what was approved is one call: of this agent, tool, arguments, project,
// session and user, under this policy. Any other is refused, and leaves the
// ticket as it was. https://nvd.nist.gov/vuln/detail/CVE-2025-54136
func TestAttack_E1_ApproveOneThingRunAnother(t *testing.T) {
	everyone := strings.ReplaceAll(asking, "agentId: bot", `agentId: "*"`)
	everyone = strings.ReplaceAll(everyone, "tools: [pay]", "tools: [pay, pay2]")
	other := func(change func(*guard.Identity)) guard.Identity {
		id := whoPays
		change(&id)
		return id
	}
	for name, c := range map[string]struct {
		who          guard.Identity
		tool, params string
		policy       string
		want         rules.Code
	}{
		"agent":       {who: other(func(i *guard.Identity) { i.Agent = "bot2" })},
		"project":     {who: other(func(i *guard.Identity) { i.Project = "q" })},
		"no project":  {who: guard.Identity{Agent: "bot", Session: "s", User: "ann"}},
		"session":     {who: other(func(i *guard.Identity) { i.Session = "s2" })},
		"user":        {who: other(func(i *guard.Identity) { i.User = "eve" })},
		"tool":        {tool: "pay2"},
		"case":        {tool: "PAY"},
		"amount":      {params: `{"amount":50}`},
		"close":       {params: `{"amount":5.0000000000000000000001}`},
		"type":        {params: `{"amount":"5"}`},
		"one more":    {params: `{"amount":5,"to":"eve"}`},
		"one in null": {params: `{"amount":5,"to":null}`},
		"none":        {params: ``},
		"forbidden":   {params: `{"amount":500}`},
		"policy":      {policy: strings.ReplaceAll(everyone, "max: 100", "max: 99"), want: rules.CodeApprovalRequired},
		"message":     {policy: strings.ReplaceAll(everyone, "Check the order first.", "Check."), want: rules.CodeApprovalRequired},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, everyone)
			ctx := guard.WithIdentity(t.Context(), whoPays)
			id := d.escalated(t, ctx)
			d.approve(t, id)
			with := guard.WithApproval(ctx, id)
			if c.who != (guard.Identity{}) {
				with = guard.WithApproval(guard.WithIdentity(t.Context(), c.who), id)
			}
			tool, params, want := "pay", pay5, c.want
			if c.tool != "" {
				tool = c.tool
			}
			if c.params != "" || name == "none" {
				params = c.params
			}
			if want == 0 {
				want = rules.CodeApprovalDenied
			}
			if c.policy != "" {
				reload(t, d.a, c.policy)
			}
			err := d.call(with, tool, params)
			require.Equal(t, want, code(t, err))
			require.Zero(t, d.ran.Load())
			require.Equal(t, approval.Approved, d.state(t, id))
			if c.policy != "" {
				require.NotEqual(t, id, blocked(t, err).Result.ApprovalID, "it is a question anew")
				reload(t, d.a, everyone)
			}
			// The call that was approved runs all the same, in whatever text.
			require.NoError(t, d.call(guard.WithApproval(ctx, id), "pay", ` { "amount" : 5.0 } `))
			require.EqualValues(t, 1, d.ran.Load())
		})
	}
	// The call id is no part of it: the call that is made again has another.
	d := newDesk(t, everyone)
	id := d.escalated(t, guard.WithCallID(guard.WithIdentity(t.Context(), whoPays), "call-1"))
	d.approve(t, id)
	require.NoError(t, d.call(guard.WithApproval(guard.WithCallID(guard.WithIdentity(t.Context(), whoPays), "call-2"), id), "pay", pay5))
}

// E2: a ticket is used once, in its time, and by nobody at the same moment.
func TestAttack_E2_ReplayExpiryAndRaces(t *testing.T) {
	ctx := guard.WithIdentity(t.Context(), whoPays)
	t.Run("replay", func(t *testing.T) {
		d := newDesk(t, asking)
		id := d.escalated(t, ctx)
		d.approve(t, id)
		require.NoError(t, d.call(guard.WithApproval(ctx, id), "pay", pay5))
		for range 3 {
			err := d.call(guard.WithApproval(ctx, id), "pay", pay5)
			require.Equal(t, rules.CodeApprovalExpired, code(t, err))
			require.Contains(t, blocked(t, err).Err.Error(), "used")
		}
		require.EqualValues(t, 1, d.ran.Load())
		require.NotEqual(t, id, d.escalated(t, ctx), "the next call is one to ask about")
	})
	t.Run("not approved", func(t *testing.T) {
		d := newDesk(t, asking)
		id := d.escalated(t, ctx)
		require.Equal(t, rules.CodeApprovalRequired, code(t, d.call(guard.WithApproval(ctx, id), "pay", pay5)))
		require.NoError(t, d.book.Answer(ctx, id, no))
		require.Equal(t, rules.CodeApprovalDenied, code(t, d.call(guard.WithApproval(ctx, id), "pay", pay5)))
		for _, unknown := range []string{"apr_none", "", id + "x", "../" + id, strings.Repeat("x", 1000)} {
			require.Equal(t, rules.CodeApprovalDenied, code(t, d.call(guard.WithApproval(ctx, unknown), "pay", pay5)), unknown)
		}
		require.Zero(t, d.ran.Load())
	})
	t.Run("expiry", func(t *testing.T) {
		d := newDesk(t, asking)
		id := d.escalated(t, ctx)
		d.approve(t, id)
		d.clock.add(time.Hour - time.Millisecond)
		require.Equal(t, approval.Approved, d.state(t, id))
		d.clock.add(time.Millisecond)
		require.Equal(t, rules.CodeApprovalExpired, code(t, d.call(guard.WithApproval(ctx, id), "pay", pay5)))
		d.clock.add(-time.Minute)
		require.Equal(t, rules.CodeApprovalExpired, code(t, d.call(guard.WithApproval(ctx, id), "pay", pay5)), "time does not come back")
		require.Zero(t, d.ran.Load())
	})
	t.Run("revoked", func(t *testing.T) {
		d := newDesk(t, asking)
		id := d.escalated(t, ctx)
		d.approve(t, id)
		require.NoError(t, d.book.Revoke(ctx, id))
		require.Equal(t, rules.CodeApprovalDenied, code(t, d.call(guard.WithApproval(ctx, id), "pay", pay5)))
		require.Zero(t, d.ran.Load())
	})
	t.Run("at once", func(t *testing.T) {
		d := newDesk(t, asking)
		for range 5 {
			id := d.escalated(t, ctx)
			d.approve(t, id)
			d.ran.Store(0)
			var wg sync.WaitGroup
			var allowed atomic.Int64
			for range 8 {
				wg.Go(func() {
					if d.call(guard.WithApproval(ctx, id), "pay", pay5) == nil {
						allowed.Add(1)
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, 1, allowed.Load())
			require.EqualValues(t, 1, d.ran.Load())
		}
	})
	t.Run("of another store", func(t *testing.T) {
		d, other := newDesk(t, asking), newDesk(t, asking)
		id := d.escalated(t, ctx)
		d.approve(t, id)
		require.Equal(t, rules.CodeApprovalDenied, code(t, other.call(guard.WithApproval(ctx, id), "pay", pay5)))
	})
}

// E3: a framework that resumes calls the guard twice, before and after the
// answer: the limit is counted once, and the ticket spent once.
func TestAttack_E3_ResumedFrameworkCallsTwice(t *testing.T) {
	d := newDesk(t, asking+`      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 2, windowSeconds: 3600}}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 10, windowSeconds: 3600}}
`)
	ctx := guard.WithIdentity(t.Context(), whoPays)
	for n := 1; n <= 2; n++ {
		id := d.escalated(t, ctx)
		for range 5 {
			require.Equal(t, id, d.escalated(t, ctx))
		}
		d.approve(t, id)
		require.Equal(t, id, d.escalated(t, ctx), "without the ticket in hand it waits still")
		require.NoError(t, d.call(guard.WithApproval(ctx, id), "pay", pay5))
		require.EqualValues(t, n, d.ran.Load())
		require.Equal(t, approval.Used, d.state(t, id))
	}
	require.Equal(t, rules.CodeRateLimited, code(t, d.call(ctx, "pay", pay5)), "the limit stands before the question")
	tickets, err := d.book.List(ctx)
	require.NoError(t, err)
	require.Len(t, tickets, 2)
	require.Equal(t, []approval.Outcome{approval.Ran, approval.Ran}, outcomes(t, d.book))
}

// That the caller has left while the tool ran is no reason to forget what came
// of it.
func TestOutcomeOfACallThatNobodyWaitsFor(t *testing.T) {
	d := newDesk(t, asking)
	ctx, cancel := context.WithCancel(guard.WithIdentity(t.Context(), whoPays))
	id := d.escalated(t, ctx)
	d.approve(t, id)
	tool := wrap(t, d.a, "pay", func(context.Context, string) (int, error) { cancel(); return 0, nil }, bot[int]())
	_, err := tool(guard.WithApproval(ctx, id), pay5)
	require.NoError(t, err)
	require.Equal(t, []approval.Outcome{approval.Ran}, outcomes(t, d.book))
}

// The ticket is for the call under whose context it is, and not for calls that
// the tool makes: those are asked about as ever.
func TestApprovalIsNotHandedToInnerCalls(t *testing.T) {
	d := newDesk(t, asking+`      - {type: tool_allowlist, tools: [log]}
`)
	ctx := guard.WithIdentity(t.Context(), whoPays)
	id := d.escalated(t, ctx)
	d.approve(t, id)
	outer := wrap(t, d.a, "pay", func(ctx context.Context, _ string) (int, error) {
		require.NoError(t, d.call(ctx, "log", "{}"))
		require.Equal(t, rules.CodeApprovalRequired, code(t, d.call(ctx, "pay", pay5)))
		return 1, nil
	}, bot[int]())
	n, err := outer(guard.WithApproval(ctx, id), pay5)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}
