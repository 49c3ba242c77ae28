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
	names  []string // top-level names, sorted; of a closed rule only
}

func (b *constraintBody) judge(e *Evaluation, r *rule) judgement {
	if b.closed {
		if e.policy.closed == nil {
			e.policy.closed = r
		}
		e.policy.closedBy = append(e.policy.closedBy, b)
	}
	// Of several alternatives that all fail, the first is the one to report;
	// it escalates only if every alternative would.
	var first constraint.Result
	soft := r.soft
	scope := e.work(r)
	scope.Args = &e.args
	for i, set := range b.anyOf {
		if set.Expressions {
			scope.Input = e.variables()
		}
		res := set.Eval(scope, r.soft)
		switch res.Verdict {
		case constraint.Pass:
			return judgement{outcome: passes}
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
	j := judgement{outcome: denies, code: rules.CodeConstraintViolated, parameter: first.Parameter}
	if soft {
		j.outcome, j.code = escalates, rules.CodeApprovalRequired
	}
	return j
}

// undeclared reports whether the call has a top-level parameter that no
// relevant closed rule of the policy names.
func (e *Evaluation) undeclared() bool {
	t := &e.args
	if t.Empty() {
		return false
	}
	for c := t.First(value.Root); c < t.Nodes[value.Root].End; c = t.Nodes[c].End {
		declared := slices.ContainsFunc(e.policy.closedBy, func(b *constraintBody) bool {
			_, found := slices.BinarySearch(b.names, t.Nodes[c].Key)
			return found
		})
		if !declared {
			return true
		}
	}
	return false
}
