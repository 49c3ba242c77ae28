package veto_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
)

// Whatever a policy puts to a human instead of denying it, the ticket covers;
// and nothing of the same kind that denies.
func TestWhatTicketsCover(t *testing.T) {
	const allow = `
policies:
  - id: ask
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [pay, look]}
`
	look := payment
	look.Tool = "look"
	for name, c := range map[string]struct {
		rule   string // of the policy that asks
		before []veto.Call
		once   bool // the same call is permitted after it
	}{
		"constraint":  {rule: `{type: parameter_constraint, tools: [pay], parameters: {amount: {max: 4}}, onViolation: require_approval}`},
		"rate limit":  {rule: `{type: rate_limit, tools: [pay], rateLimit: {maxCalls: 1, windowSeconds: 60}, onViolation: require_approval}`, before: []veto.Call{payment}},
		"budget":      {rule: `{type: budget, tools: [pay], budget: {parameter: amount, max: 4, windowSeconds: 60}, onViolation: require_approval}`},
		"session":     {rule: `{type: budget, tools: [pay], budget: {cost: 3, max: 4, perSession: true}, onViolation: require_approval}`, before: []veto.Call{payment}},
		"distinct":    {rule: `{type: budget, tools: [pay], budget: {distinct: amount, max: 1, windowSeconds: 60}, onViolation: require_approval}`, before: []veto.Call{{AgentID: "bot", Tool: "pay", Parameters: `{"amount":6}`, Project: "p", Session: "s", User: "ann"}}, once: true},
		"requires":    {rule: `{type: sequence, tools: [pay], sequence: {requires: [{tools: [check]}]}, onViolation: require_approval}`},
		"blocked":     {rule: `{type: sequence, tools: [pay], sequence: {blockedBy: [{tools: [look]}]}, onViolation: require_approval}`, before: []veto.Call{look}},
		"time window": {rule: `{type: time_based, tools: [pay], timeWindow: {allowedHours: [3]}, onViolation: require_approval}`},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, allow+"      - "+c.rule+"\n", nil)
			require.NoError(t, o.a.OpenSession(ctx, "p", "s"))
			for _, call := range c.before {
				_, err := o.a.Decide(ctx, call)
				require.NoError(t, err)
			}
			id := o.asks(payment)
			require.Equal(t, rules.CodeApprovalRequired, o.resumes(payment, id))
			o.answers(id, klara)
			require.Equal(t, rules.CodeAllowed, o.resumes(payment, id))
			if c.once {
				return
			}
			require.NotEqual(t, id, o.asks(payment), "the next is asked about anew")

			// The same rule, where it denies, is another policy: the ticket of
			// the old one is no help.
			id = o.approved(payment)
			o.reload(allow + "      - " + strings.Replace(c.rule, ", onViolation: require_approval", "", 1) + "\n")
			r, err := o.a.Decide(ctx, payment)
			require.ErrorIs(t, err, veto.ErrDenied)
			require.Equal(t, r.Code, o.resumes(payment, id))
			require.Equal(t, approval.Approved, o.state(id))
		})
	}
}

// A hard violation in the policy of the ticket, or an unknown session, denies
// though the ticket is there. What is hard is not asked about to begin with.
func TestWhatTicketsDoNotCover(t *testing.T) {
	const both = `
policies:
  - id: ask
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [pay]}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 4, perSession: true}, onViolation: require_approval}
      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 1, windowSeconds: 60}}
`
	for _, params := range []any{nil, `{"amount":null}`, `{"amount":"5"}`, `{"amount":[5]}`, `{"amount":5,"to":"eve"}`} {
		o := newOffice(t, `
policies:
  - id: ask
    agentId: bot
    rules: [{type: parameter_constraint, tools: [pay], parameters: {amount: {max: 4}}, additionalParameters: false, onViolation: require_approval}]
`, nil)
		call := payment
		call.Parameters = params
		_, err := o.a.Decide(ctx, call)
		require.ErrorIs(t, err, veto.ErrDenied, "%v", params)
	}

	o := newOffice(t, both, nil)
	require.NoError(t, o.a.OpenSession(ctx, "p", "s"))
	id := o.approved(payment)
	require.NoError(t, o.a.EndSession(ctx, "p", "s"))
	require.Equal(t, rules.CodeSessionUnknown, o.resumes(payment, id))
	require.NoError(t, o.a.OpenSession(ctx, "p", "s"))
	other := payment
	other.Parameters = `{"amount":1}`
	_, err := o.a.Decide(ctx, other)
	require.NoError(t, err)
	require.Equal(t, rules.CodeRateLimited, o.resumes(payment, id))
	require.Equal(t, approval.Approved, o.state(id))
	o.at = o.at.Add(time.Minute)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, id))
}

// What an approved call took counts, also past the bound.
func TestApprovedCallsCountPastTheBound(t *testing.T) {
	o := newOffice(t, `
policies:
  - id: ask
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [pay]}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 7, windowSeconds: 60}, onViolation: require_approval}
`, nil)
	small := payment
	small.Parameters = `{"amount":2}`
	_, err := o.a.Decide(ctx, small)
	require.NoError(t, err)
	_, err = o.a.Decide(ctx, payment) // 7 of 7
	require.NoError(t, err)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, o.approved(payment))) // 12 of 7
	o.asks(small)
	o.at = o.at.Add(time.Minute)
	_, err = o.a.Decide(ctx, small)
	require.NoError(t, err)
}

