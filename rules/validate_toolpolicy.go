package rules

import "fmt"

// PolicyID returns the id under which the tool policy decides, which is also
// its name: tool:<tool>, or tool:<project>/<tool>.
func (p *ToolPolicy) PolicyID() string {
	if p.ProjectID != nil {
		return "tool:" + *p.ProjectID + "/" + p.ToolName
	}
	return "tool:" + p.ToolName
}

func (v *validator) toolPolicies(p *path) {
	if len(v.set.ToolPolicies) == 0 {
		return
	}
	seen := make(map[string]int, len(v.set.ToolPolicies))
	at := p.Member("toolPolicies")
	for i := range v.set.ToolPolicies {
		tool, at := &v.set.ToolPolicies[i], at.Element(i)
		v.policyID = tool.PolicyID()
		name := at.Member("toolName")
		if v.toolName(&name, tool.ToolName) {
			v.unique(&name, "tool policy", v.policyID, seen, i)
		}
		v.checkToolPolicy(&at, tool)
	}
	// The two kinds share one space of ids.
	at = p.Member("policies")
	for i := range v.set.Policies {
		if _, taken := seen[v.set.Policies[i].ID]; taken {
			policy := at.Element(i)
			v.policyID = v.set.Policies[i].ID
			v.wrong(&policy, "id", fmt.Sprintf("policy %q has the id of a tool policy", v.policyID), "")
		}
	}
	v.policyID = ""
}

// toolName checks an exact tool name.
func (v *validator) toolName(p *path, name string) bool {
	if name == "" {
		v.fault(p, "the name of the tool is missing", "")
		return false
	}
	message := patternFault(name)
	if message == "" && name[len(name)-1] != '*' {
		return true
	}
	v.fault(p, fmt.Sprintf("%q is not the name of a tool", name), `here one exact name is given: printable ASCII without space and "*", at most 255 bytes`)
	return false
}

func (v *validator) checkToolPolicy(p *path, t *ToolPolicy) {
	v.optionalText(p, "id", t.ID, MaxName)
	v.project(p, t.ProjectID)
	switch t.Mode {
	case "deterministic":
	case "":
		v.wrong(p, "mode", "the mode is missing", "deterministic is the one that is decided here")
	case "llm":
		v.wrong(p, "mode", "mode llm is decided by the service only", "deterministic is the one that is decided here")
	default:
		v.choice(p, "mode", t.Mode, "deterministic")
	}
	v.size(p, "version", t.Version)
	if len(t.Constraints) > MaxParameters {
		v.wrong(p, "constraints", fmt.Sprintf("there are %d constraints", len(t.Constraints)), fmt.Sprintf("at most %d", MaxParameters))
	}
	at := p.Member("constraints")
	for i := range t.Constraints {
		e := at.Element(i)
		v.toolConstraint(&e, &t.Constraints[i])
	}
	if t.SessionConstraints != nil {
		at := p.Member("sessionConstraints")
		v.sessionConstraints(&at, t.SessionConstraints)
	}
}

func (v *validator) toolConstraint(p *path, c *ToolConstraint) {
	name := p.Member("argumentName")
	v.parameterName(&name, c.ArgumentName, false)
	v.violation(p, "action", c.Action)
	v.number(p, "minimum", c.Minimum)
	v.number(p, "greaterThanOrEqual", c.GreaterThanOrEqual)
	v.number(p, "maximum", c.Maximum)
	v.number(p, "lessThanOrEqual", c.LessThanOrEqual)
	v.number(p, "greaterThan", c.GreaterThan)
	v.number(p, "lessThan", c.LessThan)
	v.twice(p, "minimum", c.Minimum != nil, "greaterThanOrEqual", c.GreaterThanOrEqual != nil)
	v.twice(p, "maximum", c.Maximum != nil, "lessThanOrEqual", c.LessThanOrEqual != nil)
	v.regex(p, "regex", c.Regex, false, false)
	v.regex(p, "notRegex", c.NotRegex, false, false)
	v.enum(p, "enum", c.Enum)
	v.enum(p, "in", c.In)
	v.enum(p, "notEnum", c.NotEnum)
	v.enum(p, "notIn", c.NotIn)
	v.twice(p, "enum", c.Enum != nil, "in", c.In != nil)
	v.twice(p, "notEnum", c.NotEnum != nil, "notIn", c.NotIn != nil)
	v.size(p, "minLength", c.MinLength)
	v.size(p, "maxLength", c.MaxLength)
	v.size(p, "minItems", c.MinItems)
	v.size(p, "maxItems", c.MaxItems)
}

// twice notes that one check is given under both of its names.
func (v *validator) twice(p *path, a string, hasA bool, b string, hasB bool) {
	if hasA && hasB {
		v.wrong(p, b, fmt.Sprintf("%s and %s are one check", a, b), "give one of them")
	}
}

func (v *validator) sessionConstraints(p *path, s *SessionConstraints) {
	if s.MaxCalls != nil {
		v.within(p, "maxCalls", *s.MaxCalls, 1, MaxCalls)
	}
	if s.Budget != nil {
		v.amount(p, "budget", s.Budget)
	}
	switch {
	case s.Budget != nil && s.SpendArgument == "":
		v.wrong(p, "spendArgument", "a budget needs spendArgument", "name the argument that holds the amount")
	case s.Budget == nil && s.SpendArgument != "":
		v.wrong(p, "budget", "spendArgument needs a budget", "")
	case s.SpendArgument != "":
		v.single(p, "spendArgument", s.SpendArgument)
	}
	if len(s.CumulativeLimits) > MaxParameters {
		v.wrong(p, "cumulativeLimits", fmt.Sprintf("there are %d limits", len(s.CumulativeLimits)), fmt.Sprintf("at most %d", MaxParameters))
	}
	at := p.Member("cumulativeLimits")
	for i := range s.CumulativeLimits {
		e := at.Element(i)
		v.single(&e, "argumentName", s.CumulativeLimits[i].ArgumentName)
		v.amount(&e, "maxValue", s.CumulativeLimits[i].MaxValue)
	}
	if len(s.Counters) > MaxParameters {
		v.wrong(p, "counters", fmt.Sprintf("there are %d counters", len(s.Counters)), fmt.Sprintf("at most %d", MaxParameters))
	}
	at = p.Member("counters")
	for _, name := range sortedKeys(s.Counters) {
		c, e := s.Counters[name], at.Member(name)
		v.counter(&e, name, &c)
	}
}

func (v *validator) counter(p *path, name string, c *SessionCounter) {
	v.text(p, "the name of a counter", name, MaxName)
	if c.Increment == nil {
		v.wrong(p, "increment", "a counter needs tools that count it up", "")
	} else {
		v.tools(p, "increment", c.Increment)
	}
	if len(c.Decrement) > 0 {
		v.tools(p, "decrement", c.Decrement)
	}
	if c.Max == nil {
		v.wrong(p, "max", "max is missing", "")
	} else {
		v.within(p, "max", *c.Max, 0, MaxCalls)
	}
	v.violation(p, "maxAction", c.MaxAction)
}
