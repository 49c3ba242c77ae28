package twin

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// edge is a history with what must be said of each call.
type edge struct {
	set, later *rules.PolicySet
	reload     int
	steps      []edgeStep
}

// edgeStep is a call of agent a in project p, at a number of seconds.
type edgeStep struct {
	at      float64
	before  string // sessions that begin, or with "-" end, before the call
	session string
	tool    string
	args    any
	want    string // the code, and after it the parameter and the wait, if any
}

func (x edge) history() *history {
	h := &history{set: x.set, later: x.later, reload: x.reload}
	if h.later == nil {
		h.later, h.reload = h.set, -1
	}
	for _, s := range x.steps {
		c := timedCall{
			call: rules.Call{AgentID: "a", Project: "p", Session: s.session, Tool: s.tool, Parameters: s.args},
			now:  time.Unix(0, int64(s.at*1e9)),
		}
		for _, session := range strings.Fields(s.before) {
			name, end := strings.CutPrefix(session, "-")
			c.before = append(c.before, sessionStep{"p", name, end})
		}
		h.calls = append(h.calls, c)
	}
	return h
}

// check decides the history both ways.
func (x edge) check(t *testing.T) {
	t.Helper()
	h := x.history()
	require.Empty(t, rules.Validate(h.set))
	require.Empty(t, rules.Validate(h.later))
	var want, got []string
	for _, s := range x.steps {
		want = append(want, s.want)
	}
	h.each = func(s said) {
		text := s.Code.String()
		if s.Parameter != "" {
			text += " " + s.Parameter
		}
		if s.RetryAfter != 0 {
			text += " " + s.RetryAfter.String()
		}
		got = append(got, text)
	}
	at, engine, twin, err := h.run()
	require.NoError(t, err)
	require.Equal(t, -1, at, "call %d\nengine: %s\ntwin:   %s", at, engine, twin)
	require.Equal(t, want, got)
}

// ruled is a set with these rules, and one that allows every tool.
func ruled(of ...rules.Rule) *rules.PolicySet {
	of = append(of, rules.Rule{Type: rules.ToolAllowlist, Tools: []string{"*"}})
	return &rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "a", Rules: of}}}
}

func budgeted(max string, b rules.Budget) rules.Rule {
	b.Max = ptr(json.Number(max))
	return rules.Rule{Type: rules.Budgeted, Budget: &b}
}

func soft(r rules.Rule) rules.Rule {
	r.OnViolation = rules.EscalateOnViolation
	return r
}

func sequenced(s rules.Sequence) rules.Rule {
	return rules.Rule{Type: rules.Sequenced, Tools: []string{"t"}, Sequence: &s}
}

func tools(names ...string) []string { return names }

