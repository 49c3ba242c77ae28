package twin

import "github.com/useveto/veto-go/rules"

func (g *Generator) toolPolicies() []rules.ToolPolicy {
	var policies []rules.ToolPolicy
	seen := map[string]bool{}
	for range 1 + g.r.IntN(3) {
		t := rules.ToolPolicy{ToolName: pick(g, "read", "Read", "write", "file.read"), Mode: "deterministic"}
		if g.chance(40) {
			t.ProjectID = ptr(pick(g, projects...))
		}
		if g.chance(10) {
			t.IsActive = ptr(g.chance(50))
		}
		for range g.r.IntN(3) {
			if !g.Stateful {
				t.Constraints = append(t.Constraints, g.toolConstraint())
			}
		}
		if g.Stateful || g.chance(40) {
			t.SessionConstraints = g.sessionConstraints()
		}
		if !seen[t.PolicyID()] {
			policies = append(policies, t)
		}
		seen[t.PolicyID()] = true
	}
	return policies
}

// toolConstraint is a constraint under the names that tool policies have.
func (g *Generator) toolConstraint() rules.ToolConstraint {
	name := pick(g, parameterNames...)
	c := g.constraint(name)
	t := rules.ToolConstraint{
		ArgumentName: name, Action: pick(g, "", rules.DenyOnViolation, rules.EscalateOnViolation),
		GreaterThan: c.GreaterThan, LessThan: c.LessThan, Regex: c.Regex, NotRegex: c.NotRegex,
		MinLength: c.MinLength, MaxLength: c.MaxLength, MinItems: c.MinItems, MaxItems: c.MaxItems, MustBe: c.MustBe,
	}
	if g.chance(50) {
		t.Minimum, t.Maximum, t.Enum, t.NotEnum = c.Min, c.Max, c.Enum, c.NotEnum
	} else {
		t.GreaterThanOrEqual, t.LessThanOrEqual, t.In, t.NotIn = c.Min, c.Max, c.Enum, c.NotEnum
	}
	if g.chance(50) {
		t.Required = ptr(g.chance(30))
	}
	if g.chance(20) {
		t.NotNull = ptr(g.chance(50))
	}
	if g.chance(10) {
		t.Enabled = ptr(g.chance(50))
	}
	return t
}
