package veto

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// ReserveApproved is Reserve for a call that was escalated, and that humans
// have approved since: it decides the call in full once more, with the tickets
// in hand. What they approve passes; whatever else stands against the call now
// does as always. A ticket is for one call: with exactly these parameters, of
// this project, agent, session and user, under the rule and policy that
// escalated it. Values of Call.Context are no part of it. A call that is
// allowed uses the tickets up, and so does one that is then refused because its
// record is not kept, its agent is suspended or its caller gives up: those
// tickets say that it did not run. Else they stay as they are.
// Options.Approvals must be set. Commit and Refund of the Reservation say what
// came of the call, to its tickets too.
//
// Where two rules escalate one call, the second is asked about when the first
// has been approved; then both tickets are given.
func (a *Authorizer) ReserveApproved(ctx context.Context, call Call, approvalIDs ...string) (res Reservation, r Result, err error) {
	d := pool.Get().(*decision)
	d.call, d.guarded, d.resumes, d.tickets = call, true, true, approvalIDs
	err = a.decide(ctx, d, &r)
	res = a.reservation(d, &r)
	d.release()
	return res, r, err
}

// Approvals returns Options.Approvals, for approvers.
func (a *Authorizer) Approvals() *approval.Book {
	if a == nil {
		return nil
	}
	return a.opts.Approvals
}

// resumed are the tickets of a call that is resumed.
type resumed struct {
	tickets  []approval.Ticket
	bindings []approval.Binding
	approved []evaluator.Approved
}

const defaultTTL = time.Hour

var (
	noApprovals = evaluator.TicketCause(rules.CodeApprovalDenied, "the Authorizer has no approvals", "", "", "")
	noTicket    = evaluator.TicketCause(rules.CodeApprovalDenied, "no approval is given", "", "", "")
)

// The denials that a ticket gives, before the policy of the ticket is known.
func ticketCause(code rules.Code, detail string, t *approval.Ticket) *evaluator.Cause {
	return evaluator.TicketCause(code, detail, t.PolicyID, t.RuleID, t.PolicyDigest)
}

// withApprovals decides a call where there are tickets: one that is resumed by
// them, or one that may be put to a human.
func (a *Authorizer) withApprovals(ctx context.Context, d *decision, p *evaluator.Program, now time.Time) saying {
	if !d.resumes {
		said := a.judge(ctx, d, p.Decide(&d.eval, &d.call, now))
		if said.cause.Outcome == Escalated {
			said.cause, said.approval = a.escalate(ctx, d, p, said.cause, now)
		}
		return said
	}
	if c := p.CheckInput(&d.eval, &d.call); c != nil {
		return says(c)
	}
	all, id, refused := a.findTickets(ctx, d)
	if refused != nil {
		return saying{cause: refused, approval: id}
	}
	said := a.judge(ctx, d, p.Resume(&d.eval, &d.call, now, all.approved))
	switch said.cause.Outcome {
	case Allowed:
		said.approval = all.tickets[0].ID
		if id, c := a.use(ctx, d, all); c != nil {
			a.giveBack(ctx, d)
			said.cause, said.approval = c, id
		}
	case Escalated:
		said.cause, said.approval = a.escalate(ctx, d, p, said.cause, now)
	}
	return said
}

