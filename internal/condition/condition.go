package condition

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// Condition is a compiled condition. It is immutable and safe for concurrent
// use; each evaluation has an [Input] of its own.
type Condition struct {
	plan   plan
	source *ast.SourceInfo // for the positions of errors
	reads  []string

	constant, value bool
}

// Eval evaluates the condition. An error means that there is no answer: the
// caller denies. It is always an [*EvalError], and never quotes a value of the
// call. Eval stops by itself, within its budget; it looks at no clock.
func (c *Condition) Eval(in *Input) (bool, error) {
	if c.constant {
		in.idle()
		return c.value, nil
	}
	return c.eval(in)
}

func (c *Condition) eval(in *Input) (answer bool, err error) {
	f, err := interpreter.NewExecutionFrame(in)
	if err != nil {
		return false, c.evalError(err)
	}
	in.begin(f)
	// Some failures come as panics: overdrawn budgets, and whatever may go
	// wrong in cel-go with values for which its types were no proof.
	defer func() {
		if r := recover(); r != nil {
			answer, err = false, c.panicked(r)
		}
		f.Close()
	}()
	switch v := c.plan.Exec(f).(type) {
	case types.Bool:
		return bool(v), nil
	case *types.Err:
		return false, c.evalError(v)
	default:
		return false, c.evalError(errNotBool)
	}
}

// Constant returns the value of a condition that reads nothing that changes,
// such as 1 < 2 or true || args.x == 1. A linter asks, because such a
// condition is most likely a slip.
func (c *Condition) Constant() (value, ok bool) { return c.value, c.constant }

// ReadsArgs returns the names of the top-level parameters that the condition
// reads, sorted. A use of args as a whole, or by a name that is computed,
// adds "*".
func (c *Condition) ReadsArgs() []string { return c.reads }

// fold evaluates a condition that reads no input.
func (c *Condition) fold() *EvalError {
	v, err := c.eval(new(Input))
	if err != nil {
		return err.(*EvalError)
	}
	c.constant, c.value = true, v
	return nil
}