// Tool policies and floors ask, too. A tool policy grants where no policy is
// the agent's; a floor grants nothing.
func TestToolPoliciesAndFloorsAsk(t *testing.T) {
	const tool = `
toolPolicies:
  - toolName: pay
    mode: deterministic
    constraints: [{argumentName: amount, maximum: 4, action: require_approval}]
`
	o := newOffice(t, tool, nil)
	id := o.approved(payment)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, id))
	require.Equal(t, "tool:pay", o.last().PolicyID)

	o = newOffice(t, tool+`policies: [{id: mine, agentId: bot, rules: [{type: tool_allowlist, tools: [other]}]}]
`, nil)
	id = o.approved(payment)
	require.Equal(t, rules.CodeDefaultDeny, o.resumes(payment, id), "the ticket covers what asked, and grants what that could")
	require.Equal(t, approval.Approved, o.state(id))

	const floor = `
policies:
  - {id: board, agentId: "*", floor: true, priority: 9, rules: [{type: require_approval, tools: [pay]}]}
  - {id: org, agentId: bot, rules: [{type: tool_allowlist, tools: [pay]}]}
  - {id: team, agentId: bot, projectId: p, rules: [{type: tool_%s, tools: [pay]}]}
`
	o = newOffice(t, strings.Replace(floor, "%s", "allowlist", 1), nil)
	id = o.approved(payment)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, id))
	require.Equal(t, "team", o.last().PolicyID)
	o = newOffice(t, strings.Replace(floor, "%s", "denylist", 1), nil)
	id = o.approved(payment)
	require.Equal(t, rules.CodeToolDenied, o.resumes(payment, id))
	require.Equal(t, approval.Approved, o.state(id))
}

// With strictGrant only an allowlist grants: a human's yes covers what asked,
// and counts as that allowlist.
func TestApprovalUnderStrictGrant(t *testing.T) {
	o := newOffice(t, asks, &veto.Options{StrictGrant: true})
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, o.approved(payment)))
	o = newOffice(t, `
policies:
  - id: soft
    agentId: bot
    rules: [{type: parameter_constraint, tools: [pay], parameters: {amount: {max: 4}}, onViolation: require_approval}]
`, &veto.Options{StrictGrant: true})
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, o.approved(payment)))
	small := payment
	small.Parameters = `{"amount":1}`
	_, err := o.a.Decide(ctx, small)
	require.ErrorIs(t, err, veto.ErrDenied, "which nobody was asked about")
}

// A ticket counts once, however often it is named.
func TestTicketsThatAreNamedTwice(t *testing.T) {
	o := newOffice(t, asks, nil)
	id := o.approved(payment)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, id, id))
}

// An answer that cannot be recorded is no answer: the call does not run, and
// its ticket is not used a second time either.
func TestAuditFailsAtTheResume(t *testing.T) {
	sink := &refusing{Memory: audit.NewMemory(nil)}
	o := newOffice(t, asks+`      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 1, windowSeconds: 60}}
`, &veto.Options{Sink: sink})
	o.records = sink.Memory
	id := o.approved(payment)
	sink.err = errors.New("disk full")
	_, r, err := o.a.ReserveApproved(ctx, payment, id)
	require.ErrorIs(t, err, veto.ErrUnavailable)
	require.Equal(t, rules.CodeAuditFailed, r.Code)
	sink.err = nil
	require.Equal(t, rules.CodeApprovalExpired, o.resumes(payment, id))
	// But it took nothing of the limit.
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, o.approved(payment)))
}

// The answer is given in the last step, on the store: where another process was
// first there, or the store fails, the call does not run and takes nothing.
func TestSomebodyElseUsesItFirst(t *testing.T) {
	const document = asks + `      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 1, windowSeconds: 60}}
`
	store := &hooked{}
	o := newOffice(t, document, nil)
	key, err := approval.NewKey([]byte("a secret of the tests, 32 bytes+"))
	require.NoError(t, err)
	o.book, err = approval.New(store, key, &approval.Options{Now: func() time.Time { return o.at }})
	require.NoError(t, err)
	o.a = newAuthorizer(t, parse(t, document), &veto.Options{Approvals: o.book, Sink: o.records, Now: func() time.Time { return o.at }})

	id := o.approved(payment)
	store.create = func(name string, data []byte) error {
		if strings.HasSuffix(name, ".used") {
			_ = store.Memory.Create(ctx, name, data)
			return fs.ErrExist
		}
		return nil
	}
	require.Equal(t, rules.CodeApprovalExpired, o.resumes(payment, id))
	store.create = nil
	g := o.granting(2)
	id = o.grants(payment, g)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, id), "the limit has room still")

	o.at = o.at.Add(time.Minute)
	one := paying(`{"amount":1}`)
	store.create = func(name string, _ []byte) error {
		if strings.Contains(name, ".use.") {
			return errors.New("the disk is full")
		}
		return nil
	}
	o.asks(one)
	store.create = nil
	r, err := o.a.Decide(ctx, one)
	require.NoError(t, err, "it took nothing of the limit")
	require.Equal(t, id, r.ApprovalID)
}

// hooked is a store in memory with somebody in the way.
type hooked struct {
	approval.Memory
	create func(name string, data []byte) error
}

func (h *hooked) Create(ctx context.Context, name string, data []byte) error {
	if h.create != nil {
		if err := h.create(name, data); err != nil {
			return err
		}
	}
	return h.Memory.Create(ctx, name, data)
}

// refusing is a sink that keeps nothing while it has an error.
type refusing struct {
	*audit.Memory
	err error
}

func (s *refusing) Record(ctx context.Context, r *audit.Record) error {
	if s.err != nil {
		return s.err
	}
	return s.Memory.Record(ctx, r)
}
