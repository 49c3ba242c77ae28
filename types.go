package veto

import (
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// The words that most users need; package rules has the rest.
type (
	// Call is one tool call that an agent proposes.
	Call = rules.Call
	// Result is the decision on one call. The zero Result is a denial.
	Result = rules.Result
	// Outcome is denied (the zero value), allowed or escalated.
	Outcome = rules.Outcome
	// Code names the reason class of a decision.
	Code = rules.Code
	// Mode says what guards do with a decision; the zero value enforces.
	Mode = rules.Mode
	// PolicySet is a policy document, or several merged into one.
	PolicySet = rules.PolicySet
	// DeniedError is the error of a call that was not allowed.
	DeniedError = rules.DeniedError
	// Access is what an agent can get for a tool: never, may, escalates.
	Access = evaluator.Access
)

// The outcomes.
const (
	Denied    = rules.Denied
	Allowed   = rules.Allowed
	Escalated = rules.Escalated
)

// The modes.
const (
	Enforce = rules.Enforce
	Shadow  = rules.Shadow
	Log     = rules.Log
)

// The classes of refusal, for errors.Is.
var (
	// ErrDenied: the call must not run.
	ErrDenied = rules.ErrDenied
	// ErrEscalated: the call must not run until a human has approved it.
	ErrEscalated = rules.ErrEscalated
	// ErrUnavailable: the call is refused because something that the
	// decision needs was out of reach.
	ErrUnavailable = rules.ErrUnavailable
)
