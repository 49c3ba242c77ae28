package evaluator

import (
	"fmt"
	"slices"

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
