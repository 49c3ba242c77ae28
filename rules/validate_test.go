package rules

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func ptr[T any](v T) *T { return &v }

func num(s string) *json.Number { return ptr(json.Number(s)) }

// list returns n strings that are all different.
func list(n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprintf("t%d", i)
	}
	return s
}

// oneRule returns a set of one policy with one rule.
func oneRule(r Rule) *PolicySet {
	return &PolicySet{Policies: []Policy{{ID: "p", AgentID: "a", Rules: []Rule{r}}}}
}

// paths returns where the faults of set are.
func paths(set *PolicySet) []string {
	at := []string{}
	for _, f := range Validate(set) {
		at = append(at, f.Path)
	}
	return at
}

// ok and bad check a set with one rule; bad says where in the rule the fault
// must be.
func ok(t *testing.T, r Rule) {
	t.Helper()
	require.Empty(t, Validate(oneRule(r)))
}

func bad(t *testing.T, r Rule, at string) {
	t.Helper()
	const in = "policies[0].rules[0]"
	if at == "" {
		at = in
	} else {
		at = in + "." + at
	}
	require.Equal(t, []string{at}, paths(oneRule(r)))
}

func TestNothingToValidate(t *testing.T) {
	require.Empty(t, Validate(nil))
	require.Empty(t, Validate(&PolicySet{}))
}

func TestValidateDocument(t *testing.T) {
	long, longer := strings.Repeat("é", 127), strings.Repeat("é", 128) // 254 and 256 bytes
	policy := func(edit func(*Policy)) *PolicySet {
		set := oneRule(Rule{Type: ToolAllowlist, Tools: []string{"t"}})
		edit(&set.Policies[0])
		return set
	}
	for _, c := range []struct {
		name string
		set  *PolicySet
		want []string
	}{
		{"version 1", &PolicySet{Version: ptr(1)}, nil},
		{"version 2", &PolicySet{Version: ptr(2)}, []string{"version"}},
		{"agents", &PolicySet{Agents: []Agent{{ID: "a", Status: AgentRevoked}, {ID: "b"}}}, nil},
		{"agent twice", &PolicySet{Agents: []Agent{{ID: "a"}, {ID: "a"}}}, []string{"agents[1].id"}},
		{"agent status", &PolicySet{Agents: []Agent{{ID: "a", Status: "Active"}}}, []string{"agents[0].status"}},
		{"agent pattern", &PolicySet{Agents: []Agent{{ID: "a*"}}}, []string{"agents[0].id"}},
		{"agent without id", &PolicySet{Agents: []Agent{{}}}, []string{"agents[0].id"}},
		{"agent at the bound", &PolicySet{Agents: []Agent{{ID: long}}}, nil},
		{"agent past the bound", &PolicySet{Agents: []Agent{{ID: longer}}}, []string{"agents[0].id"}},
		{"list names", &PolicySet{Lists: map[string][]string{"": nil, "a\n": nil, "b": {"x", ""}}}, []string{`lists[""]`, `lists["a\n"]`}},
		{"policy", policy(func(*Policy) {}), nil},
		{"no id", policy(func(p *Policy) { p.ID = "" }), []string{"policies[0].id"}},
		{"id with control", policy(func(p *Policy) { p.ID = "a\x00b" }), []string{"policies[0].id"}},
		{"id with C1 control", policy(func(p *Policy) { p.ID = "a\u0085b" }), []string{"policies[0].id"}},
		{"id not UTF-8", policy(func(p *Policy) { p.ID = "a\xff" }), []string{"policies[0].id"}},
		{"id of 255", policy(func(p *Policy) { p.ID = strings.Repeat("é", 255) }), nil},
		{"id of 256", policy(func(p *Policy) { p.ID = strings.Repeat("é", 256) }), []string{"policies[0].id"}},
		{"no agent", policy(func(p *Policy) { p.AgentID = "" }), []string{"policies[0].agentId"}},
		{"agent prefix", policy(func(p *Policy) { p.AgentID = "a*" }), nil},
		{"every agent", policy(func(p *Policy) { p.AgentID = "*" }), nil},
		{"star within", policy(func(p *Policy) { p.AgentID = "a*b" }), []string{"policies[0].agentId"}},
		{"two stars", policy(func(p *Policy) { p.AgentID = "a**" }), []string{"policies[0].agentId"}},
		{"empty project", policy(func(p *Policy) { p.ProjectID = ptr("") }), []string{"policies[0].projectId"}},
		{"project pattern", policy(func(p *Policy) { p.ProjectID = ptr("p*") }), []string{"policies[0].projectId"}},
		{"floor", policy(func(p *Policy) { p.Floor = true }), nil},
		{"floor of a project", policy(func(p *Policy) { p.Floor, p.ProjectID = true, ptr("p") }), []string{"policies[0].floor"}},
		{"name of 255", policy(func(p *Policy) { p.Name = strings.Repeat("n", 255) }), nil},
		{"name of 256", policy(func(p *Policy) { p.Name = strings.Repeat("n", 256) }), []string{"policies[0].name"}},
		{"description of 2,000", policy(func(p *Policy) { p.Description = ptr(strings.Repeat("é\n", 1000)) }), nil},
		{"description of 2,001", policy(func(p *Policy) { p.Description = ptr(strings.Repeat("é\n", 1000) + "x") }), []string{"policies[0].description"}},
		{"priority 1000", policy(func(p *Policy) { p.Priority = 1000 }), nil},
		{"priority 1001", policy(func(p *Policy) { p.Priority = 1001 }), []string{"policies[0].priority"}},
		{"priority -1", policy(func(p *Policy) { p.Priority = -1 }), []string{"policies[0].priority"}},
		{"no rules", policy(func(p *Policy) { p.Rules = nil }), []string{"policies[0].rules"}},
		{"disabled", policy(func(p *Policy) { p.Enabled, p.Priority = ptr(false), -1 }), []string{"policies[0].priority"}},
	} {
		t.Run(c.name, func(t *testing.T) { require.ElementsMatch(t, c.want, paths(c.set)) })
	}
}

