package twin

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/useveto/veto-go/rules"
)

// Generator makes random policy sets and calls out of small alphabets, so
// that rules meet calls and each other. Equal seeds make equal sequences.
type Generator struct {
	r *rand.Rand
	// Conditions are the sources that rules may have as their when; none if
	// empty.
	Conditions []string
	// Expressions are the same for constraints.
	Expressions []string
	// Steady makes most calls be of one agent, project and tool, so that
	// limits are reached.
	Steady bool
}

// NewGenerator returns the generator of a seed.
func NewGenerator(seed uint64) *Generator {
	return &Generator{r: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))}
}

func pick[T any](g *Generator, from ...T) T { return from[g.r.IntN(len(from))] }

// chance is true in percent of cases.
func (g *Generator) chance(percent int) bool { return g.r.IntN(100) < percent }

// some returns 1..most elements of from, in a random order.
func some[T any](g *Generator, most int, from []T) []T {
	n := 1 + g.r.IntN(min(most, len(from)))
	var out []T
	for _, i := range g.r.Perm(len(from))[:n] {
		out = append(out, from[i])
	}
	return out
}

func ptr[T any](v T) *T { return &v }

var (
	agentIDs      = []string{"a", "b", "ab"}
	agentPatterns = []string{"a", "b", "ab", "a*", "*", "*"}
	toolNames     = []string{"read", "Read", "write", "file.read", "FILE.read", "file."}
	toolPatterns  = []string{"read", "Read", "write", "file.read", "file.*", "File.*", "*", "*", "r*", "file.Read"}
	projects      = []string{"p", "q"}
	zones         = []string{"", "UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"}
)

// starts are times just before something changes: an hour, a day, a year, the
// daylight saving of a zone, both ways.
var starts = []string{
	"2024-01-01T11:59:57Z", "2023-12-31T23:59:57Z", "2024-02-28T23:59:57Z", "2024-03-10T06:59:57Z",
	"2024-11-03T05:59:57Z", "2024-03-31T00:59:57Z", "2024-10-27T00:59:57Z", "2024-10-05T15:29:57Z",
}

// Start returns a time to begin with.
func (g *Generator) Start() time.Time {
	t, err := time.Parse(time.RFC3339, pick(g, starts...))
	if err != nil {
		panic(err)
	}
	return t
}

// Step returns how long after one call the next is made.
func (g *Generator) Step() time.Duration {
	return pick(g, 0, 0, 0, 1, time.Millisecond, 500*time.Millisecond, time.Second, time.Second-1, 2*time.Second, 10*time.Minute, 7*time.Hour)
}

// Set returns a valid policy set.
func (g *Generator) Set() *rules.PolicySet {
	set := &rules.PolicySet{
		StrictGrant: g.chance(10),
		Lists:       map[string][]string{"staff": {"ann@example.com", "Bob", "\u212aelvin", ""}, "none": nil},
	}
	if g.chance(15) {
		set.Agents = []rules.Agent{{ID: "a"}, {ID: "ab", Status: pick(g, rules.AgentActive, rules.AgentSuspended, rules.AgentRevoked)}}
		if g.chance(50) {
			set.Agents = append(set.Agents, rules.Agent{ID: "b", Status: rules.AgentActive})
		}
	}
	policies := g.r.IntN(7)
	for i := range policies {
		set.Policies = append(set.Policies, g.policy(i))
	}
	slices.Reverse(set.Policies[:g.r.IntN(policies+1)])
	if g.chance(40) {
		set.ToolPolicies = g.toolPolicies()
	}
	return set
}

func (g *Generator) policy(i int) rules.Policy {
	p := rules.Policy{
		ID: fmt.Sprintf("p%d", i), AgentID: pick(g, agentPatterns...), Name: pick(g, "", "Name"),
		Priority: pick(g, 0, 0, 5, 5, 10), Shadow: g.chance(12),
	}
	switch {
	case g.chance(15):
		p.Floor = true
	case g.chance(40):
		p.ProjectID = ptr(pick(g, projects...))
	}
	if g.chance(10) {
		p.Enabled = ptr(g.chance(40))
	}
	rulesOf := 1 + g.r.IntN(4)
	for range rulesOf {
		p.Rules = append(p.Rules, g.rule())
	}
	if g.chance(35) {
		p.Rules = append(p.Rules, rules.Rule{Type: rules.ToolAllowlist, Tools: []string{"*"}})
	}
	return p
}

