package evaluator

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/rules"
)

// unsupported reports what a valid set asks for and this version cannot
// decide. Nothing of it is ever ignored: a set that asks for it does not load.
func unsupported(set *rules.PolicySet) []rules.Fault {
	var faults []rules.Fault
	for i := range set.Policies {
		p := &set.Policies[i]
		for j := range p.Rules {
			r := &p.Rules[j]
			add := func(path, what, hint string) {
				faults = append(faults, rules.Fault{
					Path:   fmt.Sprintf("policies[%d].rules[%d].%s", i, j, path),
					Policy: p.ID, Rule: p.RuleID(j),
					Message: what + " cannot be decided by this version", Hint: hint,
				})
			}
			switch r.Type {
			case rules.Budgeted:
				add("type", "a budget rule", "remove it; budgets come with a later version")
			case rules.Sequenced:
				add("type", "a sequence rule", "remove it; sequences come with a later version")
			case rules.RateLimited:
				if r.RateLimit == nil {
					continue // that is a fault of its own
				}
				if slices.Contains(r.RateLimit.Per, "session") {
					add("rateLimit.per", `a rate limit per "session"`, "use other key parts; sessions come with a later version")
				}
				if r.RateLimit.Algorithm == "token_bucket" {
					add("rateLimit.algorithm", "the algorithm token_bucket", "leave it out for a rolling window")
				}
			}
		}
	}
	for i := range set.ToolPolicies {
		if t := &set.ToolPolicies[i]; t.SessionConstraints != nil {
			faults = append(faults, rules.Fault{
				Path:    fmt.Sprintf("toolPolicies[%d].sessionConstraints", i),
				Policy:  t.PolicyID(),
				Message: "session constraints cannot be decided by this version",
				Hint:    "remove them; sessions come with a later version",
			})
		}
	}
	return faults
}

// PartialFaults returns the faults of the conditions of a set, and of what
// this version cannot decide, where the set has other faults: parts of it may
// lack, and lists that a condition names may be among them.
func PartialFaults(set *rules.PolicySet) []rules.Fault {
	faults := unsupported(set)
	c := newCompiler(set, &Options{})
	for i := range set.Policies {
		p := &set.Policies[i]
		for j := range p.Rules {
			r := &p.Rules[j]
			try := func(path, source string, kind condition.Kind) {
				if source == "" || len(source) > condition.MaxSource || strings.Contains(source, "inList") {
					return
				}
				if _, err := c.conditions.Compile(source, kind); err != nil {
					faults = append(faults, rules.Fault{
						Path: fmt.Sprintf("policies[%d].rules[%d].%s", i, j, path), Policy: p.ID, Rule: p.RuleID(j), Message: err.Error(),
					})
				}
			}
			try("when", r.When, condition.When)
			for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
				var top docpath.Path
				parameters := top.Member("parameters")
				parameter := parameters.Member(name)
				at := parameter.Member("expression")
				try(at.String(), r.Parameters[name].Expression, condition.Value)
			}
		}
	}
	return faults
}
