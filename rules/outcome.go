package rules

import "fmt"

// Outcome is the answer to one call. The zero value denies.
type Outcome uint8

const (
	// Denied means the call must not run.
	Denied Outcome = iota
	// Allowed means the call may run.
	Allowed
	// Escalated means a human must approve first; the call must not run now.
	Escalated
)

var outcomeNames = [...]string{Denied: "denied", Allowed: "allowed", Escalated: "escalated"}

// String returns "denied", "allowed" or "escalated"; an Outcome that is none
// of the three reads as "denied".
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[Denied]
}

// MarshalText writes the name that String returns.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads a name that MarshalText writes.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range outcomeNames {
		if name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("rules: unknown outcome %q: want denied, allowed or escalated", text)
}

// Mode says what callers do with the decisions of an Authorizer. The zero
// value enforces.
type Mode uint8

const (
	// Enforce is the default: a call runs only when the decision allows it.
	Enforce Mode = iota
	// Shadow makes guards run the tool whatever the policies say, and record
	// what they would have said. Invalid requests, agents that are suspended,
	// revoked or unknown, cancellation and errors still refuse.
	Shadow
	// Log is Shadow with a warning in the log for every decision that did not
	// allow.
	Log
)

var modeNames = [...]string{Enforce: "enforce", Shadow: "shadow", Log: "log"}

// String returns "enforce", "shadow" or "log"; a Mode that is none of the
// three reads as "enforce".
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return modeNames[Enforce]
}

// MarshalText writes the name that String returns.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a name that MarshalText writes.
func (m *Mode) UnmarshalText(text []byte) error {
	for i, name := range modeNames {
		if name == string(text) {
			*m = Mode(i)
			return nil
		}
	}
	return fmt.Errorf("rules: unknown mode %q: want enforce, shadow or log", text)
}
