package lint

import (
	"fmt"
	"regexp"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/pattern"
	"github.com/useveto/veto-go/rules"
)

// policy looks at one policy as a whole, and at its rules.
func (l *linter) policy(i int) {
	p := &l.set.Policies[i]
	var allows, denies, constrains, limits bool
	for j := range p.Rules {
		switch r := &p.Rules[j]; r.Type {
		case rules.ToolAllowlist:
			allows = true
		case rules.ToolDenylist:
			denies = true
		case rules.ParameterConstraint:
			constrains = constrains || r.Tools != nil
		case rules.RateLimited:
			limits = true
		}
	}
	whole := place{policy: i, rule: -1}
	if denies && !allows && !constrains && !limits && !p.Floor && !l.grantsTo(p, nil) {
		l.add(whole, Warning, "denylist-only", "the policy only denies, and nothing grants: every call of its agents is denied anyway",
			"add a tool_allowlist of what the agents may use")
	}
	if constrains && !allows && !p.Floor && !p.Shadow {
		l.add(whole, Note, "no-allowlist", "the policy grants by its constraints alone",
			"name the tools in a tool_allowlist too, and set strictGrant, so that a constraint that is taken out does not take the tool with it or leave it open")
	}
	if p.ProjectID != nil && !p.Shadow {
		l.projectRestricts(i)
		l.projectDrops(i)
	}
	l.shadowedPolicy(i)
	l.unnamedLimits(i)
	for j := range p.Rules {
		l.rule(place{policy: i, rule: j}, p, &p.Rules[j])
	}
}

// unnamedLimits looks for limits that are told apart by their place only: a
// rule that is put before one of them takes over what it has counted.
func (l *linter) unnamedLimits(i int) {
	p := &l.set.Policies[i]
	limits, unnamed := 0, -1
	for j := range p.Rules {
		if p.Rules[j].Type != rules.RateLimited {
			continue
		}
		limits++
		if p.Rules[j].ID == "" && unnamed < 0 {
			unnamed = j
		}
	}
	if limits > 1 && unnamed >= 0 {
		l.add(place{policy: i, rule: unnamed}, Note, "unnamed-limit",
			"the policy has several limits, and this one has no id: what it counted is kept under its place among them",
			"give each limit an id, so that a limit that is added does not take over another's count")
	}
}

var comparesTool = regexp.MustCompile(`\btool\s*(==|!=|in\b)|(==|!=)\s*tool\b`)

// grantsTo reports whether something grants one of the tools (nil: any) to
// agents of the policy, in its scope.
func (l *linter) grantsTo(p *rules.Policy, tools []string) bool {
	for _, g := range l.grants {
		q := &l.set.Policies[g.policy]
		if (sameAgents(q.AgentID, p.AgentID) || sameAgents(p.AgentID, q.AgentID)) && sameProject(p.ProjectID, q.ProjectID) && touches(tools, g.tool) {
			return true
		}
	}
	return len(l.set.ToolPolicies) > 0
}

// projectRestricts looks for rules of a project that restrict tools which
// nothing in the project grants: a project's policies replace the
// organisation's, so such a rule denies its tools altogether.
func (l *linter) projectRestricts(i int) {
	p := &l.set.Policies[i]
	for j := range p.Rules {
		r := &p.Rules[j]
		if r.Type == rules.ToolAllowlist || r.Type == rules.ToolDenylist || r.Type == rules.ParameterConstraint && r.Tools != nil {
			continue
		}
		if !l.grantsTo(p, r.Tools) {
			l.add(place{policy: i, rule: j}, Warning, "project-restricts-nothing",
				"nothing in the project grants the tools that this rule restricts; as a project's policies replace the organisation's, they are denied in it",
				"grant the tools in the project too, or make the policy an organisation-wide floor")
		}
	}
}

// projectDrops looks for grants of a project whose tools the organisation
// restricts: there the project's policies replace the organisation's, and
// what they do not repeat is gone.
func (l *linter) projectDrops(i int) {
	p := &l.set.Policies[i]
	for _, g := range l.grants {
		if g.policy != i || l.restricts(p.ProjectID, p.AgentID, g.tool, false) {
			continue
		}
		if l.restricts(nil, p.AgentID, g.tool, true) {
			l.add(place{policy: i, rule: -1}, Warning, "project-drops-restriction",
				fmt.Sprintf("the organisation's policies restrict %q; in this project they are replaced, and nothing here restricts it", g.tool),
				"repeat the restriction here, or make the organisation's policy a floor, which no project replaces")
			return
		}
	}
}

// restricts reports whether a policy of the project (nil: organisation-wide),
// for the agents, has a restriction of the tool. Floors do not count where
// they stay in force.
func (l *linter) restricts(project *string, agents, tool string, replaced bool) bool {
	for i := range l.set.Policies {
		q := &l.set.Policies[i]
		if !on(q.Enabled) || q.Shadow || replaced && q.Floor || !sameProject(project, q.ProjectID) || !sameAgents(q.AgentID, agents) && !sameAgents(agents, q.AgentID) {
			continue
		}
		for j := range q.Rules {
			if r := &q.Rules[j]; r.Type != rules.ToolAllowlist && touches(r.Tools, tool) {
				return true
			}
		}
	}
	return false
}

