package veto_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
)

// office is an Authorizer that asks humans, with what belongs to it.
type office struct {
	*testing.T
	a       *veto.Authorizer
	book    *approval.Book
	records *audit.Memory
	at      time.Time
}

var payment = veto.Call{AgentID: "bot", Tool: "pay", Parameters: `{"amount":5}`, Project: "p", Session: "s", User: "ann"}

func newOffice(t *testing.T, document string, opts *veto.Options) *office {
	t.Helper()
	o := &office{T: t, records: audit.NewMemory(nil), at: time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)}
	now := func() time.Time { return o.at }
	key, err := approval.NewKey([]byte("a secret of the tests, 32 bytes+"))
	require.NoError(t, err)
	o.book, err = approval.New(new(approval.Memory), key, &approval.Options{Now: now})
	require.NoError(t, err)
	all := veto.Options{}
	if opts != nil {
		all = *opts
	}
	all.Now, all.Approvals = now, o.book
	if all.Sink == nil {
		all.Sink = o.records
	}
	o.a = newAuthorizer(t, parse(t, document), &all)
	require.Equal(t, o.book, o.a.Approvals())
	return o
}

func parse(t *testing.T, document string) *veto.PolicySet {
	t.Helper()
	set, err := veto.Load("policy.yaml", []byte(document))
	require.NoError(t, err)
	return set
}

// asks makes the call, which must be one to ask about, and returns its ticket.
func (o *office) asks(call veto.Call, tickets ...string) string {
	o.Helper()
	var r veto.Result
	var err error
	if len(tickets) == 0 {
		r, err = o.a.Decide(ctx, call)
	} else {
		_, r, err = o.a.ReserveApproved(ctx, call, tickets...)
	}
	require.ErrorIs(o, err, veto.ErrEscalated)
	require.Equal(o, rules.CodeApprovalRequired, r.Code)
	require.NotEmpty(o, r.ApprovalID)
	require.NotContains(o, tickets, r.ApprovalID)
	require.Equal(o, r.ApprovalID, o.last().ApprovalID)
	return r.ApprovalID
}

func (o *office) answers(id string, a approval.Answer) {
	o.Helper()
	require.NoError(o, o.book.Answer(ctx, id, a))
}

// approved makes the call and approves it.
func (o *office) approved(call veto.Call) string {
	o.Helper()
	id := o.asks(call)
	o.answers(id, klara)
	return id
}

var klara = approval.Answer{Approve: true, By: "klara"}

// resumes makes the call under tickets, and returns what came of it.
func (o *office) resumes(call veto.Call, tickets ...string) rules.Code {
	o.Helper()
	res, r, err := o.a.ReserveApproved(ctx, call, tickets...)
	require.Equal(o, r.Allowed, err == nil)
	require.Equal(o, r.Code, o.last().Code)
	require.Equal(o, r.ApprovalID, o.last().ApprovalID)
	if r.Allowed {
		require.Equal(o, tickets[0], r.ApprovalID)
		require.NoError(o, res.Commit(ctx, ""))
	} else {
		require.Error(o, res.Commit(ctx, ""))
	}
	return r.Code
}

func (o *office) state(id string) approval.State {
	o.Helper()
	ticket, err := o.book.Get(ctx, id)
	require.NoError(o, err)
	return ticket.State
}

func (o *office) last() *audit.Record {
	o.Helper()
	records, _ := o.records.Query(audit.Query{Limit: 1})
	require.NotEmpty(o, records)
	return records[0]
}

func (o *office) reload(document string) {
	o.Helper()
	require.NoError(o, o.a.SetPolicies(parse(o.T, document)))
}

const asks = `
policies:
  - id: ask
    agentId: bot
    rules:
      - {type: require_approval, tools: [pay], approval: {ttlSeconds: 600, message: Check the order.}}
`

