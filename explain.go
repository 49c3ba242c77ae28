package veto

import (
	"context"
	"time"

	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// Explanation is a decision with everything that was looked at on the way.
type Explanation struct {
	Result Result `json:"result"`
	// Trace is every policy and rule that was looked at, in order.
	Trace *evaluator.Trace `json:"trace"`
}

// ExplainOptions are the options of Explain.
type ExplainOptions struct {
	// Values quotes the parameters that rules object to. They are not
	// redacted.
	Values bool
}

// Explain decides a call as Decide would at this moment, and says why. It
// counts nothing, records nothing and does not look whether ctx is done. opts
// may be nil.
func (a *Authorizer) Explain(ctx context.Context, call Call, opts *ExplainOptions) Explanation {
	if opts == nil {
		opts = &ExplainOptions{}
	}
	x := Explanation{Trace: &evaluator.Trace{}}
	if a == nil {
		a = nobody
	}
	now, err := a.clock(time.Now())
	if call.Project == "" {
		call.Project = a.opts.Project
	}
	current := a.current.Load().get()
	p := current.program
	var e evaluator.Evaluation
	var c *evaluator.Cause
	var retry time.Duration
	switch {
	case err != nil:
		c = panicked
	case ctx == nil:
		c = noContext
	case p == nil:
		c = unavailable
	case a.kill.Load().stops(call.AgentID):
		if c = p.CheckInput(&e, &call); c == nil {
			c = suspended
		}
	default:
		_, x.Trace = p.Explain(&e, &call, now, opts.Values)
		v := a.peek(ctx, &e)
		c, retry = v.Cause(), v.RetryAfter()
	}
	x.Result = Result{
		Allowed: c.Outcome == Allowed, Outcome: c.Outcome, Code: c.Code, Mode: a.opts.Mode,
		MatchedPolicyID: c.PolicyID, MatchedRuleID: c.RuleID, PolicyRevision: current.revision,
		EvaluatedAt: now, RetryAfter: retry,
		Reason: rules.NewReason(c.Code, call.Tool, &c.Basis), Shadow: e.Shadows(),
	}
	return x
}

// ToolAccess is what an agent can get for one tool.
type ToolAccess struct {
	Name   string `json:"name"`
	Access Access `json:"access"`
}

// Tools says of each name whether the agent can never use the tool now, may,
// or can at best ask a human: offer a model only what it may use. It is
// ToolsFor with a Call of the agent alone.
func (a *Authorizer) Tools(ctx context.Context, agentID string, names []string) []ToolAccess {
	return a.ToolsFor(ctx, Call{AgentID: agentID}, names)
}

// ToolsFor is Tools for calls of the agent and project that identity names;
// without a project, those of Options.Project. It looks at no parameters and
// counts nothing: "never" is sure, and "may" is no promise.
func (a *Authorizer) ToolsFor(ctx context.Context, identity Call, names []string) []ToolAccess {
	access := make([]ToolAccess, len(names))
	for i, name := range names {
		access[i].Name = name
	}
	if a == nil || ctx == nil || a.current.Load() == nil || a.kill.Load().stops(identity.AgentID) {
		return access
	}
	now, err := a.clock(time.Now())
	if err != nil {
		return access
	}
	if identity.Project == "" {
		identity.Project = a.opts.Project
	}
	p := a.current.Load().get().program
	var e evaluator.Evaluation
	for i, name := range names {
		identity.Tool = name
		access[i].Access = p.Access(&e, &identity, now)
	}
	return access
}
