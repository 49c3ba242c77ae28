package rules

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateToolPolicies(t *testing.T) {
	check := func(edit func(*ToolPolicy), want ...string) {
		t.Helper()
		tool := ToolPolicy{ToolName: "send_email", Mode: "deterministic"}
		edit(&tool)
		for i := range want {
			want[i] = "toolPolicies[0]." + want[i]
		}
		require.ElementsMatch(t, want, paths(&PolicySet{ToolPolicies: []ToolPolicy{tool}}))
	}
	check(func(*ToolPolicy) {})
	check(func(p *ToolPolicy) { p.ToolName = "" }, "toolName")
	check(func(p *ToolPolicy) { p.ToolName = "send_*" }, "toolName")
	check(func(p *ToolPolicy) { p.ToolName = "a b" }, "toolName")
	check(func(p *ToolPolicy) { p.Mode = "" }, "mode")
	check(func(p *ToolPolicy) { p.Mode = "llm" }, "mode")
	check(func(p *ToolPolicy) { p.Mode = "Deterministic" }, "mode")
	check(func(p *ToolPolicy) { p.ProjectID = ptr("") }, "projectId")
	check(func(p *ToolPolicy) { p.ID = "a\n" }, "id")

	one := func(c ToolConstraint, want ...string) {
		t.Helper()
		c.ArgumentName = "x"
		for i := range want {
			want[i] = "constraints[0]." + want[i]
		}
		check(func(p *ToolPolicy) { p.Constraints = []ToolConstraint{c} }, want...)
	}
	one(ToolConstraint{Minimum: num("1"), LessThanOrEqual: num("2"), Regex: ptr("a"), In: []Scalar{{json.Number("1")}}, Action: EscalateOnViolation, Required: ptr(false)})
	one(ToolConstraint{Minimum: num("1"), GreaterThanOrEqual: num("1")}, "greaterThanOrEqual")
	one(ToolConstraint{Maximum: num("1"), LessThanOrEqual: num("1")}, "lessThanOrEqual")
	one(ToolConstraint{Enum: []Scalar{{"a"}}, In: []Scalar{{"a"}}}, "in")
	one(ToolConstraint{NotEnum: []Scalar{{"a"}}, NotIn: []Scalar{{"a"}}}, "notIn")
	one(ToolConstraint{NotIn: []Scalar{}}, "notIn")
	one(ToolConstraint{Regex: ptr("("), NotRegex: ptr("")}, "regex", "notRegex")
	one(ToolConstraint{Action: "warn"}, "action")
	one(ToolConstraint{MinLength: ptr(-1), MaxItems: ptr(-2)}, "minLength", "maxItems")
	one(ToolConstraint{Minimum: num("x")}, "minimum")
	check(func(p *ToolPolicy) { p.Constraints = []ToolConstraint{{}} }, "constraints[0].argumentName")
	check(func(p *ToolPolicy) { p.Constraints = make64(64) })
	check(func(p *ToolPolicy) { p.Constraints = make64(65) }, "constraints")
}

func make64(n int) []ToolConstraint {
	c := make([]ToolConstraint, n)
	for i := range c {
		c[i].ArgumentName = "x"
	}
	return c
}

func TestValidateSessionConstraints(t *testing.T) {
	check := func(s SessionConstraints, want ...string) {
		t.Helper()
		for i := range want {
			want[i] = "toolPolicies[0].sessionConstraints." + want[i]
		}
		require.ElementsMatch(t, want, paths(&PolicySet{ToolPolicies: []ToolPolicy{{ToolName: "t", Mode: "deterministic", SessionConstraints: &s}}}))
	}
	check(SessionConstraints{MaxCalls: ptr(1), Budget: num("5"), SpendArgument: "amount",
		CumulativeLimits: []CumulativeLimit{{"size", num("10")}},
		Counters:         map[string]SessionCounter{"open": {Increment: []string{"open"}, Decrement: []string{"close"}, Max: ptr(3)}}})
	check(SessionConstraints{MaxCalls: ptr(0)}, "maxCalls")
	check(SessionConstraints{MaxCalls: ptr(1_000_000)})
	check(SessionConstraints{MaxCalls: ptr(1_000_001)}, "maxCalls")
	check(SessionConstraints{Budget: num("5")}, "spendArgument")
	check(SessionConstraints{SpendArgument: "amount"}, "budget")
	check(SessionConstraints{Budget: num("-5"), SpendArgument: "amount"}, "budget")
	check(SessionConstraints{CumulativeLimits: []CumulativeLimit{{}}}, "cumulativeLimits[0].argumentName", "cumulativeLimits[0].maxValue")
	check(SessionConstraints{Counters: map[string]SessionCounter{"c": {}}}, "counters.c.increment", "counters.c.max")
	check(SessionConstraints{Counters: map[string]SessionCounter{"c": {Increment: []string{"a*b"}, Max: ptr(-1), MaxAction: "x"}}},
		"counters.c.increment[0]", "counters.c.max", "counters.c.maxAction")
}

func TestToolPolicyIDs(t *testing.T) {
	at := func(project, tool string) ToolPolicy {
		p := ToolPolicy{ToolName: tool, Mode: "deterministic"}
		if project != "" {
			p.ProjectID = &project
		}
		return p
	}
	set := &PolicySet{ToolPolicies: []ToolPolicy{at("", "t"), at("p", "t"), at("q", "t"), at("p", "u")}}
	require.Empty(t, Validate(set))
	require.Equal(t, "tool:t", set.ToolPolicies[0].PolicyID())
	require.Equal(t, "tool:p/t", set.ToolPolicies[1].PolicyID())

	set.ToolPolicies = append(set.ToolPolicies, at("", "t"), at("p", "t"), at("", "p/u"))
	require.Equal(t, []string{"toolPolicies[4].toolName", "toolPolicies[5].toolName", "toolPolicies[6].toolName"}, paths(set))

	set = oneRule(Rule{Type: ToolAllowlist, Tools: tools})
	set.Policies[0].ID = "tool:t"
	set.ToolPolicies = []ToolPolicy{at("", "t")}
	require.Equal(t, []string{"policies[0].id"}, paths(set))
}

func TestValidateExamples(t *testing.T) {
	check := func(edit func(*Example), want ...string) {
		t.Helper()
		e := Example{Call: ExampleCall{Agent: "a", Tool: "t"}, Want: Allowed}
		edit(&e)
		for i := range want {
			want[i] = "examples[0]." + want[i]
		}
		require.ElementsMatch(t, want, paths(&PolicySet{Examples: []Example{e}}))
	}
	check(func(e *Example) {
		e.Call.At, e.Call.Parameters, e.Call.Context = "2025-07-01T09:00:00.5+02:00", json.RawMessage(`{"a":1}`), json.RawMessage(`{}`)
	})
	check(func(e *Example) { e.Call.Parameters = json.RawMessage(`[]`) })
	check(func(e *Example) { e.Call.Agent, e.Call.Tool = "", "" }, "call.agent", "call.tool")
	check(func(e *Example) { e.Call.At = "yesterday" }, "call.at")
	check(func(e *Example) { e.Call.Parameters = json.RawMessage(`{`) }, "call.parameters")
	check(func(e *Example) { e.Call.Context = json.RawMessage(`1`) }, "call.context")
	check(func(e *Example) { e.Want = 7 }, "want")
	check(func(e *Example) { e.Name = "a\n" }, "name")
}
