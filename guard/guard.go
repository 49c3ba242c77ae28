package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/rules"
)

// guard is what the calls of one wrapped tool share.
type guard[Out any] struct {
	auth *veto.Authorizer
	tool string
	opts Options[Out]
	who  Identity
	runs sync.Pool
}

func newGuard[Out any](a *veto.Authorizer, tool string, opts *Options[Out], none bool) (*guard[Out], error) {
	g := &guard[Out]{auth: a, tool: tool}
	if opts != nil {
		g.opts = *opts
	}
	g.who = Identity{Agent: g.opts.Agent, Project: g.opts.Project, Session: g.opts.Session, User: g.opts.User}
	switch {
	case a == nil:
		return g, fmt.Errorf("guard: tool %q: there is no Authorizer; make one with veto.New", tool)
	case none:
		return g, fmt.Errorf("guard: tool %q: the function is nil", tool)
	default:
		return g, nil
	}
}

// begin checks what is known of the tool against the policies that are in
// force: against rules that name it. A rule about more tools may be one that
// this tool's calls never come under, by its condition or its agent; where they
// do, it denies what lacks a parameter.
func (g *guard[Out]) begin(err, codecErr error, names []string) error {
	switch {
	case err != nil:
		return err
	case codecErr != nil:
		return fmt.Errorf("guard: tool %q: %w", g.tool, codecErr)
	}
	if g.auth.Approvals() == nil && (g.opts.Approver != nil || g.opts.Wait) {
		return fmt.Errorf("guard: tool %q: Options.Approver or Options.Wait is set, and the Authorizer has no approvals to ask about; set veto.Options.Approvals", g.tool)
	}
	if g.opts.Parameters != nil {
		names = g.opts.Parameters
	}
	if names == nil {
		return nil
	}
	var errs []error
	for _, use := range g.auth.ParametersOf(g.tool) {
		if use.Exact && !slices.Contains(names, use.Name) {
			errs = append(errs, fmt.Errorf("guard: tool %q has no parameter %q, which policy %q constrains in rule %q; it has %q", g.tool, use.Name, use.PolicyID, use.RuleID, names))
		}
	}
	return errors.Join(errs...)
}

// refuse is the answer to every call of a tool that cannot be guarded.
func (g *guard[Out]) refuse(ctx context.Context, err error) (Out, error) {
	return g.block(ctx, &BlockedError{Tool: g.tool, Err: fmt.Errorf("%w: %w", veto.ErrDenied, err)})
}

func (g *guard[Out]) block(ctx context.Context, b *BlockedError) (Out, error) {
	if g.opts.OnBlocked != nil {
		return g.opts.OnBlocked(ctx, b)
	}
	var none Out
	return none, b
}

// run is one call of a guarded tool.
type run[Out any] struct {
	g       *guard[Out]
	caller  context.Context
	ctx     context.Context // of the tool: it ends when the agent is suspended
	who     Identity
	release func()
	raw     json.RawMessage // what is decided on, where that is raw JSON

	reserved veto.Reservation
	handed   *approvals // that the context had for this call, nil for none
	tickets  []string   // those, and what the call has been approved by since
	result   veto.Result
	err      error // why the tool does not run
	allowed  bool
	outcome  approval.Outcome
}

// enter begins a call. What could fail does so in prepare.
func (g *guard[Out]) enter(ctx context.Context) *run[Out] {
	r, _ := g.runs.Get().(*run[Out])
	if r == nil {
		r = new(run[Out])
	}
	r.g, r.caller, r.outcome = g, ctx, approval.Failed
	return r
}

// leave ends a call, also where the tool panics.
func (r *run[Out]) leave() {
	if r.release != nil {
		r.release()
	}
	r.done()
	g := r.g
	*r = run[Out]{}
	g.runs.Put(r)
}

// returned says what the tool did.
func (r *run[Out]) returned(err error) {
	if err == nil {
		r.outcome = approval.Ran
		_ = r.reserved.Commit(r.caller, "") // else it counts as not succeeded
	}
}

// done says of the tickets what came of the call. Saying it again is nothing.
func (r *run[Out]) done() {
	if !r.allowed || len(r.tickets) == 0 || r.outcome == approval.Ran { // Commit says that
		return
	}
	ctx := context.WithoutCancel(r.caller)
	for _, id := range r.tickets {
		_ = r.g.auth.Approvals().Done(ctx, id, r.outcome) // else it stays "outcome unknown"
	}
}

// prepare decides the call, and reports whether it is blocked. params says
// what is decided on. A panic of what the host has given blocks.
func (r *run[Out]) prepare(params func() (any, error)) (blocked bool) {
	defer r.recovered(&blocked)
	r.identify()
	p, err := params()
	if err != nil {
		p = refused(err)
	}
	if blocked = r.decide(p); blocked && err != nil {
		r.err = fmt.Errorf("guard: tool %q: %w", r.g.tool, r.err) // it says what
	}
	return blocked
}

