package twin

import (
	"encoding/json"
	"slices"

	"github.com/useveto/veto-go/rules"
)

// Call returns a call; a few are not valid.
func (g *Generator) Call() rules.Call {
	c := rules.Call{
		AgentID: pick(g, agentIDs...), Tool: pick(g, toolNames...),
		Project: pick(g, "", "p", "p", "q", "r"), User: pick(g, "", "u", "v"), Session: pick(g, "", "s", "s", "t", "never"),
		Parameters: g.arguments(),
	}
	if g.Steady && g.chance(85) {
		c.AgentID, c.Project, c.User, c.Session = "a", "p", "u", "s"
		c.Tool = pick(g, "read", "read", "read", "read", "read", "write", "Read")
		if g.chance(15) {
			c.AgentID, c.User, c.Session = pick(g, "a", "ab"), pick(g, "", "v"), pick(g, "s", "t")
		}
		if g.Stateful || g.chance(85) {
			c.Parameters = g.repeated()
		}
	}
	if g.chance(3) {
		c.Context = pick[any](g, map[string]any{"k": 1}, json.RawMessage(`{"k":1}`), "[]", "null", []string{"k"})
	}
	if g.chance(2) {
		c.Tool = pick(g, "", "re ad", "re\u0430d", "read\x00", "read\u200b", "*", "~", long(255, "r"), long(256, "r"))
	}
	if g.chance(2) {
		c.AgentID = pick(g, "", "*", "a*", "a\n", "\u00e9", "a\u0085", long(255, "a"), long(256, "a"))
	}
	if g.chance(1) {
		c.Project = pick(g, "P", "p\x7f", "p*", long(256, "p"))
	}
	return c
}

// Changed returns a set in which some limits and budgets have other numbers
// and tools, which keeps what they have counted, some have other windows and
// keys, which does not, and some policies are gone.
func (g *Generator) Changed(set *rules.PolicySet) *rules.PolicySet {
	changed := *set
	changed.Policies = nil
	for _, p := range set.Policies {
		if g.chance(10) {
			continue
		}
		p.Rules = slices.Clone(p.Rules)
		for i := range p.Rules {
			if r := &p.Rules[i]; r.Type == rules.RateLimited && g.chance(60) {
				limit := *r.RateLimit
				limit.MaxCalls = pick(g, 1, 2, 3, 4, 8, 32)
				r.RateLimit, r.Tools = &limit, g.tools()
			} else if r.Type == rules.Budgeted && g.chance(60) {
				r.Budget, r.Tools = g.changedBudget(*r.Budget), g.tools()
			}
		}
		changed.Policies = append(changed.Policies, p)
	}
	return &changed
}
