package twin

import (
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
	// Earlier are the same for conditions about earlier calls.
	Earlier []string
	// Expressions are the same for constraints.
	Expressions []string
	// Steady makes most calls be of one agent, project and session, allowed
	// and with parameters that repeat, so that limits are reached and earlier
	// calls matter.
	Steady bool
	// Sessions makes sessions be opened and ended.
	Sessions bool
	// Stateful makes most rules have state.
	Stateful bool
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
	if !g.Stateful && g.chance(15) {
		set.Agents = []rules.Agent{{ID: "a"}, {ID: "ab", Status: pick(g, rules.AgentActive, rules.AgentSuspended, rules.AgentRevoked)}}
		if g.chance(50) {
			set.Agents = append(set.Agents, rules.Agent{ID: "b", Status: rules.AgentActive})
		}
	}
	policies := g.r.IntN(7)
	if g.Stateful {
		policies = 1 + g.r.IntN(3)
	}
	for i := range policies {
		set.Policies = append(set.Policies, g.policy(i))
	}
	slices.Reverse(set.Policies[:g.r.IntN(policies+1)])
	if g.Stateful || g.Steady && g.chance(70) {
		// Whatever else there is: somebody grants.
		for i, project := range []*string{nil, ptr("p")} {
			set.Policies = append(set.Policies, rules.Policy{
				ID: fmt.Sprintf("z%d", i), AgentID: "*", ProjectID: project,
				Rules: []rules.Rule{{Type: rules.ToolAllowlist, Tools: []string{"*"}}},
			})
		}
	}
	if g.chance(40) || g.Stateful && g.chance(20) {
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
	case g.Stateful && g.chance(70):
		p.AgentID, p.ProjectID = pick(g, "a", "a*", "*"), ptr("p")
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
		rules.RateLimited, rules.RateLimited, rules.Budgeted, rules.Budgeted, rules.Sequenced, rules.Sequenced,
		rules.ParameterConstraint, rules.ParameterConstraint, rules.ParameterConstraint, rules.ParameterConstraint, rules.ParameterConstraint)}
	if g.Stateful && g.chance(85) {
		r.Type = pick(g, rules.ToolAllowlist, rules.RateLimited, rules.Budgeted, rules.Budgeted, rules.Sequenced)
	}
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
		r.RateLimit.Per = g.per()
	case rules.Budgeted:
		r.Budget = g.budget()
	case rules.Sequenced:
		r.Sequence = g.sequence()
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
