package guard

import (
	"context"

	"github.com/useveto/veto-go/approval"
)

// Options are the options of a guard for a tool that returns an Out. The zero
// value of each field is its default.
type Options[Out any] struct {
	// Agent, Project, Session and User say who calls, where the context does
	// not.
	Agent   string
	Project string
	Session string
	User    string
	// Identity, if not nil, says who calls by a context of the framework's,
	// for what [WithIdentity] and the fields above leave open.
	Identity func(ctx context.Context) Identity
	// Values returns values for conditions to read as context, which the
	// host vouches for; nil for none.
	Values func(ctx context.Context) any

	// OnBlocked makes what the caller gets for a call that does not run, for
	// frameworks that should see a result and not an error. Default: the zero
	// Out and the error. Where it panics, that is what the caller gets.
	OnBlocked func(ctx context.Context, blocked *BlockedError) (Out, error)

	// Approver is asked, there and then, about calls that are escalated. It
	// and Wait need veto.Options.Approvals.
	Approver approval.Approver
	// Wait makes the guard wait for the approval of a call that is escalated,
	// until somebody has answered, the ticket has expired or the context is
	// done.
	Wait bool

	// Parameters are the names of the tool's parameters, where the type of
	// its arguments does not say: of maps and raw JSON.
	Parameters []string
}