// Each step of an approval is on the record, with its ticket.
func TestApprovalIsOnTheRecord(t *testing.T) {
	o := newOffice(t, asks, nil)
	id := o.asks(payment)
	o.at = o.at.Add(time.Second)
	require.Equal(t, rules.CodeApprovalRequired, o.resumes(payment, id), "nobody has answered")
	o.answers(id, klara)
	o.at = o.at.Add(time.Second)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, id))
	o.at = o.at.Add(time.Second)
	require.Equal(t, rules.CodeApprovalExpired, o.resumes(payment, id), "it is used")

	records, total := o.records.Query(audit.Query{})
	require.Equal(t, 4, total)
	var steps []string
	for i := range records {
		r := records[len(records)-1-i]
		require.Equal(t, id, r.ApprovalID)
		require.Equal(t, "ask", r.PolicyID)
		require.Equal(t, "require_approval[0]", r.RuleID)
		require.JSONEq(t, `{"amount":5}`, r.Parameters.String())
		require.Equal(t, []string{"bot", "p", "s", "ann"}, []string{r.AgentID, r.ProjectID, r.SessionID, r.UserID})
		steps = append(steps, r.Code.String())
	}
	require.Equal(t, []string{"approval_required", "approval_required", "allowed", "approval_expired"}, steps)

	ticket, err := o.book.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, "Check the order.", ticket.Message)
	require.Equal(t, 10*time.Minute, ticket.Expires.Sub(ticket.Created))
	require.JSONEq(t, `{"amount":5}`, string(ticket.Parameters))
	require.Equal(t, approval.Used, ticket.State)
	require.Equal(t, approval.Ran, ticket.Outcome, "Commit says so")
}

// What is shown to the human is redacted as records are.
func TestTicketsAreRedacted(t *testing.T) {
	o := newOffice(t, asks, &veto.Options{Redact: &audit.RedactOptions{Keys: []string{"iban"}}})
	call := payment
	call.Parameters = map[string]any{"amount": 5, "password": "hunter2", "iban": "DE00"}
	ticket, err := o.book.Get(ctx, o.asks(call))
	require.NoError(t, err)
	require.JSONEq(t, `{"amount":5,"password":"[REDACTED]","iban":"[REDACTED]"}`, string(ticket.Parameters))
	call.Parameters = map[string]any{"amount": 5, "password": "hunter3", "iban": "DE00"}
	other := o.asks(call)
	require.NotEqual(t, ticket.ID, other, "though it reads the same")
	o.answers(ticket.ID, klara)
	require.Equal(t, rules.CodeApprovalDenied, o.resumes(call, ticket.ID))
}

// The ticket is for a call, not for its text: equal values in any form are one.
func TestTicketIsForTheValue(t *testing.T) {
	o := newOffice(t, asks, nil)
	id := o.approved(payment)
	call := payment
	call.Parameters = map[string]any{"amount": json.Number("5.00")}
	require.Equal(t, id, func() string { r, _ := o.a.Decide(ctx, call); return r.ApprovalID }())
	require.Equal(t, rules.CodeAllowed, o.resumes(call, id))
	call.Parameters = nil
	none := o.approved(call)
	call.Parameters = "{}"
	require.Equal(t, rules.CodeAllowed, o.resumes(call, none))
}

// A denial at the resume stands, and leaves the ticket to be used when it no
// longer does. Nothing is counted by a call that waits.
func TestDenialAtTheResumeLeavesTheTicket(t *testing.T) {
	const document = asks + `      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 1, windowSeconds: 60}}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 8, windowSeconds: 60}}
`
	o := newOffice(t, document, nil)
	more := payment
	more.Parameters = `{"amount":4}`
	first, second := o.approved(payment), o.approved(more)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, first))
	require.Equal(t, rules.CodeRateLimited, o.resumes(more, second))
	require.Equal(t, approval.Approved, o.state(second))
	require.NotZero(t, o.last().Result == veto.Denied)
	o.at = o.at.Add(time.Minute)
	require.Equal(t, rules.CodeAllowed, o.resumes(more, second))

	// A higher policy that denies, a suspension, a call that is cancelled.
	third := o.asks(veto.Call{AgentID: "bot", Tool: "pay", Parameters: `{"amount":1}`})
	o.answers(third, klara)
	call := veto.Call{AgentID: "bot", Tool: "pay", Parameters: `{"amount":1}`}
	o.at = o.at.Add(time.Minute)
	o.reload(document + `  - id: no
    agentId: bot
    priority: 9
    rules: [{type: tool_denylist, tools: [pay]}]
`)
	require.Equal(t, rules.CodeToolDenied, o.resumes(call, third))
	o.reload(document)
	o.a.Suspend("bot")
	require.Equal(t, rules.CodeAgentSuspended, o.resumes(call, third))
	o.a.Resume("bot")
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, r, err := o.a.ReserveApproved(gone, call, third)
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeCancelled, r.Code)
	call.Parameters = "{"
	require.Equal(t, rules.CodeInvalidRequest, o.resumes(call, third))
	call.Parameters = `{"amount":1}`
	require.Equal(t, approval.Approved, o.state(third))
	require.Equal(t, rules.CodeAllowed, o.resumes(call, third))
}