func TestValidateCounts(t *testing.T) {
	allow := Rule{Type: ToolAllowlist, Tools: []string{"t"}}
	set := oneRule(allow)
	set.Policies[0].Rules = make([]Rule, 50)
	for i := range set.Policies[0].Rules {
		set.Policies[0].Rules[i] = allow
	}
	require.Empty(t, Validate(set))
	set.Policies[0].Rules = append(set.Policies[0].Rules, allow)
	require.Equal(t, []string{"policies[0].rules"}, paths(set))

	set = &PolicySet{}
	for i := range 1000 {
		set.Policies = append(set.Policies,
			Policy{ID: fmt.Sprint(i), AgentID: "a", Rules: []Rule{allow}},
			Policy{ID: fmt.Sprint("p", i), AgentID: "a", ProjectID: ptr("p"), Rules: []Rule{allow}})
	}
	require.Empty(t, Validate(set))
	set.Policies = append(set.Policies, Policy{ID: "more", AgentID: "a", Rules: []Rule{allow}}, Policy{ID: "0", AgentID: "b", Rules: []Rule{allow}})
	require.Equal(t, []string{"policies[2000]", "policies[2001].id"}, paths(set))
}

func TestValidateMostPolicies(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a million policies")
	}
	rules := []Rule{{Type: ToolAllowlist, Tools: []string{"t"}}}
	set := &PolicySet{Policies: make([]Policy, 1_000_000)}
	for i := range set.Policies {
		set.Policies[i] = Policy{ID: fmt.Sprint(i), AgentID: fmt.Sprint(i), Rules: rules}
	}
	require.Empty(t, Validate(set))
	set.ToolPolicies = []ToolPolicy{{ToolName: "t", Mode: "deterministic"}}
	require.Equal(t, []string{"policies"}, paths(set))
}

func TestRuleIDs(t *testing.T) {
	deny := Rule{Type: ToolDenylist, Tools: []string{"t"}}
	named := func(id string) Rule { r := deny; r.ID = id; return r }
	p := Policy{ID: "p", AgentID: "a", Rules: []Rule{deny, named("x"), {Type: ToolAllowlist, Tools: []string{"t"}}, deny}}
	require.Equal(t, "tool_denylist[0]", p.RuleID(0))
	require.Equal(t, "x", p.RuleID(1))
	require.Equal(t, "tool_allowlist[0]", p.RuleID(2))
	require.Equal(t, "tool_denylist[2]", p.RuleID(3))

	set := &PolicySet{Policies: []Policy{p}}
	require.Empty(t, Validate(set))
	p.Rules[3].ID = "x"
	faults := Validate(set)
	require.Len(t, faults, 1)
	require.Equal(t, Fault{Path: "policies[0].rules[3].id", Policy: "p", Rule: "x", Message: `rule "x" is there twice in this policy`, Hint: "the other is number 2"}, faults[0])
	p.Rules[3].ID = "tool_allowlist[0]"
	require.Equal(t, []string{"policies[0].rules[3].id"}, paths(set))
	p.Rules[3].ID = strings.Repeat("x", 256)
	require.Equal(t, []string{"policies[0].rules[3].id"}, paths(set))
}

func TestFaultsNameTheirPlace(t *testing.T) {
	set := oneRule(Rule{Type: "rate_limt"})
	require.Equal(t, []Fault{{
		Path: "policies[0].rules[0].type", Policy: "p", Rule: "rate_limt[0]",
		Message: `there is no rule type "rate_limt"`, Hint: `did you mean "rate_limit"?`,
	}}, Validate(set))
	require.Equal(t, `policies[0].rules[0].type: there is no rule type "rate_limt"; did you mean "rate_limit"?`, Validate(set)[0].Error())
}

// A good set is validated with a handful of allocations, however large.
func TestValidateIsCheap(t *testing.T) {
	set := &PolicySet{Lists: map[string][]string{"l": {"x"}}}
	for i := range 1000 {
		set.Policies = append(set.Policies, Policy{
			ID: fmt.Sprint("policy-", i), AgentID: fmt.Sprint("agent-", i),
			Rules: []Rule{
				{Type: ToolAllowlist, Tools: []string{"file.*", "web.search"}},
				{Type: ParameterConstraint, Tools: []string{"file.read"}, Parameters: map[string]Constraint{"path": {Regex: ptr("^/tmp/"), InList: "l"}}},
				{Type: RateLimited, RateLimit: &RateLimit{MaxCalls: 10, WindowSeconds: 60, Per: []string{"agent", "tool"}}},
			},
		})
	}
	require.Empty(t, Validate(set))
	if n := testing.AllocsPerRun(5, func() { Validate(set) }); n > 1500 {
		t.Errorf("%v allocations for 1,000 policies", n)
	}
}
