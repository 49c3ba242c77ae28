package rules

import (
	"errors"
	"strconv"
	"strings"
)

// The classes of refusal, for errors.Is. Every *DeniedError is one of the
// first two; an outage is ErrUnavailable as well.
var (
	// ErrDenied: the call must not run.
	ErrDenied = errors.New("veto: call denied")
	// ErrEscalated: the call must not run until a human has approved it.
	ErrEscalated = errors.New("veto: call needs approval")
	// ErrUnavailable: the call is refused because something that the
	// decision needs was out of reach, not because a policy said no.
	ErrUnavailable = errors.New("veto: decision unavailable")
)

// DeniedError is the error of a call that was not allowed. It names what
// refused, never a value of the call.
//
// The errors that a decision returns are made when policies are loaded, are
// immutable, and are shared by all decisions with the same cause; so they have
// no decision id or time. The [Result] beside them has.
type DeniedError struct{ denial Denial }

// Denial is what a DeniedError says.
type Denial struct {
	Outcome   Outcome
	Code      Code
	PolicyID  string // "" where no policy decided
	RuleID    string
	Parameter string // of constraint_violated, as written in the policy
	Detail    string // of invalid_request and approvals, see [Basis]
}

// NewDeniedError returns the error that says d.
func NewDeniedError(d Denial) *DeniedError { return &DeniedError{d} }

// Denial returns what the error says; of nil, a denial by default.
func (e *DeniedError) Denial() Denial {
	if e == nil {
		return Denial{}
	}
	return e.denial
}

// Code returns the code of the denial, to switch on.
func (e *DeniedError) Code() Code { return e.Denial().Code }

// Error says what was refused and by what, on one line.
func (e *DeniedError) Error() string {
	var b strings.Builder
	d := e.Denial()
	if d.Outcome == Escalated {
		b.WriteString("veto: call needs approval: ")
	} else {
		b.WriteString("veto: call denied: ")
	}
	b.WriteString(d.Code.String())
	if d.Detail != "" {
		b.WriteString(": ")
		b.WriteString(d.Detail)
	}
	sep := " by "
	for _, part := range []struct{ name, value string }{
		{"policy ", d.PolicyID}, {"rule ", d.RuleID}, {"parameter ", d.Parameter},
	} {
		if part.value != "" {
			b.WriteString(sep)
			b.WriteString(part.name)
			b.WriteString(strconv.Quote(part.value))
			sep = ", "
		}
	}
	return b.String()
}

// Is reports whether target is the class that e belongs to.
func (e *DeniedError) Is(target error) bool {
	switch target {
	case ErrDenied:
		return e.Denial().Outcome != Escalated
	case ErrEscalated:
		return e.Denial().Outcome == Escalated
	case ErrUnavailable:
		return e.Code().Outage()
	default:
		return false
	}
}
