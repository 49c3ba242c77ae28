package lint

import (
	"cmp"
	"fmt"

	"github.com/useveto/veto-go/rules"
)

// inTools is the advice for tool policies, whose constraints have fewer
// checks. What stands in the policies of agents holds beside them.
var inTools = advice{
	path:  `use within, in a parameter_constraint of a policy: it knows "..", "//" and escapes`,
	url:   "use hosts, in a parameter_constraint of a policy: it knows user names, ports and other ways to write a host",
	whole: "put ^(?: before it and )$ after it",
	word:  inRules.word,
}

// toolPolicy looks at the constraints of a tool policy.
func (l *linter) toolPolicy(i int) {
	t := &l.set.ToolPolicies[i]
	if !on(t.IsActive) {
		return
	}
	for j := range t.Constraints {
		c := &t.Constraints[j]
		if !on(c.Enabled) {
			continue
		}
		add := func(member string) func(severity Severity, check, message, advice string) {
			return func(severity Severity, check, message, advice string) {
				l.findings = append(l.findings, Finding{Severity: severity, Check: check, Fault: rules.Fault{
					Path: fmt.Sprintf("toolPolicies[%d].constraints[%d].%s", i, j, member), Policy: t.PolicyID(), Message: message, Hint: advice,
				}})
			}
		}
		if c.Regex != nil {
			l.regexFindings(c.ArgumentName, *c.Regex, false, &inTools, add("regex"))
		}
		bounds := rules.Constraint{
			Min: cmp.Or(c.Minimum, c.GreaterThanOrEqual), Max: cmp.Or(c.Maximum, c.LessThanOrEqual),
			GreaterThan: c.GreaterThan, LessThan: c.LessThan,
			MinLength: c.MinLength, MaxLength: c.MaxLength, MinItems: c.MinItems, MaxItems: c.MaxItems,
		}
		if member := emptyRange(&bounds); member != "" {
			if member == "min" {
				member = "minimum"
				if c.Minimum == nil {
					member = "greaterThanOrEqual"
				}
			}
			add(member)(Error, "empty-range", rangeMessage, rangeAdvice)
		}
	}
}
