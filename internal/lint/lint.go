// Package lint finds what is valid in a policy set and most likely not meant.
//
// A finding is advice: [Lint] never changes a decision, and a set with
// findings loads. Each check has a file in testdata that it objects to, and
// one that it does not.
package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/internal/pattern"
	"github.com/useveto/veto-go/rules"
)

// Severity says how sure a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // cannot work as written
	Warning Severity = "warning" // most likely not what was meant
	Note    Severity = "note"    // worth a look
)

// Finding is one thing that was found. Its Hint is the advice.
type Finding struct {
	rules.Fault
	Severity Severity
	Check    string // the name of the check, such as unanchored-regex
}

// Signature is a tool as the model sees it.
type Signature struct {
	Name       string
	Parameters json.RawMessage // a JSON Schema of an object
}

// Lint returns what is odd about a valid set, in document order. With
// signatures, it also holds the constraints against the parameters that the
// tools have.
func Lint(set *rules.PolicySet, signatures []Signature) []Finding {
	l := &linter{set: set}
	l.index()
	for i := range set.Policies {
		if on(set.Policies[i].Enabled) {
			l.policy(i)
		}
	}
	for i := range set.ToolPolicies {
		l.toolPolicy(i)
	}
	l.signatures(signatures)
	return l.findings
}

type linter struct {
	set      *rules.PolicySet
	findings []Finding
	grants   []grant // of every policy that is on
}

// grant is a tool pattern that a policy lets its agents use.
type grant struct {
	policy  int // index in the set
	tool    string
	certain bool // not subject to a condition or a constraint
}

func on(b *bool) bool { return b == nil || *b }

// place is where a finding is: a policy, a rule of it, a member of that.
type place struct {
	policy, rule int   // rule -1: the policy itself
	member       []any // names, and indexes of arrays
}

func (l *linter) add(at place, severity Severity, check, message, advice string) {
	p := &l.set.Policies[at.policy]
	f := Finding{Severity: severity, Check: check, Fault: rules.Fault{Policy: p.ID, Message: message, Hint: advice}}
	steps := []docpath.Step{{Name: "policies"}, {Element: true, Index: at.policy}}
	if at.rule >= 0 {
		steps = append(steps, docpath.Step{Name: "rules"}, docpath.Step{Element: true, Index: at.rule})
		f.Rule = p.RuleID(at.rule)
	}
	for _, m := range at.member {
		switch m := m.(type) {
		case string:
			steps = append(steps, docpath.Step{Name: m})
		case int:
			steps = append(steps, docpath.Step{Element: true, Index: m})
		}
	}
	f.Path = docpath.Join(steps)
	l.findings = append(l.findings, f)
}

// index collects the grants.
func (l *linter) index() {
	for i := range l.set.Policies {
		p := &l.set.Policies[i]
		if !on(p.Enabled) || p.Shadow || p.Floor {
			continue
		}
		for j := range p.Rules {
			r := &p.Rules[j]
			for _, tool := range r.Tools {
				switch {
				case r.Type == rules.ToolAllowlist:
					l.grants = append(l.grants, grant{i, tool, r.When == "" && l.alone(p, tool)})
				case r.Type == rules.ParameterConstraint && tool != "*" && !l.set.StrictGrant:
					l.grants = append(l.grants, grant{i, tool, false})
				}
			}
		}
	}
}

// alone reports whether no rule of the policy can stand in the way of a grant
// of the tool.
func (l *linter) alone(p *rules.Policy, tool string) bool {
	for j := range p.Rules {
		r := &p.Rules[j]
		if r.Type != rules.ToolAllowlist && touches(r.Tools, tool) {
			return false
		}
	}
	return true
}

// covers reports whether every tool that matches b matches a.
func covers(a, b string) bool {
	text, prefix := pattern.Split(a)
	if prefix {
		return strings.HasPrefix(strings.TrimSuffix(b, "*"), text)
	}
	return a == b
}

// touches reports whether some tool can match both one of the patterns, where
// none means every tool, and b.
func touches(patterns []string, b string) bool {
	return patterns == nil || slices.ContainsFunc(patterns, func(a string) bool { return covers(a, b) || covers(b, a) })
}

// coversAll reports whether some pattern covers b.
func coversAll(patterns []string, b string) bool {
	return patterns == nil || slices.ContainsFunc(patterns, func(a string) bool { return covers(a, b) })
}

// sameAgents reports whether a policy for agents a is about every agent that
// one for b is about.
func sameAgents(a, b string) bool { return covers(a, b) }

func sameProject(a, b *string) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func quoted(tools []string) string {
	if len(tools) > 3 {
		return fmt.Sprintf("%q and %d more", tools[0], len(tools)-1)
	}
	out := make([]string, len(tools))
	for i, t := range tools {
		out[i] = fmt.Sprintf("%q", t)
	}
	return strings.Join(out, ", ")
}