// The resumed call counts, once, as any that is allowed.
func TestResumedCallCounts(t *testing.T) {
	o := newOffice(t, asks+`      - {type: rate_limit, tools: [pay], rateLimit: {maxCalls: 2, windowSeconds: 60}}
`, nil)
	for range 2 {
		id := o.asks(payment)
		for range 3 {
			require.Equal(t, id, o.asks(payment))
		}
		o.answers(id, klara)
		require.Equal(t, rules.CodeAllowed, o.resumes(payment, id))
	}
	r, _ := o.a.Decide(ctx, payment)
	require.Equal(t, rules.CodeRateLimited, r.Code)
}

// A ticket is for the policy as it was: changed, it asks anew.
func TestPolicyChangedAsksAnew(t *testing.T) {
	o := newOffice(t, asks, nil)
	first := o.approved(payment)
	o.reload(asks + "      - {type: tool_denylist, tools: [other]}\n")
	second := o.asks(payment, first)
	require.Equal(t, approval.Approved, o.state(first))
	o.answers(second, klara)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, second))
	// It is what it was again, and so is the first ticket.
	o.reload(asks)
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, first))
	// Where nothing asks any more, the ticket of a call that is permitted
	// anyway is used up with it.
	third := o.approved(payment)
	o.reload("policies:\n  - {id: all, agentId: bot, rules: [{type: tool_allowlist, tools: [pay]}]}\n")
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, third))
	require.Equal(t, approval.Used, o.state(third))
}

// Where two policies ask about a call, each is asked for; the call runs under
// both tickets, whatever their order, and under no one of them.
func TestTwoPoliciesAsk(t *testing.T) {
	o := newOffice(t, asks+`  - id: board
    agentId: "*"
    floor: true
    priority: 7
    rules: [{type: require_approval, tools: [pay]}]
`, nil)
	first := o.approved(payment)
	second := o.asks(payment, first)
	require.Equal(t, rules.CodeApprovalRequired, o.resumes(payment, first, second))
	require.Equal(t, []approval.State{approval.Approved, approval.Pending}, []approval.State{o.state(first), o.state(second)})
	o.answers(second, klara)
	one, err := o.book.Get(ctx, first)
	require.NoError(t, err)
	two, err := o.book.Get(ctx, second)
	require.NoError(t, err)
	require.Equal(t, []string{"board", "ask"}, []string{one.PolicyID, two.PolicyID})
	for _, one := range []string{first, second} {
		require.NotEqual(t, one, o.asks(payment, one))
	}
	require.Equal(t, rules.CodeApprovalDenied, o.resumes(payment, first, "apr_x"))
	require.Equal(t, []approval.State{approval.Approved, approval.Approved}, []approval.State{o.state(first), o.state(second)})
	require.Equal(t, rules.CodeAllowed, o.resumes(payment, second, first))
	require.Equal(t, []approval.State{approval.Used, approval.Used}, []approval.State{o.state(first), o.state(second)})
}

