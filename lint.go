package veto

import (
	"encoding/json"
	"fmt"

	"github.com/useveto/veto-go/internal/lint"
	"github.com/useveto/veto-go/internal/policydoc"
	"github.com/useveto/veto-go/rules"
)

// Finding is something about a policy document that is valid and most likely
// not meant. Hint is the advice.
type Finding struct {
	Fault Fault
	// Severity is "error" (cannot work as written), "warning" or "note".
	Severity string
	// Check names what was looked for, such as unanchored-regex.
	Check string
}

// String renders the finding on one line.
func (f Finding) String() string { return f.Severity + ": " + f.Fault.Error() + " [" + f.Check + "]" }

// ToolSignature is a tool as a model sees it.
type ToolSignature struct {
	Name string
	// Parameters is the JSON Schema of the tool's parameters, an object;
	// nil where it is not known.
	Parameters json.RawMessage
}

func linted(set *PolicySet, signatures []ToolSignature) []lint.Finding {
	if set == nil {
		return nil
	}
	if faults := rules.Validate(set); len(faults) > 0 {
		findings := make([]lint.Finding, len(faults))
		for i, f := range faults {
			findings[i] = lint.Finding{Fault: f, Severity: lint.Error, Check: "invalid"}
		}
		return findings
	}
	tools := make([]lint.Signature, len(signatures))
	for i, s := range signatures {
		tools[i] = lint.Signature(s)
	}
	return lint.Lint(set, tools)
}

// Lint returns what is odd about a set that can be loaded, such as regular
// expressions without anchors, grants that are never reached and limits that
// bind nothing. With signatures, a constraint on a parameter that the tool does
// not have is an error, and a tool that no rule names a note. A set that
// cannot be loaded gives its faults. It changes nothing. See [LintFile] for findings with lines.
func Lint(set *PolicySet, signatures []ToolSignature) []Finding {
	found := linted(set, signatures)
	out := make([]Finding, len(found))
	for i, f := range found {
		out[i] = Finding{Fault: Fault{Fault: f.Fault}, Severity: string(f.Severity), Check: f.Check}
	}
	return out
}

// LintFile is Lint for the document in a file, or the documents of a
// directory as by [LoadDir]. The findings have files and lines. The error is
// that of a document that cannot be loaded.
func LintFile(path string, signatures []ToolSignature) ([]Finding, error) {
	s := (&watcher{path: path}).look()
	if s.err != nil {
		return nil, fmt.Errorf("veto: %w", s.err)
	}
	if _, err := load(s.files); err != nil {
		return nil, err
	}
	// The loader places faults and knows no findings: they are recognised by
	// what they say.
	type words struct{ policy, rule, message, hint string }
	said := func(f rules.Fault) words { return words{f.Policy, f.Rule, f.Message, f.Hint} }
	kinds := make(map[words]lint.Finding)
	_, placed := policydoc.Load(s.files, func(set *PolicySet) []rules.Fault {
		var faults []rules.Fault
		for _, f := range linted(set, signatures) {
			kinds[said(f.Fault)] = f
			faults = append(faults, f.Fault)
		}
		return faults
	})
	out := make([]Finding, len(placed))
	for i, f := range placed {
		kind := kinds[said(f.Fault)]
		out[i] = Finding{
			Fault:    Fault{File: f.File, Line: f.Line, Column: f.Column, Fault: f.Fault},
			Severity: string(kind.Severity), Check: kind.Check,
		}
	}
	return out, nil
}
