package condition

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// EvalError says why a condition has no answer, and where. It holds no value
// of the call, so that it can be recorded.
type EvalError struct {
	// Line and Column, from 1, are where the expression failed; 0 where that
	// is not known.
	Line, Column int
	// Reason is one of a fixed set of sentences without subject, such as
	// "reads a value that is absent".
	Reason string
}

// Error implements error: "1:7: reads a value that is absent".
func (e *EvalError) Error() string {
	if e.Line == 0 {
		return "the condition " + e.Reason
	}
	return fmt.Sprintf("%d:%d: the condition %s", e.Line, e.Column, e.Reason)
}

// evalError is a failure of our own, as opposed to one of cel-go's.
type evalError struct{ text string }

func (e *evalError) Error() string { return e.text }

var (
	errAbsent     = &evalError{"reads a value that is absent"}
	errType       = &evalError{"uses a value of the wrong type"}
	errLongString = &evalError{fmt.Sprintf("reads or makes a string of more than %d bytes", MaxString)}
	errLongList   = &evalError{fmt.Sprintf("reads or makes a list of more than %d elements", MaxList)}
	errBudget     = &evalError{"takes more than it may"}
	errInexact    = &evalError{"compares an integer with a fraction beyond 2^53"}
	errRange      = &evalError{"has an index or number out of range"}
	errArithmetic = &evalError{"overflows or divides by zero"}
	errRegex      = &evalError{"matches a regular expression against a string that is too long for it"}
	errRefused    = &evalError{"reads a URL or address that is not well formed"}
	errNotBool    = &evalError{"is not a boolean"}
	errOther      = &evalError{"cannot be evaluated"}
)

// newErr returns a new CEL error: cel-go writes positions into the ones that
// it meets, so none may be shared.
func newErr(e *evalError) ref.Val { return types.WrapErr(e) }

func init() {
	// These two are shared by cel-go itself, which writes the position of the
	// first failure into them without a lock. With a position they are left
	// alone.
	types.LabelErrNode(-1, types.NoSuchOverloadErr())
	types.LabelErrNode(-1, types.Timestamp{}.Add(types.Duration{Duration: -1 << 62}))
}

// evalError makes the error of an evaluation presentable.
func (c *Condition) evalError(err error) error {
	out := &EvalError{Reason: reason(err)}
	if e := (*types.Err)(nil); errors.As(err, &e) && e.NodeID() > 0 {
		loc := c.source.GetStartLocation(e.NodeID())
		out.Line, out.Column = loc.Line(), loc.Column()+1
	}
	return out
}

// panicked makes the error of an evaluation that ended in a panic.
func (c *Condition) panicked(r any) error {
	if own, ok := r.(*evalError); ok {
		return c.evalError(own)
	}
	return c.evalError(errOther)
}

// reason picks the sentence for an error. The texts of cel-go are looked at
// only for that: whatever they are, an error is an error.
func reason(err error) string {
	var own *evalError
	if errors.As(err, &own) {
		return own.text
	}
	text := err.Error()
	for _, r := range reasons {
		if strings.Contains(text, r.part) {
			return r.err.text
		}
	}
	return errOther.text
}

var reasons = []struct {
	part string
	err  *evalError
}{
	{"no such key", errAbsent},
	{"no such attribute", errAbsent},
	{"index out of bounds", errAbsent},
	{"no such overload", errType},
	{"overflow", errArithmetic},
	{"division by zero", errArithmetic},
	{"modulus by zero", errArithmetic},
	{"conversion", errType},
	{"iterable", errType},
}
