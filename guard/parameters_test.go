package guard_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

const constrains = `
policies:
  - id: mail
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [send_email]}
      - {type: parameter_constraint, tools: [send_email], parameters: {to: {maxLength: 50}, cc: {optional: true}, /extra/note: {optional: true}}}
      - {type: budget, tools: [send_email], budget: {parameter: cost, max: 10, windowSeconds: 60}}
`

type lacks struct {
	To    string `json:"to"`
	Extra struct{ Note string }
}

type has struct {
	To    string         `json:"to"`
	CC    string         `json:"cc,omitempty"`
	Cost  int            `json:"cost"`
	Extra map[string]any `json:"extra,omitempty"`
}

// A policy that constrains a parameter which the tool does not have is a
// mistake in one of the two, and is found when the tool is wrapped.
func TestParametersThatTheToolLacks(t *testing.T) {
	a := load(t, constrains, nil)
	check := func(t *testing.T, err error) {
		t.Helper()
		require.EqualError(t, err, `guard: tool "send_email" has no parameter "cost", which policy "mail" constrains in rule "budget[0]"; it has ["Extra" "to"]
guard: tool "send_email" has no parameter "cc", which policy "mail" constrains in rule "parameter_constraint[0]"; it has ["Extra" "to"]
guard: tool "send_email" has no parameter "extra", which policy "mail" constrains in rule "parameter_constraint[0]"; it has ["Extra" "to"]`)
	}
	never := func(context.Context, lacks) (int, error) { panic("it ran") }
	tool, err := guard.Wrap(a, "send_email", never, bot[int]())
	check(t, err)
	_, err = tool(t.Context(), lacks{To: "ann"})
	require.ErrorIs(t, err, veto.ErrDenied)
	_, err = guard.WrapJSON(a, "send_email", never, bot[int]())
	check(t, err)
	_, err = guard.WrapStream(a, "send_email", streamOf[lacks, int](), bot[int]())
	check(t, err)
	_, err = guard.Wrap(a, "send_email", func(context.Context, *lacks) (int, error) { panic("it ran") }, bot[int]())
	check(t, err)

	_, err = guard.Wrap(a, "send_email", echo[has], bot[has]())
	require.NoError(t, err)
	_, err = guard.Wrap(a, "another", echo[lacks], bot[lacks]())
	require.NoError(t, err)

	// Of maps, raw JSON and types that read themselves nothing is known, but
	// what Options.Parameters say.
	_, err = guard.Wrap(a, "send_email", echo[map[string]any], bot[map[string]any]())
	require.NoError(t, err)
	_, err = guard.Wrap(a, "send_email", echo[money], bot[money]())
	require.NoError(t, err)
	opts := &guard.Options[json.RawMessage]{Agent: "bot", Parameters: []string{"to", "cost", "cc"}}
	_, err = guard.WrapJSON(a, "send_email", echo[json.RawMessage], opts)
	require.ErrorContains(t, err, `has no parameter "extra"`)
	opts.Parameters = append(opts.Parameters, "extra")
	_, err = guard.WrapJSON(a, "send_email", echo[json.RawMessage], opts)
	require.NoError(t, err)
	// They also stand against the type, for a tool that adds to it.
	_, err = guard.Wrap(a, "send_email", never, &guard.Options[int]{Agent: "bot", Parameters: opts.Parameters})
	require.NoError(t, err)
	_, err = guard.Wrap(a, "send_email", echo[has], &guard.Options[has]{Agent: "bot", Parameters: []string{}})
	require.ErrorContains(t, err, `it has []`)
}