func TestBudgetEdges(t *testing.T) {
	amount := rules.Budget{Parameter: "amount", WindowSeconds: 10}
	to := rules.Budget{Distinct: "to", WindowSeconds: 10}
	wanted := []edgeStep{
		{0, "", "", "t", `{}`, "evaluation_error amount"},
		{0, "", "", "t", nil, "evaluation_error amount"},
		{0, "", "", "t", `{"amount":null}`, "evaluation_error amount"},
		{0, "", "", "t", `{"amount":"1"}`, "evaluation_error amount"},
		{0, "", "", "t", `{"amount":[1]}`, "evaluation_error amount"},
		{0, "", "", "t", `{"amount":1e-19}`, "evaluation_error amount"},
		{0, "", "", "t", `{"amount":-1}`, "budget_exceeded amount"},
		{0, "", "", "t", `{"amount":-1e-19}`, "budget_exceeded amount"},
		{0, "", "", "t", `{"amount":-0.0}`, "allowed"},
		{0, "", "", "t", `{"amount":0.10000000000000000000}`, "allowed"},
	}
	for name, x := range map[string]edge{
		"amounts that are none":                  {set: ruled(budgeted("5", amount)), steps: wanted},
		"and where a human is asked":             {set: ruled(soft(budgeted("5", amount))), steps: wanted},
		"more than every amount":                 {set: ruled(budgeted("999999999999999999.999999999999999999", amount)), steps: []edgeStep{{0, "", "", "t", `{"amount":1e18}`, "budget_exceeded"}, {0, "", "", "t", `{"amount":1e300}`, "budget_exceeded"}}},
		"more than every amount, in the session": {set: ruled(budgeted("999999999999999999.999999999999999999", rules.Budget{Parameter: "amount", PerSession: true})), steps: []edgeStep{{0, "s", "s", "t", `{"amount":1e18}`, "budget_exceeded"}}},
		"more than every amount asks a human":    {set: ruled(soft(budgeted("5", amount))), steps: []edgeStep{{0, "", "", "t", `{"amount":1e18}`, "approval_required"}}},
		"sums are exact, and leave in order": {set: ruled(budgeted("0.3", amount)), steps: []edgeStep{
			{0, "", "", "t", `{"amount":0.1}`, "allowed"},
			{1, "", "", "t", `{"amount":2e-1}`, "allowed"},
			{1, "", "", "t", `{"amount":0}`, "allowed"},
			{2, "", "", "t", `{"amount":1e-18}`, "budget_exceeded 8s"},
			{2, "", "", "t", `{"amount":0.2}`, "budget_exceeded 9s"},
			{2, "", "", "t", `{"amount":0.4}`, "budget_exceeded"},
			{9.5, "", "", "t", `{"amount":0.1}`, "budget_exceeded 500ms"},
			{10, "", "", "t", `{"amount":0.1}`, "allowed"},
			{11, "", "", "t", `{"amount":0.3}`, "budget_exceeded 9s"},
			{11, "", "", "t", `{"amount":0.2}`, "allowed"},
		}},
		"values count while they are used": {set: ruled(budgeted("2", to)), steps: []edgeStep{
			{0, "", "", "t", `{"to":"x"}`, "allowed"},
			{1, "", "", "t", `{"to":1}`, "allowed"},
			{2, "", "", "t", `{"to":"1"}`, "budget_exceeded 8s"},
			{5, "", "", "t", `{"to":"x"}`, "allowed"},
			{6, "", "", "t", `{"to":1.0}`, "allowed"},
			{7, "", "", "t", `{"to":true}`, "budget_exceeded 8s"},
			{15, "", "", "t", `{"to":true}`, "allowed"},
			{15, "", "", "t", `{"to":null}`, "evaluation_error to"},
			{15, "", "", "t", `{"to":{}}`, "evaluation_error to"},
			{15, "", "", "t", `{"to":"` + long(257, "x") + `"}`, "evaluation_error to"},
		}},
		"a call that is denied costs nothing": {set: ruled(budgeted("1", amount), rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 1}}), steps: []edgeStep{
			{0, "", "", "t", `{"amount":0.5}`, "allowed"},
			{0.5, "", "", "t", `{"amount":0.5}`, "rate_limited 500ms"},
			{1, "", "", "t", `{"amount":0.5}`, "allowed"},
			{1, "", "", "t", `{"amount":0.5}`, "budget_exceeded 9s"},
		}},
		"a session ends with its sums": {set: ruled(budgeted("1", rules.Budget{Cost: ptr(json.Number("1")), PerSession: true})), steps: []edgeStep{
			{0, "", "", "t", nil, "session_unknown"},
			{0, "", "s", "t", nil, "session_unknown"},
			{0, "s x", "s", "t", nil, "allowed"},
			{1, "s", "s", "t", nil, "budget_exceeded"},
			{2, "", "x", "t", nil, "allowed"},
			{3, "-s", "s", "t", nil, "session_unknown"},
			{4, "s", "s", "t", nil, "allowed"},
		}},
		"the session is asked for first": {set: ruled(soft(budgeted("1", rules.Budget{Parameter: "amount", WindowSeconds: 1, Per: []string{"user", "session"}}))), steps: []edgeStep{
			{0, "", "", "t", nil, "session_unknown"},
			{0, "", "s", "t", nil, "evaluation_error"},
		}},
		"what a reload keeps": {
			set:   ruled(budgeted("2", rules.Budget{Parameter: "k", WindowSeconds: 10}), budgeted("1", rules.Budget{Distinct: "k", WindowSeconds: 10})),
			later: ruled(budgeted("1", rules.Budget{Cost: ptr(json.Number("1")), WindowSeconds: 10}), budgeted("1", rules.Budget{Parameter: "k", WindowSeconds: 10})),
			// The first goes on, of the second the kind has changed.
			reload: 1, steps: []edgeStep{
				{0, "", "", "t", `{"k":1}`, "allowed"},
				{1, "", "", "t", `{"k":1}`, "budget_exceeded 9s"},
				{10, "", "", "t", `{"k":1}`, "allowed"},
			},
		},
		"no waiting for a session": {set: ruled(
			rules.Rule{Type: rules.RateLimited, Tools: tools("t"), RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 10}},
			budgeted("1", rules.Budget{Cost: ptr(json.Number("1")), PerSession: true}),
			rules.Rule{Type: rules.RateLimited, Tools: tools("t"), RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60}},
		), steps: []edgeStep{
			{0, "s", "s", "t", nil, "allowed"},
			{1, "", "s", "t", nil, "rate_limited 9s"}, // the later limit has no say
			{10, "", "s", "t", nil, "budget_exceeded"},
			{10, "-s", "s", "t", nil, "session_unknown"},
		}},
	} {
		t.Run(name, x.check)
	}
}
