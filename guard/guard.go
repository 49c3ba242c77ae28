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
		g.opts.Parameters = slices.Clone(opts.Parameters)
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
// force.
func (g *guard[Out]) begin(err, codecErr error, names []string) error {
	switch {
	case err != nil:
		return err
	case codecErr != nil:
		return fmt.Errorf("guard: tool %q: %w", g.tool, codecErr)
	}
	if g.opts.Parameters != nil {
		names = g.opts.Parameters
	}
	if names == nil {
		return nil
	}
	var errs []error
	for _, use := range g.auth.ParametersOf(g.tool) {
		if !slices.Contains(names, use.Name) {
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
	tickets  []string
	result   veto.Result
	err      error // why the tool does not run
	began    bool
	failed   bool
}

// enter begins a call. What could fail does so in prepare.
func (g *guard[Out]) enter(ctx context.Context) *run[Out] {
	r, _ := g.runs.Get().(*run[Out])
	if r == nil {
		r = new(run[Out])
	}
	r.g, r.caller, r.failed = g, ctx, true
	return r
}

// leave ends a call, also where the tool panics.
func (r *run[Out]) leave() {
	if r.release != nil {
		r.release()
	}
	if r.began && len(r.tickets) > 0 {
		outcome := approval.Ran
		if r.failed {
			outcome = approval.Failed
		}
		ctx := context.WithoutCancel(r.caller)
		for _, id := range r.tickets {
			_ = r.g.auth.Approvals().Done(ctx, id, outcome) // else it stays "outcome unknown"
		}
	}
	g := r.g
	*r = run[Out]{}
	g.runs.Put(r)
}

// returned says what the tool did.
func (r *run[Out]) returned(err error) {
	r.failed = err != nil
	if err == nil {
		_ = r.reserved.Commit(r.caller, "") // else it counts as not succeeded
	}
}

// prepare decides the call, and reports whether it is blocked. A panic in it
// blocks.
func (r *run[Out]) prepare(params func() (any, error)) (blocked bool) {
	defer r.recovered(&blocked)
	r.identify()
	if r.err != nil {
		return true
	}
	p, err := params()
	if err != nil {
		p = notJSON
	}
	return r.decide(p)
}

// prepareJSON is prepare for raw JSON, which is decoded after it.
func (r *run[Out]) prepareJSON(b *buffer, check func([]byte) bool) (blocked bool) {
	defer r.recovered(&blocked)
	r.identify()
	if r.err != nil {
		return true
	}
	if !check(b.raw) {
		return r.decide(notJSON)
	}
	return r.decide(&b.raw)
}

// notJSON are arguments that every decision refuses and records.
var notJSON = json.RawMessage("\x00")

func (r *run[Out]) recovered(blocked *bool) {
	if p := recover(); p != nil {
		*blocked = true
		r.result, r.err = veto.Result{Code: rules.CodeEvaluationError}, fmt.Errorf("%w: guard: tool %q: a panic before the tool ran (%T)", veto.ErrDenied, r.g.tool, p)
	}
}

var errNoAgent = errors.New("there is no agent; set Options.Agent, or call with guard.WithAgent")

// identify says who calls. Without an agent there is no need to ask further:
// but the denial is recorded, as every other.
func (r *run[Out]) identify() {
	g := r.g
	if any(r.caller) == nil {
		r.err = fmt.Errorf("%w: guard: tool %q: the context is nil", veto.ErrDenied, g.tool)
		return
	}
	who := IdentityOf(r.caller).or(g.who)
	if g.opts.Identity != nil {
		who = who.or(g.opts.Identity(r.caller))
	}
	r.who = who
	r.ctx, r.release = g.auth.UntilSuspended(r.caller, who.Agent)
}

// decide asks the Authorizer, and where it escalates, the human.
func (r *run[Out]) decide(params any) (blocked bool) {
	g := r.g
	call := veto.Call{
		AgentID: r.who.Agent, Tool: g.tool, Parameters: params,
		Project: r.who.Project, Session: r.who.Session, User: r.who.User, CallID: r.who.CallID,
	}
	if g.opts.Values != nil {
		call.Context = g.opts.Values(r.caller)
	}
	r.tickets = approvalsOf(r.caller)
	if r.tickets == nil {
		r.reserved, r.result, r.err = g.auth.Reserve(r.caller, call)
	} else {
		r.reserved, r.result, r.err = g.auth.ReserveApproved(r.caller, call, r.tickets...)
	}
	for range maxTickets {
		if r.err == nil || !r.approved() {
			break
		}
		r.tickets = append(slices.Clip(r.tickets), r.result.ApprovalID)
		r.reserved, r.result, r.err = g.auth.ReserveApproved(r.caller, call, r.tickets...)
	}
	switch {
	case r.err == nil:
	case r.result.RunsUnderMode():
		r.tickets = nil
	default:
		if r.who.Agent == "" {
			r.err = fmt.Errorf("guard: tool %q: %w: %w", g.tool, errNoAgent, r.err)
		}
		return true
	}
	r.began = true
	return false
}

// maxTickets is how many policies may ask a human about one call.
const maxTickets = 8

// approved reports whether the call waits for a human, who then approves it.
func (r *run[Out]) approved() bool {
	id := r.result.ApprovalID
	if r.result.Outcome != veto.Escalated || id == "" || slices.Contains(r.tickets, id) || r.result.RunsUnderMode() {
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

func (r *run[Out]) blocked() (Out, error) {
	return r.g.block(r.caller, &BlockedError{Tool: r.g.tool, Result: r.result, Err: r.err})
}

// undecodable is the answer where arguments that were allowed are none of the
// tool's: it does not run.
func (r *run[Out]) undecodable() (Out, error) {
	_ = r.reserved.Refund(r.caller)
	r.result = veto.Result{Code: rules.CodeInvalidRequest}
	r.err = fmt.Errorf("%w: guard: tool %q: the arguments are not of the tool's type", veto.ErrDenied, r.g.tool)
	return r.blocked()
}