// findTickets looks up the tickets of d. A cause says why the call cannot be
// resumed by the ticket id.
func (a *Authorizer) findTickets(ctx context.Context, d *decision) (_ *resumed, id string, _ *evaluator.Cause) {
	book := a.opts.Approvals
	if len(d.tickets) == 0 {
		return nil, "", noTicket
	}
	if book == nil {
		return nil, d.tickets[0], noApprovals
	}
	digest, err := book.Digest(argumentsOf(d))
	if err != nil {
		return nil, d.tickets[0], ticketCause(rules.CodeApprovalDenied, "the arguments have no digest", &approval.Ticket{})
	}
	all := &resumed{}
	for i, id := range d.tickets {
		if slices.Contains(d.tickets[:i], id) {
			continue // once is enough, and all that it is good for
		}
		t, err := book.Get(ctx, id)
		if err != nil {
			a.logger().Warn("a ticket cannot be used", zap.Error(err))
			return nil, id, a.refusal(err, &t)
		}
		if err := t.State.Err(); err != nil {
			return nil, id, a.refusal(err, &t)
		}
		b := t.Binding
		b.Project, b.Agent, b.Session, b.User = d.call.Project, d.call.AgentID, d.call.Session, d.call.User
		b.Tool, b.Arguments = d.call.Tool, digest
		if b != t.Binding {
			return nil, id, a.refusal(approval.ErrMismatch, &t)
		}
		approved := evaluator.Approved{RuleID: t.RuleID}
		if n, err := hex.Decode(approved.Policy[:], []byte(t.PolicyDigest)); err != nil || n != len(approved.Policy) {
			return nil, id, a.refusal(approval.ErrForged, &t)
		}
		all.tickets, all.bindings, all.approved = append(all.tickets, t), append(all.bindings, b), append(all.approved, approved)
	}
	return all, "", nil
}

// refusal is the denial that the error of a ticket means.
func (a *Authorizer) refusal(err error, t *approval.Ticket) *evaluator.Cause {
	switch {
	case errors.Is(err, approval.ErrPending):
		return ticketCause(rules.CodeApprovalRequired, "", t)
	case errors.Is(err, approval.ErrExpired):
		return ticketCause(rules.CodeApprovalExpired, "", t)
	case errors.Is(err, approval.ErrUsed):
		return ticketCause(rules.CodeApprovalExpired, "the approval was used", t)
	case errors.Is(err, approval.ErrMismatch):
		return ticketCause(rules.CodeApprovalDenied, "the approval is for another call", t)
	case errors.Is(err, approval.ErrForged):
		return ticketCause(rules.CodeApprovalDenied, "the approval is not authentic", t)
	case errors.Is(err, approval.ErrNotFound):
		return ticketCause(rules.CodeApprovalDenied, "there is no such approval", t)
	case errors.Is(err, approval.ErrDenied):
		return ticketCause(rules.CodeApprovalDenied, "", t)
	default:
		return ticketCause(rules.CodeApprovalDenied, "the approvals did not answer", t)
	}
}

// use uses the tickets up, when everything else is settled. A cause says why
// the ticket id could not be used.
func (a *Authorizer) use(ctx context.Context, d *decision, all *resumed) (id string, _ *evaluator.Cause) {
	for i := range all.tickets {
		t := &all.tickets[i]
		err := ctx.Err()
		if err == nil {
			err = a.opts.Approvals.Use(ctx, t.ID, all.bindings[i])
		}
		if err != nil {
			a.logger().Warn("a ticket could not be used", zap.String("ticket", t.ID), zap.Error(err))
			return t.ID, a.refusal(err, t)
		}
		d.used = append(d.used, t.ID)
	}
	return "", nil
}

// notRun says of the tickets that were used up that their call does not run.
func (a *Authorizer) notRun(ctx context.Context, d *decision) {
	for _, id := range d.used {
		_ = a.opts.Approvals.Done(context.WithoutCancel(ctx), id, approval.NotRun) // else "nobody knows"
	}
	d.used = nil
}