// shadowedPolicy looks for a policy of which no grant is ever reached, since
// one before it has always decided.
func (l *linter) shadowedPolicy(i int) {
	p := &l.set.Policies[i]
	if p.Floor || p.Shadow {
		return
	}
	any := false
	for _, g := range l.grants {
		if g.policy != i {
			continue
		}
		any = true
		if l.before(p, g.tool) == nil {
			return
		}
	}
	if any {
		l.add(place{policy: i, rule: -1}, Warning, "shadowed-policy",
			"a policy of higher priority has always decided before this one is reached",
			"raise the priority of this policy, or take out what it repeats")
	}
}

// before returns a policy of higher priority that decides every call of the
// tool by the agents of p.
func (l *linter) before(p *rules.Policy, tool string) *rules.Policy {
	for i := range l.set.Policies {
		q := &l.set.Policies[i]
		if !on(q.Enabled) || q.Shadow || q.Priority <= p.Priority || !sameAgents(q.AgentID, p.AgentID) || !sameProject(q.ProjectID, p.ProjectID) {
			continue
		}
		for j := range q.Rules {
			r := &q.Rules[j]
			decides := r.Type == rules.ToolDenylist || r.Type == rules.ToolAllowlist && !q.Floor
			if decides && r.When == "" && coversAll(r.Tools, tool) {
				return q
			}
		}
	}
	return nil
}

// rule looks at one rule.
func (l *linter) rule(at place, p *rules.Policy, r *rules.Rule) {
	if r.When != "" {
		c, err := condition.NewEnv(l.conditions()).Compile(r.When, condition.When)
		if err == nil {
			if value, ok := c.Constant(); ok {
				l.add(at.in("when"), Warning, "constant-when", fmt.Sprintf("the condition is always %v", value),
					"a condition reads something of the call, such as args or now")
			}
		}
	}
	if r.Type != rules.ToolAllowlist && comparesTool.MatchString(r.When) {
		l.add(at.in("when"), Warning, "tool-in-condition",
			"the condition compares the name of the tool, in which case counts; where tools names it, case does not",
			"name the tool in tools, or compare tool.lowerAscii()")
	}
	switch r.Type {
	case rules.ToolAllowlist:
		l.allowlist(at, p, r)
	case rules.ParameterConstraint:
		if r.Tools == nil {
			l.add(at, Warning, "constraint-without-tools",
				"the rule names no tools, so it denies every tool that lacks one of its parameters",
				"name the tools that have the parameters, or make them optional")
		}
		l.constraints(at, p, r)
	case rules.RateLimited:
		l.limit(at, p, r)
	case rules.TimeBased:
		if r.TimeWindow.Timezone == "" {
			l.add(at.in("timeWindow"), Note, "default-timezone", "hours and days are those of UTC", "name the timezone, also where it is UTC")
		}
	}
}

func (at place) in(members ...any) place {
	at.member = members
	return at
}

func (l *linter) allowlist(at place, p *rules.Policy, r *rules.Rule) {
	for _, tool := range r.Tools {
		if tool == "*" {
			l.add(at.in("tools"), Warning, "allow-all", "the rule allows every tool, those of tomorrow too", "name the tools, or prefixes of them")
			continue
		}
		if by := l.deniedBy(p, tool); by != "" {
			l.add(at.in("tools"), Warning, "unreachable-grant", fmt.Sprintf("%q is never allowed: %s denies it", tool, by), "take it out of one of the two")
		}
	}
}

// deniedBy says what denies a tool, always, where p would allow it.
func (l *linter) deniedBy(p *rules.Policy, tool string) string {
	for i := range l.set.Policies {
		q := &l.set.Policies[i]
		if !on(q.Enabled) || q.Shadow || q.Priority < p.Priority || !sameAgents(q.AgentID, p.AgentID) || !sameProject(q.ProjectID, p.ProjectID) && !q.Floor {
			continue
		}
		for j := range q.Rules {
			if r := &q.Rules[j]; r.Type == rules.ToolDenylist && r.When == "" && coversAll(lower(r.Tools), pattern.Lower(tool)) {
				return fmt.Sprintf("rule %q of policy %q", q.RuleID(j), q.ID)
			}
		}
	}
	return ""
}

// limit looks for limits that bind nothing.
func (l *linter) limit(at place, p *rules.Policy, r *rules.Rule) {
	if p.Floor {
		return
	}
	if !l.grantsTo(p, r.Tools) {
		l.add(at, Warning, "limit-alone", "nothing grants what this limit limits", "a limit only restricts; add a tool_allowlist")
		return
	}
	for _, tool := range r.Tools {
		if q := l.before(p, tool); q != nil {
			l.add(at, Warning, "limit-below-grant", fmt.Sprintf("policy %q has decided on %q before this limit is reached", q.ID, tool),
				"give the limit's policy a priority that is not below that of the grant")
			return
		}
	}
}

// lower returns patterns as restrictions match them: case does not count.
func lower(patterns []string) []string {
	var out []string
	for _, p := range patterns {
		out = append(out, pattern.Lower(p))
	}
	return out
}
