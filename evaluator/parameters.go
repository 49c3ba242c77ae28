package evaluator

import (
	"slices"

	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// constraintBody is a parameter_constraint. One of its alternatives must hold.
type constraintBody struct {
	anyOf  []*constraint.Set
	closed bool
}

func (b *constraintBody) judge(e *Evaluation, r *rule) judgement {
	if b.closed && e.policy.closed == nil {
		e.policy.closed = r
	}
	// Of several alternatives that all fail, the first is the one to report;
	// it escalates only if every alternative would.
	var first constraint.Result
	held, soft := false, r.soft
	scope := e.work(r)
	scope.Args = &e.args
	for i, set := range b.anyOf {
		if set.Expressions {
			scope.Input = e.variables()
		}
		res := set.Eval(scope, r.soft)
		switch res.Verdict {
		case constraint.Pass:
			if !b.closed {
				return judgement{outcome: passes}
			}
			// A closed rule permits the parameters of the alternatives that
			// hold, and not those of the others: they were not checked.
			held = true
			e.policy.permitted = append(e.policy.permitted, set.Names())
			continue
		case constraint.Violated:
		case constraint.Hard:
			soft = false
		default:
			return judgement{outcome: failed, parameter: res.Parameter}
		}
		if i == 0 {
			first = res
		}
	}
	if held {
		return judgement{outcome: passes}
	}
	if b.closed { // the violation is the one to report, or to ask about
		for _, set := range b.anyOf {
			e.policy.permitted = append(e.policy.permitted, set.Names())
		}
	}
	j := judgement{outcome: denies, code: rules.CodeConstraintViolated, parameter: first.Parameter}
	if soft {
		j.outcome, j.code = escalates, rules.CodeApprovalRequired
	}
	return j
}

// undeclared reports whether the call has a top-level parameter that no
// relevant closed rule of the policy permits.
func (e *Evaluation) undeclared() bool {
	t := &e.args
	if t.Empty() {
		return false
	}
	for c := t.First(value.Root); c < t.Nodes[value.Root].End; c = t.Nodes[c].End {
		permitted := slices.ContainsFunc(e.policy.permitted, func(names []string) bool {
			return slices.Contains(names, t.Nodes[c].Key)
		})
		if !permitted {
			return true
		}
	}
	return false
}
