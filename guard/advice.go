package guard

import (
	"errors"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
)

// What operators are told to do.
var (
	errNoAgent     = errors.New("there is no agent; set Options.Agent, or call with guard.WithAgent")
	errNoSession   = errors.New("there is no session; open one with Authorizer.OpenSession, and set Options.Session or call with guard.WithSession")
	errNotOpen     = errors.New("the session is not open in this project; open it with Authorizer.OpenSession")
	errNoApprovals = errors.New("nobody was asked, as the Authorizer has no approvals; set veto.Options.Approvals")
	errNoTicket    = errors.New("nobody was asked, as no ticket could be opened; the log of the Authorizer says why")
)

// advice says what the host could do about a call that was blocked because of
// something that it has left out, nil where there is nothing.
func (r *run[Out]) advice() error {
	switch {
	case r.who.Agent == "":
		return errNoAgent
	case r.result.Code == rules.CodeSessionUnknown && r.who.Session == "":
		return errNoSession
	case r.result.Code == rules.CodeSessionUnknown:
		return errNotOpen
	case r.result.Outcome != veto.Escalated || r.result.ApprovalID != "":
		return nil
	case r.g.auth.Approvals() == nil:
		return errNoApprovals
	default:
		return errNoTicket
	}
}
