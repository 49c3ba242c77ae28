package lint

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/pattern"
	"github.com/useveto/veto-go/rules"
)

// signatures holds the set against the tools that there are.
func (l *linter) signatures(tools []Signature) {
	for _, s := range tools {
		var schema struct {
			Properties map[string]json.RawMessage `json:"properties"`
		}
		err := json.Unmarshal(s.Parameters, &schema)
		if s.Parameters != nil && err != nil {
			l.findings = append(l.findings, Finding{Severity: Error, Check: "bad-signature", Fault: rules.Fault{
				Message: fmt.Sprintf("the parameters of tool %q are no JSON Schema of an object", s.Name), Hint: "give the schema that the model sees, or none",
			}})
		}
		known := err == nil && schema.Properties != nil
		ruled := false
		for i := range l.set.Policies {
			p := &l.set.Policies[i]
			if !on(p.Enabled) {
				continue
			}
			for j := range p.Rules {
				r := &p.Rules[j]
				// A rule about every tool says nothing about this one.
				if !slices.ContainsFunc(r.Tools, func(t string) bool { return t != "*" && pattern.Match(t, s.Name) }) {
					continue
				}
				ruled = true
				if known {
					l.parameters(place{policy: i, rule: j}, r, s.Name, schema.Properties)
				}
			}
		}
		for i := range l.set.ToolPolicies {
			t := &l.set.ToolPolicies[i]
			if t.ToolName != s.Name {
				continue
			}
			ruled = true
			for j := range t.Constraints {
				name := topLevel(t.Constraints[j].ArgumentName)
				if _, has := schema.Properties[name]; known && !has && name != "*" {
					l.findings = append(l.findings, Finding{Severity: Error, Check: "unknown-parameter", Fault: rules.Fault{
						Path: fmt.Sprintf("toolPolicies[%d].constraints[%d].argumentName", i, j), Policy: t.PolicyID(),
						Message: fmt.Sprintf("tool %q has no parameter %q", s.Name, name), Hint: listed(schema.Properties),
					}})
				}
			}
		}
		if !ruled {
			l.findings = append(l.findings, Finding{Severity: Note, Check: "tool-without-rule", Fault: rules.Fault{
				Message: fmt.Sprintf("no rule names tool %q", s.Name), Hint: "a tool that nothing grants is denied; say so with a tool_denylist, or grant it",
			}})
		}
	}
}

// parameters looks for constraints on parameters that the tool does not have.
func (l *linter) parameters(at place, r *rules.Rule, tool string, has map[string]json.RawMessage) {
	each := func(params map[string]rules.Constraint, member ...any) {
		for _, name := range slices.Sorted(maps.Keys(params)) {
			top := topLevel(name)
			if _, ok := has[top]; !ok && top != "*" {
				l.add(at.in(append(slices.Clone(member), name)...), Error, "unknown-parameter", fmt.Sprintf("tool %q has no parameter %q", tool, top), listed(has))
			}
		}
	}
	if r.When != "" {
		if c, err := condition.NewEnv(l.conditions()).Compile(r.When, condition.When); err == nil {
			for _, name := range c.ReadsArgs() {
				if _, ok := has[name]; !ok && name != "*" {
					l.add(at.in("when"), Error, "unknown-parameter", fmt.Sprintf("tool %q has no parameter %q", tool, name), listed(has))
				}
			}
		}
	}
	each(r.Parameters, "parameters")
	for i, params := range r.AnyOf {
		each(params, "anyOf", i)
	}
}

// listed names the parameters that there are.
func listed(parameters map[string]json.RawMessage) string {
	return "it has " + quoted(slices.Sorted(maps.Keys(parameters)))
}