// recovered makes a denial of a panic, which is on the record as others are.
func (r *run[Out]) recovered(blocked *bool) {
	if p := recover(); p != nil {
		*blocked = true
		call := veto.Call{AgentID: r.who.Agent, Tool: r.g.tool, Parameters: refused(nil)}
		_, r.result, r.err = r.g.auth.Reserve(r.caller, call)
		r.err = fmt.Errorf("guard: tool %q: a panic before the tool ran (%T): %w", r.g.tool, p, r.err)
	}
}

// identify says who calls.
func (r *run[Out]) identify() {
	g := r.g
	r.who = g.who
	if r.caller == nil {
		return // the decision denies it
	}
	r.who = IdentityOf(r.caller).or(r.who)
	if g.opts.Identity != nil {
		r.who = r.who.or(g.opts.Identity(r.caller))
	}
	r.ctx, r.release = g.auth.UntilSuspended(r.caller, r.who.Agent)
}

// decide asks the Authorizer, and where it escalates, the human.
func (r *run[Out]) decide(params any) (blocked bool) {
	g := r.g
	call := veto.Call{
		AgentID: r.who.Agent, Tool: g.tool, Parameters: params,
		Project: r.who.Project, Session: r.who.Session, User: r.who.User, CallID: r.who.CallID,
	}
	if r.caller != nil {
		if g.opts.Values != nil {
			call.Context = g.opts.Values(r.caller)
		}
		if r.handed = takeApprovals(r.caller); r.handed != nil {
			r.tickets = r.handed.ids
		}
	}
	if len(r.tickets) == 0 {
		r.reserved, r.result, r.err = g.auth.Reserve(r.caller, call)
	} else {
		r.reserved, r.result, r.err = g.auth.ReserveApproved(r.caller, call, r.tickets...)
	}
	for range maxTickets {
		if r.err == nil || !r.approved() {
			break
		}
		if id := r.result.ApprovalID; !slices.Contains(r.tickets, id) {
			r.tickets = append(slices.Clip(r.tickets), id)
		}
		r.reserved, r.result, r.err = g.auth.ReserveApproved(r.caller, call, r.tickets...)
	}
	r.allowed = r.err == nil
	switch {
	case !r.allowed && !r.result.RunsUnderMode():
		if advice := r.advice(); advice != nil {
			r.err = fmt.Errorf("guard: tool %q: %w: %w", g.tool, advice, r.err)
		}
		return true
	case r.stopped():
		r.suspended()
		return true
	default:
		return false
	}
}

// suspended blocks a call that was allowed a moment before its agent was
// suspended.
func (r *run[Out]) suspended() {
	r.outcome = approval.NotRun
	r.done()
	if r.allowed {
		_ = r.reserved.Refund(r.caller) // else it stays counted
	}
	was := r.result
	r.result = veto.Result{
		Code: rules.CodeAgentSuspended, Reason: rules.NewReason(rules.CodeAgentSuspended, r.g.tool, nil),
		DecisionID: was.DecisionID, EvaluatedAt: was.EvaluatedAt, PolicyRevision: was.PolicyRevision, Mode: was.Mode,
	}
	r.err = fmt.Errorf("%w: guard: tool %q: %w", veto.ErrDenied, r.g.tool, veto.ErrSuspended)
}

// maxTickets is how many policies may ask a human about one call.
const maxTickets = 8

// approved reports whether the call waits for a human, who then approves it.
func (r *run[Out]) approved() bool {
	id := r.result.ApprovalID
	if r.result.Outcome != veto.Escalated || id == "" || r.result.RunsUnderMode() {
		return false
	}
	book := r.g.auth.Approvals()
	switch {
	case r.g.opts.Approver != nil:
		_, err := book.Ask(r.ctx, r.g.opts.Approver, id)
		return r.answered(err)
	case r.g.opts.Wait:
		_, err := book.Wait(r.ctx, id)
		return r.answered(err)
	default:
		return false
	}
}

// answered reports whether the answer to a ticket lets the call be decided
// again. That also tells a denial apart from a ticket that has expired.
func (r *run[Out]) answered(err error) bool {
	return err == nil || errors.Is(err, approval.ErrDenied) || errors.Is(err, approval.ErrExpired)
}

// blocked is the answer to a call that does not run.
func (r *run[Out]) blocked() (Out, error) {
	if r.handed != nil {
		r.handed.giveBack()
	}
	return r.g.block(r.caller, &BlockedError{Tool: r.g.tool, Result: r.result, Err: r.err})
}