func (g *Generator) tools() []string {
	if g.chance(30) {
		return []string{"*"}
	}
	return some(g, 3, toolPatterns)
}

func (g *Generator) rule() rules.Rule {
	r := rules.Rule{Type: pick(g,
		rules.ToolAllowlist, rules.ToolAllowlist, rules.ToolAllowlist, rules.ToolDenylist, rules.RequireApproval, rules.TimeBased,
		rules.RateLimited, rules.RateLimited, rules.RateLimited,
		rules.ParameterConstraint, rules.ParameterConstraint, rules.ParameterConstraint, rules.ParameterConstraint, rules.ParameterConstraint)}
	switch r.Type {
	case rules.ToolAllowlist:
		r.Tools = g.tools()
	case rules.ToolDenylist, rules.RequireApproval:
		r.Tools = some(g, 1, toolPatterns[:6])
	default:
		if g.chance(75) {
			r.Tools = g.tools()
		}
		r.OnViolation = pick(g, "", "", rules.DenyOnViolation, rules.EscalateOnViolation)
	}
	if len(g.Conditions) > 0 && g.chance(15) {
		r.When = pick(g, g.Conditions...)
	}
	switch r.Type {
	case rules.RateLimited:
		r.RateLimit = &rules.RateLimit{MaxCalls: pick(g, 1, 2, 2, 3, 3, 4, 8, 31, 32), WindowSeconds: pick(g, 1, 2, 10, 86_400)}
		if g.chance(60) {
			r.RateLimit.Per = some(g, 2, []string{"agent", "global", "tool", "user", "project", "param:to", "param:amount", "param:/user/name", "param:/items/0"})
		}
	case rules.TimeBased:
		r.TimeWindow = g.window()
	case rules.ParameterConstraint:
		g.parameters(&r)
	}
	return r
}

func (g *Generator) window() *rules.TimeWindow {
	w := &rules.TimeWindow{Timezone: pick(g, zones...)}
	both := g.chance(30)
	if both || g.chance(60) {
		for h := range 24 {
			if g.chance(60) {
				w.AllowedHours = append(w.AllowedHours, h)
			}
		}
	}
	if both || w.AllowedHours == nil {
		w.AllowedDays = some(g, 7, []int{0, 1, 2, 3, 4, 5, 6})
	}
	return w
}

// parameters fills in a parameter_constraint.
func (g *Generator) parameters(r *rules.Rule) {
	if g.chance(30) {
		r.AdditionalParameters = ptr(g.chance(30))
		if !*r.AdditionalParameters && g.chance(10) {
			return // nothing is permitted
		}
	}
	if g.chance(20) {
		for range 1 + g.r.IntN(3) {
			r.AnyOf = append(r.AnyOf, g.constraints())
		}
		return
	}
	r.Parameters = g.constraints()
}

func (g *Generator) constraints() map[string]rules.Constraint {
	constraints := map[string]rules.Constraint{}
	for range 1 + g.r.IntN(2) {
		name := pick(g, parameterNames...)
		constraints[name] = g.constraint(name)
	}
	return constraints
}

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
			t.Constraints = append(t.Constraints, g.toolConstraint())
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

// Call returns a call; a few are not valid.
func (g *Generator) Call() rules.Call {
	c := rules.Call{
		AgentID: pick(g, agentIDs...), Tool: pick(g, toolNames...),
		Project: pick(g, "", "p", "p", "q", "r"), User: pick(g, "", "u", "v"), Session: pick(g, "", "s"),
		Parameters: g.arguments(),
	}
	if g.Steady && g.chance(85) {
		c.AgentID, c.Tool, c.Project, c.User, c.Session = "a", "read", "p", "u", "s"
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

// Changed returns a set in which numbers and tools of limits differ, which
// keeps what they have counted, and some policies are gone.
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
			}
		}
		changed.Policies = append(changed.Policies, p)
	}
	return &changed
}
