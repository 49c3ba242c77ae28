package veto_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/rules"
)

// Arguments of any size can be asked about, whatever has to be escaped in them.
func TestArgumentsOfAnySizeAreAskedAbout(t *testing.T) {
	for _, filler := range []string{"x", "<", "\u200b", "\x7f", `\n`, "é"} {
		for size := 8<<10 - 40; size < 8<<10+20; size += 7 {
			o := newOffice(t, asks, nil)
			text := strings.Repeat(filler, size/len(filler))
			id := o.approved(paying(`{"to":"` + text + `"}`))
			require.Equal(t, rules.CodeAllowed, o.resumes(paying(`{"to":"`+text+`"}`), id), "%q %d", filler, size)
		}
	}
	o := newOffice(t, asks, nil)
	id := o.approved(paying(`{"to":"` + strings.Repeat("x", 60<<10) + `"}`))
	ticket, err := o.book.Get(ctx, id)
	require.NoError(t, err)
	require.Less(t, len(ticket.Parameters), 1<<10)
}

// What is allowed by a grant has nothing to wait for.
func TestGrantLeavesNoRetryAfter(t *testing.T) {
	o := newOffice(t, `
policies:
  - id: ask
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [pay]}
      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 1, windowSeconds: 60}, onViolation: require_approval}
`, nil)
	one := paying(`{"amount":1}`)
	_, err := o.a.Decide(ctx, one)
	require.NoError(t, err)
	o.grants(one, o.granting(2))
	r, err := o.a.Decide(ctx, one)
	require.NoError(t, err)
	require.Zero(t, r.RetryAfter)
}

// In the modes in which the tool runs all the same, nobody is asked: neither at
// first nor when another ticket is in hand.
func TestNobodyIsAskedInShadow(t *testing.T) {
	o := newOffice(t, asks, nil)
	id := o.approved(payment)
	a := newAuthorizer(t, parse(t, strings.Replace(asks, "Check", "Do check", 1)), &veto.Options{Mode: veto.Shadow, Approvals: o.book, Now: func() time.Time { return o.at }})
	_, r, err := a.ReserveApproved(ctx, payment, id)
	require.ErrorIs(t, err, veto.ErrEscalated)
	require.Empty(t, r.ApprovalID)
	all, err := o.book.List(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, approval.Approved, o.state(id))
}

// Of 64 callers that resume one call at the same moment one runs it, and
// limits count it once.
func TestAttack_E3_SixtyFourResume(t *testing.T) {
	o := newOffice(t, asks+"      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 2, windowSeconds: 60}}\n", nil)
	id := o.approved(payment)
	var ran atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if res, _, err := o.a.ReserveApproved(ctx, payment, id); err == nil {
				ran.Add(1)
				_ = res.Commit(ctx, "")
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, ran.Load())
	ticket, err := o.book.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, approval.Ran, ticket.Outcome)
	another := paying(`{"amount":6}`)
	require.Equal(t, rules.CodeAllowed, o.resumes(another, o.approved(another))) // one more, not two
	r, err := o.a.Decide(ctx, paying(`{"amount":7}`))
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeRateLimited, r.Code)
}
