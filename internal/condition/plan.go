package condition

import (
	"strings"

	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// planner puts nodes of our own into the plan of cel-go: for the strict
// operators, for what cel-go does without a bound on its work, and for the
// functions that need something from outside.
type planner struct{ opts *EnvOptions }

type (
	plan  = interpreter.InterpretableV2
	frame = *interpreter.ExecutionFrame
)

// decorate implements interpreter.InterpretableDecoratorV2.
func (p *planner) decorate(i plan) (plan, error) {
	switch i := i.(type) {
	case interpreter.InterpretableConstructor:
		return planLiteral(i), nil
	case interpreter.InterpretableCall:
		return p.planCall(i)
	default:
		return i, nil
	}
}

func (p *planner) planCall(call interpreter.InterpretableCall) (plan, error) {
	args := call.Args()
	switch call.Function() {
	case loopStep:
		return &step{args[0]}, nil
	case strictOr:
		return run(call, (&binary{args[0], args[1]}).or), nil
	case strictAnd:
		return run(call, (&binary{args[0], args[1]}).and), nil
	case operators.Equals:
		return run(call, (&binary{args[0], args[1]}).equal), nil
	case operators.NotEquals:
		return run(call, (&binary{args[0], args[1]}).notEqual), nil
	case operators.Less:
		return run(call, (&ordering{binary{args[0], args[1]}, [3]types.Bool{true, false, false}}).exec), nil
	case operators.LessEquals:
		return run(call, (&ordering{binary{args[0], args[1]}, [3]types.Bool{true, true, false}}).exec), nil
	case operators.Greater:
		return run(call, (&ordering{binary{args[0], args[1]}, [3]types.Bool{false, false, true}}).exec), nil
	case operators.GreaterEquals:
		return run(call, (&ordering{binary{args[0], args[1]}, [3]types.Bool{false, true, true}}).exec), nil
	case operators.In:
		return run(call, planIn(args[0], args[1])), nil
	case operators.Add:
		return run(call, (&binary{args[0], args[1]}).add), nil
	case operators.LogicalNot:
		return run(call, (&unary{args[0]}).not), nil
	case overloads.Matches:
		return planMatches(call)
	case overloads.StartsWith:
		return run(call, (&search{binary{args[0], args[1]}, strings.HasPrefix}).exec), nil
	case overloads.EndsWith:
		return run(call, (&search{binary{args[0], args[1]}, strings.HasSuffix}).exec), nil
	case overloads.Contains:
		return run(call, (&search{binary{args[0], args[1]}, strings.Contains}).exec), nil
	default:
		if len(args) == 2 && inZone[call.Function()] != nil {
			return planInZone(call)
		}
		return p.planOurs(call)
	}
}

// native is a step of the plan that is a Go function.
type native struct {
	id   int64
	exec func(frame) ref.Val
}

func run(call interpreter.InterpretableCall, exec func(frame) ref.Val) plan {
	return &native{call.ID(), exec}
}

// ID implements interpreter.Interpretable.
func (n *native) ID() int64 { return n.id }

// Exec implements interpreter.InterpretableV2.
func (n *native) Exec(f frame) ref.Val { return types.LabelErrNode(n.id, n.exec(f)) }

// Eval implements interpreter.Interpretable.
func (n *native) Eval(a interpreter.Activation) ref.Val { return eval(n, a) }

func eval(p plan, a interpreter.Activation) ref.Val {
	if f, ok := a.(frame); ok {
		return p.Exec(f)
	}
	return interpreter.EvalActivation(a, p.Exec)
}

// step is the condition of a loop, or in place of a condition that is always
// true, its accumulator. It pays for a round, and ends the loop on false and
// on an error. That error is the result: what the condition of a macro reads
// is the accumulator, and so does the result.
type step struct{ plan }

// Exec implements interpreter.InterpretableV2.
func (s *step) Exec(f frame) ref.Val {
	spend(f, 2)
	v := s.plan.Exec(f)
	return types.Bool(v != types.False && !types.IsError(v))
}

// Eval implements interpreter.Interpretable.
func (s *step) Eval(a interpreter.Activation) ref.Val { return eval(s, a) }

// literal is a list or map that is made anew at every evaluation.
type literal struct {
	interpreter.InterpretableConstructor
	size int
}

// planLiteral leaves alone what cel-go makes a constant of.
func planLiteral(c interpreter.InterpretableConstructor) plan {
	init := c.InitVals()
	for _, v := range init {
		if _, ok := v.(interpreter.InterpretableConst); !ok {
			return &literal{c, len(init)}
		}
	}
	return c
}

// Exec implements interpreter.InterpretableV2.
func (l *literal) Exec(f frame) ref.Val {
	spend(f, l.size)
	return l.InterpretableConstructor.Exec(f)
}

// Eval implements interpreter.Interpretable.
func (l *literal) Eval(a interpreter.Activation) ref.Val { return eval(l, a) }