// A rule about more tools is no statement about this one: the agents, and the
// conditions, that it is for may never meet it. Where they do, it denies.
func TestParametersOfRulesAboutMoreTools(t *testing.T) {
	for rule, denied := range map[string]rules.Code{
		`{type: parameter_constraint, tools: ["*"], parameters: {amount: {max: 5, optional: true}}}`:   rules.CodeAllowed,
		`{type: parameter_constraint, tools: ["p*"], parameters: {amount: {max: 5, optional: true}}}`:  rules.CodeAllowed,
		`{type: parameter_constraint, parameters: {amount: {max: 5, optional: true}}}`:                 rules.CodeAllowed,
		`{type: parameter_constraint, tools: ["*"], when: 'tool != "ping"', parameters: {amount: {}}}`: rules.CodeAllowed,
		`{type: parameter_constraint, tools: ["*"], parameters: {amount: {max: 5}}}`:                   rules.CodeConstraintViolated,
		`{type: parameter_constraint, tools: ["pi*", pong], parameters: {/amount/of: {max: 5}}}`:       rules.CodeConstraintViolated,
		`{type: budget, tools: ["*"], budget: {parameter: amount, max: 10, windowSeconds: 60}}`:        rules.CodeEvaluationError,
		`{type: budget, budget: {distinct: amount, max: 10, windowSeconds: 60}}`:                       rules.CodeEvaluationError,
		`{type: parameter_constraint, tools: ["*", Ping], parameters: {amount: {max: 5}}}`:             rules.CodeDefaultDeny,
		`{type: parameter_constraint, tools: [ping, "*"], parameters: {amount: {optional: true}}}`:     rules.CodeDefaultDeny,
		`{type: budget, tools: ["p*", ping], budget: {parameter: amount, max: 10, windowSeconds: 60}}`: rules.CodeDefaultDeny,
	} {
		a := load(t, "policies:\n  - id: p\n    agentId: bot\n    rules:\n      - {type: tool_allowlist, tools: [ping]}\n      - "+rule+"\n", nil)
		tool, err := guard.Wrap(a, "ping", echo[leaf], bot[leaf]())
		if denied == rules.CodeDefaultDeny { // the code of all that cannot be guarded
			require.ErrorContains(t, err, `guard: tool "ping" has no parameter "amount"`, rule)
			require.Len(t, err.(interface{ Unwrap() []error }).Unwrap(), 1, rule)
		} else {
			require.NoError(t, err, rule)
		}
		if _, err = tool(t.Context(), leaf{"x"}); denied == rules.CodeAllowed {
			require.NoError(t, err, rule)
		} else {
			require.Equal(t, denied, code(t, err), rule)
		}
	}
	// Another agent's rule about all tools does not stand in the way.
	a := load(t, everything+`
  - id: other
    agentId: other
    rules: [{type: parameter_constraint, tools: ["*"], parameters: {tenant: {}}}]
`, nil)
	_, err := wrap(t, a, "ping", echo[leaf], bot[leaf]())(t.Context(), leaf{"x"})
	require.NoError(t, err)
	require.Equal(t, "tenant", a.ParametersOf("ping")[0].Name)
	require.False(t, a.ParametersOf("ping")[0].Exact)
}

// Policies that come later are not looked at when a tool is wrapped; the calls
// are denied.
func TestParametersOfPoliciesThatComeLater(t *testing.T) {
	a := load(t, everything, nil)
	tool := wrap(t, a, "send_email", echo[lacks], bot[lacks]())
	_, err := tool(t.Context(), lacks{To: "ann"})
	require.NoError(t, err)
	reload(t, a, constrains)
	_, err = tool(t.Context(), lacks{To: "ann"})
	require.Equal(t, rules.CodeEvaluationError, code(t, err))
}

func TestSet(t *testing.T) {
	a := load(t, `
policies:
  - id: p
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [a, b]}
      - {type: parameter_constraint, tools: [c], parameters: {x: {}}}
      - {type: parameter_constraint, tools: [d], parameters: {y: {}}}
`, nil)
	one := func(context.Context, flat) (int, error) { return 1, nil }
	two := func(context.Context, flat) (int, error) { return 2, nil }
	type tools = map[string]func(context.Context, flat) (int, error)
	given := tools{"a": one, "b": two}
	guarded, err := guard.Set(a, given, bot[int]())
	require.NoError(t, err)
	require.Len(t, guarded, 2)
	delete(given, "a")
	for name, want := range map[string]int{"a": 1, "b": 2} {
		n, err := guarded[name](t.Context(), flat{})
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	// What cannot be guarded is named, all of it, and denies; the rest works.
	guarded, err = guard.Set(a, tools{"d": one, "c": one, "b": two, "n": nil}, bot[int]())
	require.ErrorContains(t, err, "guard: tool \"c\" has no parameter \"x\"")
	require.Regexp(t, `(?s)tool "c".*\n.*tool "d".*\n.*tool "n": the function is nil`, err.Error())
	require.Len(t, guarded, 4)
	for _, name := range []string{"c", "d", "n"} {
		_, err = guarded[name](t.Context(), flat{})
		require.ErrorIs(t, err, veto.ErrDenied)
	}
	n, err := guarded["b"](t.Context(), flat{})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	guarded, err = guard.Set(a, tools(nil), nil)
	require.NoError(t, err)
	require.Empty(t, guarded)
}
