package evaluator

import (
	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/constraint"
)

// holds evaluates a condition over the call.
func (e *Evaluation) holds(c *condition.Condition, s *constraint.Scope) (bool, error) {
	s.Input = e.variables()
	return s.Holds(c)
}

// variables returns what conditions of this call read. It is filled in once a
// call, and only where a condition asks.
func (e *Evaluation) variables() *condition.Input {
	in := &e.input
	if in.Args == nil {
		in.Args, in.Context = &e.args, &e.context
		in.Tool, in.Agent, in.Project = e.call.Tool, e.call.AgentID, e.call.Project
		in.Session, in.User, in.Now = e.call.Session, e.call.User, e.now
	}
	return in
}

// work is the bound on the work of r.
func (e *Evaluation) work(r *rule) *constraint.Scope {
	if r.policy.flags.shadow {
		return &e.shadowScope
	}
	return &e.scope
}
