package evaluator

import (
	"cmp"
	"fmt"

	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/rules"
)

// toolPolicy compiles tool policy number i of the set: a policy before every
// priority, with an allowlist of its tool, which grants after every priority,
// and a rule for each constraint.
func (c *compiler) toolPolicy(i int, order int32) *policy {
	src := &c.set.ToolPolicies[i]
	id := src.PolicyID()
	p := &policy{
		id: id, name: id, priority: toolPriority, order: order,
		flags: policyFlags{tool: true}, digest: digest(src),
	}
	s := c.scope(src.ProjectID)
	if s.tools == nil {
		s.tools = new(unit)
	}
	tools := []string{src.ToolName}
	add := func(r *rule) {
		r.policy, r.tools, r.index = p, tools, int32(len(p.rules))
		p.rules = append(p.rules, r)
		c.enter(s.tools, r)
	}
	add(&rule{kind: allowlist, id: "tool"})
	for j := range src.Constraints {
		tc := &src.Constraints[j]
		if !on(tc.Enabled) {
			continue
		}
		params := map[string]rules.Constraint{tc.ArgumentName: constraintOf(tc)}
		set, faults := constraint.Compile(params, c.env)
		for _, f := range faults {
			f.Path = fmt.Sprintf("toolPolicies[%d].constraints[%d]", i, j)
			f.Policy = id
			c.faults = append(c.faults, f)
		}
		add(&rule{
			kind: parameterConstraint, id: fmt.Sprintf("constraints[%d]", j),
			body: &constraintBody{anyOf: []*constraint.Set{set}},
			soft: tc.Action == rules.EscalateOnViolation,
		})
	}
	c.sessionRules(src, add)
	return p
}

// constraintOf is the constraint under the names of the other form.
func constraintOf(t *rules.ToolConstraint) rules.Constraint {
	either := func(a, b []rules.Scalar) []rules.Scalar {
		if a != nil {
			return a
		}
		return b
	}
	return rules.Constraint{
		Regex: t.Regex, NotRegex: t.NotRegex,
		Enum: either(t.Enum, t.In), NotEnum: either(t.NotEnum, t.NotIn),
		Min:         cmp.Or(t.Minimum, t.GreaterThanOrEqual),
		Max:         cmp.Or(t.Maximum, t.LessThanOrEqual),
		GreaterThan: t.GreaterThan, LessThan: t.LessThan,
		MinLength: t.MinLength, MaxLength: t.MaxLength,
		MinItems: t.MinItems, MaxItems: t.MaxItems,
		MustBe: t.MustBe,
		// Null denies whatever notNull says: there is no nullable here.
		Optional: !on(t.Required),
	}
}
