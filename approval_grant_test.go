package veto_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/rules"
)

// granting is an answer that permits n more calls of up to 10, for an hour.
func (o *office) granting(n int) *approval.Grant {
	return &approval.Grant{
		Parameters: map[string]rules.Constraint{"amount": {Max: number("10")}, "note": {Optional: true}},
		Until:      o.at.Add(time.Hour), Times: n,
	}
}

// grants makes the call and answers it with a grant.
func (o *office) grants(call veto.Call, g *approval.Grant) string {
	o.Helper()
	id := o.asks(call)
	o.answers(id, approval.Answer{Approve: true, By: "klara", Grant: g})
	return id
}

// passes makes the call, which must be allowed under the grant.
func (o *office) passes(call veto.Call, grant string) {
	o.Helper()
	r, err := o.a.Decide(ctx, call)
	require.NoError(o, err)
	require.Equal(o, grant, r.ApprovalID)
	require.Equal(o, grant, o.last().ApprovalID)
	require.Equal(o, rules.CodeAllowed, o.last().Code)
	require.Equal(o, "ask", r.MatchedPolicyID)
}

func paying(params any) veto.Call {
	call := payment
	call.Parameters = params
	return call
}

// A grant covers calls whose arguments keep its constraints, and no others:
// those are asked about, and take nothing of it.
func TestGrantCovers(t *testing.T) {
	o := newOffice(t, asks, nil)
	id := o.grants(payment, o.granting(5))
	o.passes(paying(`{"amount":1}`), id)
	o.passes(paying(map[string]any{"amount": 10.0, "note": "x"}), id)
	for _, other := range []any{
		`{"amount":11}`, `{"amount":"1"}`, `{"amount":null}`, `{}`, nil, `{"note":"x"}`, `{"amount":1,"to":"eve"}`, `{"amount":1,"note":null}`, `{"Amount":1}`,
	} {
		require.NotEqual(t, id, o.asks(paying(other)), "%v", other)
	}
	elsewhere := paying(`{"amount":1}`)
	elsewhere.Session = "s2"
	o.asks(elsewhere)
	elsewhere = paying(`{"amount":1}`)
	elsewhere.User = "eve"
	o.asks(elsewhere)
	elsewhere = paying(`{"amount":1}`)
	elsewhere.Project = ""
	o.asks(elsewhere)
	live, err := o.book.Grants(ctx, mustTicket(t, o, id).Binding)
	require.NoError(t, err)
	require.Len(t, live, 1)
	require.Equal(t, 3, live[0].Left)
	// The call that was asked about runs under its ticket besides.
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, id))
	require.Equal(t, id, o.last().ApprovalID)
}

func mustTicket(t *testing.T, o *office, id string) approval.Ticket {
	t.Helper()
	ticket, err := o.book.Get(ctx, id)
	require.NoError(t, err)
	return ticket
}

// A grant covers so many calls, until its end, and not when it was revoked or
// the policy has changed.
func TestGrantEnds(t *testing.T) {
	one := paying(`{"amount":1}`)
	o := newOffice(t, asks, nil)
	id := o.grants(payment, o.granting(3))
	for range 3 {
		o.passes(one, id)
	}
	o.asks(one)

	o = newOffice(t, asks, nil)
	id = o.grants(payment, o.granting(3))
	o.at = o.at.Add(time.Hour - time.Millisecond)
	o.passes(one, id)
	o.at = o.at.Add(time.Millisecond)
	o.asks(one)

	o = newOffice(t, asks, nil)
	id = o.grants(payment, o.granting(3))
	o.passes(one, id)
	require.NoError(t, o.book.Revoke(ctx, id))
	o.asks(one)

	o = newOffice(t, asks, nil)
	id = o.grants(payment, o.granting(3))
	o.reload(asks + "      - {type: tool_denylist, tools: [other]}\n")
	o.asks(one)
	o.reload(asks)
	o.passes(one, id)
}

// A grant for every session is one; an empty one covers calls without
// arguments.
func TestGrantOfEverySessionAndOfNoArguments(t *testing.T) {
	o := newOffice(t, asks, nil)
	g := o.granting(3)
	g.AnySession = true
	id := o.grants(payment, g)
	elsewhere := paying(`{"amount":1}`)
	elsewhere.Session = "s2"
	o.passes(elsewhere, id)

	o = newOffice(t, asks, nil)
	id = o.grants(paying(nil), &approval.Grant{Parameters: map[string]rules.Constraint{}, Until: o.at.Add(time.Hour), Times: 3})
	o.passes(paying("{}"), id)
	o.passes(paying(nil), id)
	o.asks(paying(`{"amount":1}`))
}

// A call under a grant is decided in full: limits count it, and what denies it
// takes nothing of the grant.
func TestGrantIsDecidedInFull(t *testing.T) {
	o := newOffice(t, asks+`      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 2, windowSeconds: 60}}
      - {type: parameter_constraint, tools: [pay], parameters: {amount: {max: 7}}}
`, nil)
	one := paying(`{"amount":1}`)
	id := o.grants(payment, o.granting(3))
	o.passes(one, id)
	o.passes(one, id)
	for range 3 {
		r, err := o.a.Decide(ctx, one)
		require.ErrorIs(t, err, veto.ErrDenied)
		require.Equal(t, rules.CodeRateLimited, r.Code)
	}
	o.at = o.at.Add(time.Minute)
	r, _ := o.a.Decide(ctx, paying(`{"amount":8}`))
	require.Equal(t, rules.CodeConstraintViolated, r.Code, "though the grant would")
	o.passes(one, id)
	o.asks(one)
	// What was not covered took nothing either.
	o.at = o.at.Add(time.Minute)
	o.asks(paying(`{"amount":7,"to":"ann"}`))
}

// A grant given for a soft limit covers calls past it, and only what that
// policy asks about.
func TestGrantOfASoftLimit(t *testing.T) {
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
	id := o.grants(one, o.granting(2))
	o.passes(one, id)
	o.passes(one, id)
	o.asks(paying(`{"amount":2}`))
	// Where the limit has room, the grant is not touched.
	o = newOffice(t, asks, nil)
	o.grants(payment, o.granting(2))
	o.reload("policies:\n  - {id: all, agentId: bot, rules: [{type: tool_allowlist, tools: [pay]}]}\n")
	r, err := o.a.Decide(ctx, one)
	require.NoError(t, err)
	require.Empty(t, r.ApprovalID)
}

// Constraints that need what only a policy has are no part of a grant: it
// would cover nothing.
func TestGrantsKnowNoLists(t *testing.T) {
	for _, c := range []rules.Constraint{{InList: "staff"}, {Expression: "value < 3"}} {
		o := newOffice(t, asks, nil)
		g := o.granting(3)
		g.Parameters["amount"] = c
		id := o.asks(payment)
		require.ErrorContains(t, o.book.Answer(ctx, id, approval.Answer{Approve: true, By: "klara", Grant: g}), `"amount"`)
	}
}

// Two grants: the older is used up first, and then the other.
func TestTwoGrants(t *testing.T) {
	o := newOffice(t, asks, nil)
	one := paying(`{"amount":1}`)
	first := o.asks(payment)
	o.at = o.at.Add(time.Millisecond)
	second := o.asks(paying(`{"amount":6}`))
	for _, id := range []string{first, second} {
		o.answers(id, approval.Answer{Approve: true, By: "klara", Grant: o.granting(1)})
	}
	o.passes(one, first)
	o.passes(one, second)
	o.asks(one)
}