// Approvals that the Authorizer does not have, or that nobody gave.
func TestNoApprovals(t *testing.T) {
	records := audit.NewMemory(nil)
	a := newAuthorizer(t, parse(t, asks), &veto.Options{Sink: records})
	require.Nil(t, a.Approvals())
	r, err := a.Decide(ctx, payment)
	require.ErrorIs(t, err, veto.ErrEscalated)
	require.Empty(t, r.ApprovalID)
	_, r, err = a.ReserveApproved(ctx, payment, "apr_x")
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeApprovalDenied, r.Code)
	all, _ := records.Query(audit.Query{})
	require.Equal(t, rules.CodeApprovalDenied, all[0].Code)

	o := newOffice(t, asks, nil)
	for _, ids := range [][]string{nil, {}, {""}, {"apr_x"}} {
		_, r, err = o.a.ReserveApproved(ctx, payment, ids...)
		require.ErrorIs(t, err, veto.ErrDenied)
		require.Equal(t, rules.CodeApprovalDenied, r.Code)
	}
	_, err = o.book.Find(ctx, approval.Binding{Agent: "bot", Tool: "pay"})
	require.Error(t, err)

	var none *veto.Authorizer
	require.Nil(t, none.Approvals())
	_, _, err = none.ReserveApproved(ctx, payment, "apr_x")
	require.ErrorIs(t, err, veto.ErrUnavailable)
	var nothing context.Context
	_, r, err = o.a.ReserveApproved(nothing, payment, "apr_x")
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeInvalidRequest, r.Code)
}

// A store of tickets that fails leaves the call escalated, and resumes none.
func TestTicketsAreOutOfReach(t *testing.T) {
	o := newOffice(t, asks, nil)
	id := o.approved(payment)
	key, err := approval.NewKey([]byte("a secret of the tests, 32 bytes+"))
	require.NoError(t, err)
	store := &brokenStore{}
	book, err := approval.New(store, key, nil)
	require.NoError(t, err)
	store.err = errors.New("the disk is gone")
	a := newAuthorizer(t, parse(t, asks), &veto.Options{Approvals: book})
	r, err := a.Decide(ctx, payment)
	require.ErrorIs(t, err, veto.ErrEscalated)
	require.Empty(t, r.ApprovalID)
	_, r, err = a.ReserveApproved(ctx, payment, id)
	require.ErrorIs(t, err, veto.ErrDenied)
	require.Equal(t, rules.CodeApprovalDenied, r.Code)
}

// brokenStore is a store in memory until it fails.
type brokenStore struct {
	approval.Memory
	err error
}

func (f *brokenStore) Create(ctx context.Context, name string, data []byte) error {
	if f.err != nil {
		return f.err
	}
	return f.Memory.Create(ctx, name, data)
}

func (f *brokenStore) Read(ctx context.Context, name string) ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.Memory.Read(ctx, name)
}

// What is said of a call that ran under a ticket is said of the ticket too.
func TestReservationSaysWhatCameOfTickets(t *testing.T) {
	for outcome, end := range map[approval.Outcome]func(veto.Reservation) error{
		approval.Ran:            func(r veto.Reservation) error { return r.Commit(ctx, "") },
		approval.Failed:         func(r veto.Reservation) error { return r.Refund(ctx) },
		approval.OutcomeUnknown: func(veto.Reservation) error { return nil },
	} {
		o := newOffice(t, asks, nil)
		id := o.approved(payment)
		res, _, err := o.a.ReserveApproved(ctx, payment, id)
		require.NoError(t, err)
		require.NoError(t, end(res))
		ticket, err := o.book.Get(ctx, id)
		require.NoError(t, err)
		require.Equal(t, approval.Used, ticket.State)
		require.Equal(t, outcome, ticket.Outcome)
	}
}

const asksTwice = `
policies:
  - id: ask
    agentId: bot
    rules:
      - {type: require_approval, tools: [pay]}
      - {type: parameter_constraint, tools: [pay], onViolation: require_approval, parameters: {amount: {max: 1}}}
`

// Of several tickets, the one that does not help yet is named: that is the one
// to wait for.
func TestTheTicketThatWaitsIsNamed(t *testing.T) {
	o := newOffice(t, asksTwice, nil)
	first := o.approved(payment)
	second := o.asks(payment, first)
	require.NotEqual(t, first, second)
	for _, tickets := range [][]string{{first, second}, {second, first}} {
		_, r, err := o.a.ReserveApproved(ctx, payment, tickets...)
		require.ErrorIs(t, err, veto.ErrEscalated)
		require.Equal(t, second, r.ApprovalID)
	}
	o.answers(second, klara)
	_, r, err := o.a.ReserveApproved(ctx, payment, first, second)
	require.NoError(t, err)
	require.Equal(t, first, r.ApprovalID)
}
