package veto

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// decision is the working memory of one decision.
type decision struct {
	eval   evaluator.Evaluation
	call   Call
	record audit.Record

	guarded bool     // whether the call succeeds will be reported
	resumes bool     // under tickets
	tickets []string // ids
	used    []string // those that were used up
}

var pool = sync.Pool{New: func() any { return new(decision) }}

// release puts d back, with nothing of the call in it.
func (d *decision) release() {
	d.eval.Reset()
	d.call, d.guarded, d.resumes, d.tickets, d.used = Call{}, false, false, nil, nil
	pool.Put(d)
}

var (
	unavailable = evaluator.NewCause(rules.CodePoliciesUnavailable)
	cancelled   = evaluator.NewCause(rules.CodeCancelled)
	auditFailed = evaluator.NewCause(rules.CodeAuditFailed)
	suspended   = evaluator.NewCause(rules.CodeAgentSuspended)
	noContext   = evaluator.Invalid("context is nil")
	panicked    = evaluator.NewCause(rules.CodeEvaluationError)
)

// decide decides d.call and writes the answer to r.
func (a *Authorizer) decide(ctx context.Context, d *decision, r *Result) error {
	start := time.Now()
	if a == nil {
		a = nobody
	}
	now, clockErr := a.clock(start)
	if d.call.Project == "" {
		d.call.Project = a.opts.Project
	}
	current := a.current.Load().get()
	said := saying{cause: panicked}
	if clockErr == nil {
		said = a.cause(ctx, d, current.program, now)
	} else {
		a.logger().Error("no time for a decision", zap.Error(clockErr))
	}
	c := said.cause
	a.answer(r, d, c)
	r.DecisionID, r.EvaluatedAt, r.Mode, r.ApprovalID = rules.NewID(now), now, a.opts.Mode, said.approval
	r.PolicyRevision, r.RetryAfter, r.Shadow = current.revision, said.retry, d.eval.Shadows()
	if a.keepsRecords {
		if err := a.record(ctx, d, r, c, start); err != nil {
			a.giveBack(ctx, d)
			a.logger().Error("decision could not be recorded", zap.Stringer("decision", r.DecisionID), zap.Error(err))
			allowed := r.Allowed
			c = auditFailed
			a.answer(r, d, c)
			r.RetryAfter = 0
			if allowed {
				// A part of the sink may have kept the record of a call that
				// is now refused: say so under the same id, if it listens.
				_ = a.record(ctx, d, r, c, start)
			}
		}
	}
	a.logDecision(d, r)
	if r.Allowed {
		return nil
	}
	return c.Err
}

// clock asks Options.Now, which may panic.
func (a *Authorizer) clock(start time.Time) (now time.Time, err error) {
	if a.opts.Now == nil {
		return start, nil
	}
	defer func() {
		if p := recover(); p != nil {
			now, err = start, fmt.Errorf("Options.Now panicked: %s", panicText(p))
		}
	}()
	return a.opts.Now(), nil
}

// now is the time by Options.Now.
func (a *Authorizer) now() (time.Time, error) { return a.clock(time.Now()) }

// nobody answers for a nil Authorizer.
var nobody = &Authorizer{}

// answer fills in what the cause says. It writes field by field: a Result is
// large, and r is on the caller's stack.
func (a *Authorizer) answer(r *Result, d *decision, c *evaluator.Cause) {
	r.Allowed, r.Outcome, r.Code = c.Outcome == Allowed, c.Outcome, c.Code
	r.MatchedPolicyID, r.MatchedRuleID = c.PolicyID, c.RuleID
	r.Reason = rules.NewReason(c.Code, d.call.Tool, &c.Basis)
}

// panicText says what a panic was, without text that may come from a call.
func panicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", p)
}

// saying is what a decision comes to.
type saying struct {
	cause    *evaluator.Cause
	retry    time.Duration
	approval string // the ticket or grant that it is about
}

func says(c *evaluator.Cause) saying { return saying{cause: c} }

// cause asks everyone who has a say, and takes the limits.
func (a *Authorizer) cause(ctx context.Context, d *decision, p *evaluator.Program, now time.Time) (said saying) {
	defer func() {
		if r := recover(); r != nil {
			a.giveBack(ctx, d)
			a.logger().Error("panic during a decision", zap.String("panic", panicText(r)), zap.Stack("stack"))
			said = says(panicked)
		}
	}()
	if ctx == nil {
		return says(noContext)
	}
	if ctx.Err() != nil {
		return says(cancelled)
	}
	if p == nil {
		return says(unavailable)
	}
	kill := a.kill.Load()
	if kill.stops(d.call.AgentID) {
		if c := p.CheckInput(&d.eval, &d.call); c != nil {
			return says(c)
		}
		return says(suspended)
	}
	if d.resumes || a.opts.Approvals != nil {
		said = a.withApprovals(ctx, d, p, now)
	} else {
		said = a.judge(ctx, d, p.Decide(&d.eval, &d.call, now))
	}
	if said.cause.Outcome != Allowed {
		return said
	}
	// What changed in the meantime holds: an agent that was suspended, a
	// caller that no longer waits.
	if now := a.kill.Load(); now != kill && now.stops(d.call.AgentID) {
		said.cause = suspended
	} else if ctx.Err() != nil {
		said.cause = cancelled
	} else {
		return said
	}
	a.giveBack(ctx, d)
	return said
}

// judge settles a verdict.
func (a *Authorizer) judge(ctx context.Context, d *decision, v *evaluator.Verdict) saying {
	if v.Stateful() {
		v = a.settle(ctx, d)
	}
	if c := v.Cause(); c.Outcome == Allowed {
		return says(c)
	}
	return saying{cause: v.Cause(), retry: v.RetryAfter()}
}
