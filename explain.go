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
// counts nothing and records nothing. opts may be nil.
func (a *Authorizer) Explain(ctx context.Context, call Call, opts *ExplainOptions) Explanation {
	if opts == nil {
		opts = &ExplainOptions{}
	}
	x := Explanation{Trace: &evaluator.Trace{}}
	if a == nil {
		a = nobody
	}
	now := a.now()
	if call.Project == "" {
		call.Project = a.opts.Project
	}
	p := a.program.Load()
	var e evaluator.Evaluation
	var c *evaluator.Cause
	var retry time.Duration
	switch {
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
		v := e.Peek(a.state)
		c, retry = v.Cause(), v.RetryAfter()
	}
	x.Result = Result{
		Allowed: c.Outcome == Allowed, Outcome: c.Outcome, Code: c.Code, Mode: a.opts.Mode,
		MatchedPolicyID: c.PolicyID, MatchedRuleID: c.RuleID, PolicyRevision: p.Revision(),
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
// or can at best ask a human: offer a model only what it may use. It looks at
// no parameters and counts nothing, so "may" is no promise. Calls of the
// agent are taken to be of Options.Project.
func (a *Authorizer) Tools(ctx context.Context, agentID string, names []string) []ToolAccess {
	access := make([]ToolAccess, len(names))
	for i, name := range names {
		access[i].Name = name
	}
	if a == nil || ctx == nil || a.program.Load() == nil || a.kill.Load().stops(agentID) {
		return access
	}
	p, now := a.program.Load(), a.now()
	var e evaluator.Evaluation
	for i, name := range names {
		access[i].Access = p.Access(&e, &Call{AgentID: agentID, Tool: name, Project: a.opts.Project}, now)
	}
	return access
}

func (a *Authorizer) now() time.Time {
	if a.opts.Now != nil {
		return a.opts.Now()
	}
	return time.Now()
}
