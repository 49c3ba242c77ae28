package rules

import "strings"

// Fault is one thing that is wrong with a policy set: where it is, what is
// wrong, and what to do about it.
type Fault struct {
	// Path leads to the fault from the top of the document, as in
	// policies[3].rules[0].rateLimit.maxCalls. A map key that is not a plain
	// word is quoted: parameters["/to/*"].
	Path string
	// Policy and Rule are the ids of what the fault is in, where known.
	Policy string
	Rule   string
	// Message says what is wrong; Hint, if any, what to write instead.
	Message string
	Hint    string
}

// Error renders the fault on one line, or as many as the message has.
func (f Fault) Error() string {
	var b strings.Builder
	if f.Path != "" {
		b.WriteString(f.Path)
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	if f.Hint != "" {
		b.WriteString("; ")
		b.WriteString(f.Hint)
	}
	return b.String()
}

// Faults is a list of faults as one error.
type Faults []Fault

// Error renders the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "\n")
}