// escalate puts an escalated call to a human: it opens a ticket, or finds the
// one that is there, or a grant that covers the call already. It returns what
// the decision is then, and the ticket or grant.
func (a *Authorizer) escalate(ctx context.Context, d *decision, p *evaluator.Program, c *evaluator.Cause, now time.Time) (*evaluator.Cause, string) {
	if a.opts.Mode != Enforce {
		return c, "" // the tool runs, and there is nothing to ask
	}
	book := a.opts.Approvals
	digest, err := book.Digest(argumentsOf(d))
	if err != nil {
		a.logger().Error("an approval cannot be asked for", zap.Error(err))
		return c, ""
	}
	b := approval.Binding{
		Project: d.call.Project, Agent: d.call.AgentID, Session: d.call.Session, User: d.call.User,
		Tool: d.call.Tool, Arguments: digest,
		PolicyDigest: c.PolicyDigest, PolicyID: c.PolicyID, RuleID: c.RuleID,
	}
	if allowed, id := a.granted(ctx, d, p, b, c.Digest, now); allowed != nil {
		return allowed, id
	}
	ttl := c.TTL
	if ttl == 0 {
		ttl = defaultTTL
	}
	shown := audit.Capture(d.eval.Args(), a.redactor, a.opts.DigestKey)
	parameters, err := shown.MarshalJSON()
	if err != nil {
		parameters = nil
	}
	t, err := book.Open(ctx, approval.Request{Binding: b, TTL: ttl, Message: c.Message, Parameters: parameters})
	switch {
	case errors.Is(err, approval.ErrLimit):
		return ticketCause(rules.CodeApprovalLimit, "", &approval.Ticket{Binding: b}), ""
	case err != nil:
		a.logger().Error("an approval cannot be asked for", zap.Error(err))
		return c, ""
	}
	switch err := t.State.Err(); {
	case err == nil, errors.Is(err, approval.ErrPending):
		return c, t.ID // also where it is approved: then ReserveApproved takes it
	default:
		return a.refusal(err, &t), t.ID
	}
}

// granted decides the call again under a grant that covers it, and uses one of
// the grant's calls.
func (a *Authorizer) granted(ctx context.Context, d *decision, p *evaluator.Program, b approval.Binding, policy evaluator.Digest, now time.Time) (*evaluator.Cause, string) {
	grants, err := a.opts.Approvals.Grants(ctx, b)
	if err != nil {
		a.logger().Error("grants cannot be read", zap.Error(err))
		return nil, ""
	}
	for _, g := range grants {
		if !covers(d.eval.Args(), g.Grant.Parameters) {
			continue
		}
		v := p.Resume(&d.eval, &d.call, now, []evaluator.Approved{{Policy: policy, RuleID: b.RuleID}})
		if v.Stateful() {
			v = a.settle(ctx, d)
		}
		if c := v.Cause(); c.Outcome == Allowed {
			if err := a.opts.Approvals.UseGrant(ctx, g.ID, b); err == nil {
				return c, g.ID
			}
			a.giveBack(ctx, d)
		}
		p.Decide(&d.eval, &d.call, now) // as it was
	}
	return nil, ""
}

// covers reports whether the arguments keep the constraints of a grant, and
// are all named by them.
func covers(args *value.Tree, parameters map[string]rules.Constraint) bool {
	set, faults := constraint.Compile(parameters, &grantEnv)
	if len(faults) > 0 || args == nil {
		return false
	}
	scope := constraint.Scope{Args: args}
	if set.Eval(&scope, false).Verdict != constraint.Pass {
		return false
	}
	if args.Empty() {
		return true
	}
	names := set.Names()
	for c := args.First(value.Root); c < args.Nodes[value.Root].End; c = args.Nodes[c].End {
		if !slices.Contains(names, args.Nodes[c].Key) {
			return false
		}
	}
	return true
}

// grantEnv is for the constraints of grants, which know no lists and no
// expressions: those are a policy's.
var grantEnv = constraint.Env{
	List:       func(string) *constraint.List { return nil },
	Expression: func(string) (*condition.Condition, error) { return nil, errors.New("a grant has no expressions") },
}

// argumentsOf is the canonical JSON of the call's parameters.
func argumentsOf(d *decision) []byte {
	args := d.eval.Args()
	if args == nil || args.Empty() {
		return []byte("{}")
	}
	return args.AppendCanonical(nil, value.Root)
}
