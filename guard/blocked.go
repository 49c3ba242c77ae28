package guard

import (
	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
)

// BlockedError is the error of a call that a guard did not let run. Its text
// may be shown to the model; Result has the reason for operators. It is also
// the error of the decision (veto.ErrDenied, veto.ErrEscalated,
// *veto.DeniedError), for errors.Is and errors.As.
type BlockedError struct {
	// Tool is the name that the policies know.
	Tool string
	// Result is the decision. Result.ApprovalID names the ticket of a call
	// that waits for a human.
	Result veto.Result
	// Err says why, for operators.
	Err error
}

// Error returns a sentence that may be shown to the model.
func (e *BlockedError) Error() string {
	if text := e.Result.ForModel(); text != "" {
		return text
	}
	return rules.Result{}.ForModel()
}

// Unwrap returns why.
func (e *BlockedError) Unwrap() error { return e.Err }
