package evaluator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

type panicking struct{}

func (panicking) judge(*Evaluation, *rule) judgement { panic("a rule that is broken") }

type silent struct{}

func (silent) judge(*Evaluation, *rule) judgement { return judgement{} }

// A rule that panics, or gives no answer, denies at its policy's place in the
// order. What stands before it still decides first.
func TestAttack_G8_RulePanics(t *testing.T) {
	for name, broken := range map[string]body{"panics": panicking{}, "says nothing": silent{}} {
		t.Run(name, func(t *testing.T) {
			for _, priority := range []int{0, 5, 10} {
				p, err := Compile(&rules.PolicySet{Policies: []rules.Policy{
					{ID: "broken", AgentID: "*", Priority: 5, Rules: []rules.Rule{
						{Type: rules.ToolAllowlist, Tools: []string{"t"}},
						{Type: rules.TimeBased, TimeWindow: &rules.TimeWindow{AllowedHours: []int{1}}},
					}},
					{ID: "grants", AgentID: "*", Priority: priority, Rules: []rules.Rule{{Type: rules.ToolAllowlist, Tools: []string{"t"}}}},
				}}, nil)
				require.NoError(t, err)
				u := p.org.agents.Longest("bot").Value
				u.tools.Longest("t").Value.refs[0].rule.body = broken
				var e Evaluation
				c := p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t"}, time.Now()).Cause()
				if priority == 10 {
					require.Equal(t, rules.CodeAllowed, c.Code)
					continue
				}
				require.Equal(t, rules.CodeEvaluationError, c.Code)
				require.Equal(t, "broken", c.PolicyID)
				require.Equal(t, "time_based[0]", c.RuleID)
			}
		})
	}
}

// A broken rule of a shadow policy shows on the shadow's record only.
func TestShadowPanics(t *testing.T) {
	p, err := Compile(&rules.PolicySet{Policies: []rules.Policy{
		{ID: "broken", AgentID: "*", Shadow: true, Rules: []rules.Rule{
			{Type: rules.TimeBased, TimeWindow: &rules.TimeWindow{AllowedHours: []int{1}}},
		}},
		{ID: "grants", AgentID: "*", Rules: []rules.Rule{{Type: rules.ToolAllowlist, Tools: []string{"t"}}}},
	}}, nil)
	require.NoError(t, err)
	p.org.agents.Longest("bot").Value.tools.Longest("t").Value.refs[0].rule.body = panicking{}
	var e Evaluation
	require.Equal(t, rules.CodeAllowed, p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t"}, time.Now()).Cause().Code)
	require.Equal(t, []rules.ShadowResult{{PolicyID: "broken", RuleID: "time_based[0]", Code: rules.CodeEvaluationError}}, e.Shadows())
}

// The cost of a decision does not grow with policies that do not concern it:
// the rules that are looked at are those of this agent and tool.
func TestIndexLooksAtNothingElse(t *testing.T) {
	set := &rules.PolicySet{}
	for a := range 50 {
		for p := range 20 {
			set.Policies = append(set.Policies, rules.Policy{
				ID: fmt.Sprint(a, "-", p), AgentID: fmt.Sprint("agent-", a), Priority: p,
				Rules: []rules.Rule{
					{Type: rules.ToolAllowlist, Tools: []string{fmt.Sprint("tool-", p), fmt.Sprint("prefix-", p, "-*")}},
					{Type: rules.ToolDenylist, Tools: []string{fmt.Sprint("deny-", p)}},
				},
			})
		}
	}
	p, err := Compile(set, nil)
	require.NoError(t, err)
	var e Evaluation
	for _, tool := range []string{"tool-3", "prefix-7-x", "deny-5", "none"} {
		p.Decide(&e, &rules.Call{AgentID: "agent-7", Tool: tool}, time.Now())
		looked := len(e.cursors)
		require.LessOrEqual(t, looked, 1, tool)
	}
}

// Many prefixes that all match cost no more than their rules.
func TestManyCursorsAreMerged(t *testing.T) {
	set := &rules.PolicySet{}
	agent, tool := "", ""
	for i := range 200 {
		agent += "a"
		tool += "t"
		set.Policies = append(set.Policies, rules.Policy{ID: fmt.Sprintf("p%03d", i), AgentID: agent + "*", Rules: []rules.Rule{
			{Type: rules.RateLimited, Tools: []string{"*", tool + "*"}, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60}},
		}})
	}
	set.Policies = append(set.Policies, rules.Policy{ID: "q", AgentID: "*", Rules: []rules.Rule{{Type: rules.ToolAllowlist, Tools: []string{"*"}}}})
	p, err := Compile(set, nil)
	require.NoError(t, err)
	var e Evaluation
	call := &rules.Call{AgentID: agent, Tool: tool}
	v := p.Decide(&e, call, time.Now())
	require.Equal(t, rules.CodeAllowed, v.Cause().Code)
	require.Len(t, e.cursors, 1)
	require.Len(t, e.takes, 200)
	require.Zero(t, testing.AllocsPerRun(20, func() { p.Decide(&e, call, time.Now()) }))
}
