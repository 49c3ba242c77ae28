package policydoc

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// texts of the faults of one document
func faultsOf(t *testing.T, name, text string) []string {
	t.Helper()
	set, faults := Decode(name, []byte(text))
	require.Equal(t, len(faults) == 0, set != nil)
	var all []string
	for _, f := range faults {
		all = append(all, f.Error())
	}
	return all
}

const everything = `
version: 1
strictGrant: true
lists:
  staff: [ann@example.com, bob@example.com]
  nobody: []
agents:
  - {id: agt_123, name: support-bot, description: null, status: active}
policies:
  - id: allow-safe
    agentId: agt_123
    projectId: acme
    name: Allow safe tools
    description: ""
    priority: 7
    enabled: false
    shadow: true
    rules:
      - {type: tool_allowlist, tools: [file.read, web.search], when: 'args.q != ""'}
      - {type: rate_limit, id: slow, tools: [web.search], rateLimit: {maxCalls: 100, windowSeconds: 3.6e3, per: [agent, "param:q"]}, onViolation: require_approval}
      - type: parameter_constraint
        parameters:
          to: {inList: staff, ignoreCase: true, regex: '^[^@]+@', minLength: 0}
          /items/*/n: {min: 9007199254740993, max: 1e2, enum: [a, 1.50, true, ""], optional: true}
        additionalParameters: false
      - {type: parameter_constraint, anyOf: [{a: {type: string}}, {b: {}}]}
      - {type: time_based, timeWindow: {allowedHours: [9, 10], allowedDays: [1], timezone: Europe/Berlin}}
      - {type: require_approval, tools: ["*"], approval: {ttlSeconds: 60, message: "é"}}
      - {type: budget, budget: {parameter: amount, max: 10.50, perSession: true}}
      - {type: sequence, sequence: {requires: [{tools: [login], withinSeconds: 60, same: {user: name}}]}}
toolPolicies:
  - {toolName: send_email, projectId: acme, mode: deterministic,
     constraints: [{argumentName: to, enabled: true, regex: '^[^@]+@example\.com$'}]}
examples:
  - {call: {agent: agt_123, tool: web.search, parameters: {q: go, n: 1.0}, at: "2025-07-01T09:00:00Z"}, want: allowed, code: allowed}
`

func TestDecodeEverything(t *testing.T) {
	set, faults := Decode("all.yaml", []byte(everything))
	require.Empty(t, faults)
	require.Equal(t, 1, *set.Version)
	require.True(t, set.StrictGrant)
	require.Equal(t, map[string][]string{"staff": {"ann@example.com", "bob@example.com"}, "nobody": {}}, set.Lists)
	require.Equal(t, []rules.Agent{{ID: "agt_123", Name: "support-bot", Status: rules.AgentActive}}, set.Agents)
	p := set.Policies[0]
	require.Equal(t, "allow-safe acme Allow safe tools", p.ID+" "+*p.ProjectID+" "+p.Name)
	require.Equal(t, "", *p.Description)
	require.Equal(t, 7, p.Priority)
	require.False(t, *p.Enabled)
	require.True(t, p.Shadow)
	require.Equal(t, []string{"file.read", "web.search"}, p.Rules[0].Tools)
	require.Equal(t, `args.q != ""`, p.Rules[0].When)
	require.Equal(t, &rules.RateLimit{MaxCalls: 100, WindowSeconds: 3600, Per: []string{"agent", "param:q"}}, p.Rules[1].RateLimit)
	require.Equal(t, "slow", p.RuleID(1))
	require.Equal(t, rules.EscalateOnViolation, p.Rules[1].OnViolation)
	to := p.Rules[2].Parameters["to"]
	require.Equal(t, "staff", to.InList)
	require.Equal(t, 0, *to.MinLength)
	n := p.Rules[2].Parameters["/items/*/n"]
	require.EqualValues(t, "9007199254740993", *n.Min)
	require.EqualValues(t, "1e2", *n.Max)
	require.Len(t, n.Enum, 4)
	require.EqualValues(t, "1.50", n.Enum[1].Value)
	require.Equal(t, true, n.Enum[2].Value)
	require.Len(t, p.Rules[3].AnyOf, 2)
	require.EqualValues(t, "10.50", *p.Rules[6].Budget.Max)
	require.Equal(t, map[string]string{"user": "name"}, p.Rules[7].Sequence.Requires[0].Same)
	require.Equal(t, `^[^@]+@example\.com$`, *set.ToolPolicies[0].Constraints[0].Regex)
	e := set.Examples[0]
	require.JSONEq(t, `{"q":"go","n":1.0}`, string(e.Call.Parameters))
	require.Equal(t, rules.Allowed, e.Want)
	require.Equal(t, rules.CodeAllowed, *e.Code)
}

// The document must be free to be collected, or changed, after the load.
func TestDecodeKeepsNothingOfTheText(t *testing.T) {
	data := []byte(`{"policies":[{"id":"p","agentId":"a","rules":[{"type":"parameter_constraint","tools":["t\u0041"],"parameters":{"x":{"min":1.5,"enum":["e",2.5]}}}]}],"lists":{"l":["m"]},
		"examples":[{"call":{"agent":"a","tool":"t","parameters":{"k":"v"}},"want":"denied"}]}`)
	set, faults := Decode("p.json", data)
	require.Empty(t, faults)
	for i := range data {
		data[i] = '#'
	}
	again, _ := Decode("p.json", []byte(`{"policies":[{"id":"p","agentId":"a","rules":[{"type":"parameter_constraint","tools":["tA"],"parameters":{"x":{"min":1.5,"enum":["e",2.5]}}}]}],"lists":{"l":["m"]},
		"examples":[{"call":{"agent":"a","tool":"t","parameters":{"k":"v"}},"want":"denied"}]}`))
	require.Equal(t, again, set)
}

func TestDecodeFaults(t *testing.T) {
	const rule = `{"type":"tool_allowlist","tools":["t"]}`
	policy := func(s string) string { return `{"policies":[` + s + `]}` }
	for name, c := range map[string]struct{ text, want string }{
		"syntax":         {`{"policies":[}`, `d.json:1:14: this is not valid JSON`},
		"empty":          {" \n", `d.json:1:1: the document is empty; a document that allows nothing says so with policies: []`},
		"nothing":        {`{"version":1}`, `d.json:1:1: the document has neither agents nor policies nor toolPolicies; policies: [] says that there are none`},
		"second":         {"{\"policies\":[]}\n{}", `d.json:2:1: something follows the end of the document`},
		"duplicate key":  {"{\"policies\":[],\n\"policies\":[]}", `d.json:2:1: this key is there twice in one object`},
		"folded key":     {`{"policies":[], "Policies":[]}`, `d.json:1:17: this key differs from another of the same object in case only`},
		"case":           {`{"Policies":[]}`, `d.json:1:2: Policies: there is no field "Policies" here; did you mean "policies"?`},
		"unknown":        {`{"policies":[],"é":1}`, `d.json:1:16: ["é"]: there is no field "é" here`},
		"null":           {`{"policies":null}`, `d.json:1:2: policies: this must be an array, not null; leave the field out where it does not apply`},
		"scalar":         {`7`, `d.json:1:1: this must be an object, not a number`},
		"policy kind":    {policy(`[]`), `d.json:1:14: policies[0]: this must be an object, not an array`},
		"missing":        {policy(`{"id":"p","rules":[` + rule + `]}`), `d.json:1:14: policies[0].agentId: policy "p": agentId is missing`},
		"empty id":       {policy(`{"id":"","agentId":"a","rules":[` + rule + `]}`), `d.json:1:15: policies[0].id: the text is empty; leave the field out, or give a text`},
		"empty name":     {policy(`{"id":"p","name":"","agentId":"a","rules":[` + rule + `]}`), `d.json:1:24: policies[0].name: policy "p": the text is empty; leave the field out, or give a text`},
		"wrong type":     {policy(`{"id":"p","agentId":"a","priority":"1","rules":[` + rule + `]}`), `d.json:1:38: policies[0].priority: policy "p": this must be an integer, not a string`},
		"fraction":       {policy(`{"id":"p","agentId":"a","priority":1.5,"rules":[` + rule + `]}`), `d.json:1:38: policies[0].priority: policy "p": this must be an integer`},
		"far":            {policy(`{"id":"p","agentId":"a","priority":1e30,"rules":[` + rule + `]}`), `d.json:1:38: policies[0].priority: policy "p": the number is out of range`},
		"range":          {policy(`{"id":"p","agentId":"a","priority":1001,"rules":[` + rule + `]}`), `d.json:1:38: policies[0].priority: policy "p": 1001 is out of range; the range is 0..1000`},
		"misspelt block": {policy(`{"id":"p","agentId":"a","rules":[{"type":"rate_limit","ratelimit":{"maxCalls":1,"windowSeconds":1}}]}`), `d.json:1:68: policies[0].rules[0].ratelimit: policy "p", rule "rate_limit[0]": there is no field "ratelimit" here; did you mean "rateLimit"?`},
		"rule type":      {policy(`{"id":"p","agentId":"a","rules":[{"type":"tool_alowlist","tools":["t"]}]}`), `d.json:1:48: policies[0].rules[0].type: policy "p", rule "tool_alowlist[0]": there is no rule type "tool_alowlist"; did you mean "tool_allowlist"?`},
		"explicit zero":  {policy(`{"id":"p","agentId":"a","rules":[{"type":"require_approval","tools":["t"],"approval":{"ttlSeconds":0}}]}`), `d.json:1:100: policies[0].rules[0].approval.ttlSeconds: policy "p", rule "require_approval[0]": 0 is out of range; leave the field out for its default`},
		"enum":           {policy(`{"id":"p","agentId":"a","rules":[{"type":"parameter_constraint","parameters":{"/a/*":{"enum":[null]}}}]}`), `d.json:1:108: policies[0].rules[0].parameters["/a/*"].enum[0]: policy "p", rule "parameter_constraint[0]": this must be a string, a number, true or false, not null; leave the field out where it does not apply`},
		"empty enum":     {policy(`{"id":"p","agentId":"a","rules":[{"type":"parameter_constraint","parameters":{"a":{"enum":[]}}}]}`), `d.json:1:97: policies[0].rules[0].parameters.a.enum: policy "p", rule "parameter_constraint[0]": there are no values; give 1..100`},
		"empty tools":    {policy(`{"id":"p","agentId":"a","rules":[{"type":"tool_denylist","tools":[]}]}`), `d.json:1:71: policies[0].rules[0].tools: policy "p", rule "tool_denylist[0]": there are no tool patterns; give 1..256`},
		"outcome":        {`{"policies":[],"examples":[{"call":{"agent":"a","tool":"t"},"want":"yes"}]}`, `d.json:1:61: examples[0].want: unknown outcome "yes": want denied, allowed or escalated`},
		"no outcome":     {`{"policies":[],"examples":[{"call":{"agent":"a","tool":"t"}}]}`, `d.json:1:28: examples[0].want: want is missing`},
		"output rules":   {`{"toolPolicies":[{"toolName":"t","mode":"deterministic","outputRules":[]}]}`, `d.json:1:57: toolPolicies[0].outputRules: policy "tool:t": there is no field "outputRules" here; output rules are decided by the service only`},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, []string{c.want}, faultsOf(t, "d.json", c.text)) })
	}
}

func TestDecodeReportsAll(t *testing.T) {
	require.Equal(t, []string{
		`d.yaml:3:5: policies[0].rule: policy "p": there is no field "rule" here; did you mean "rules"?`,
		`d.yaml:4:5: policies[0].priority: policy "p": -1 is out of range; the range is 0..1000`,
		`d.yaml:6:6: policies[1].id: policy "p": policy "p" is there twice; the first is at d.yaml:2:5`,
		`d.yaml:6:13: policies[1].agentId: policy "p": the agent of a policy "a*b" has a "*" that is not its end; write an exact name, or a prefix that ends in one "*"`,
		`d.yaml:9:26: policies[1].rules[1].id: policy "p", rule "x": rule "x" is there twice in this policy; the other is number 1`,
	}, faultsOf(t, "d.yaml", `policies:
  - id: p
    rule: []
    priority: -1
    agentId: a
  - {id: p, agentId: a*b, rules: [
      {type: tool_denylist, id: x, tools: [t]},

      {type: time_based, id: x, timeWindow: {allowedDays: [1]}}]}
`))
}

func TestDecodeBounds(t *testing.T) {
	deep := func(n int) string {
		return `{"policies":[],"examples":[{"call":{"agent":"a","tool":"t","parameters":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `},"want":"denied"}]}`
	}
	require.Empty(t, faultsOf(t, "d.json", deep(60)))
	require.Equal(t, []string{"d.json:1:133: this is nested too deep"}, faultsOf(t, "d.json", deep(61)))
	require.Empty(t, faultsOf(t, "d.yaml", deep(60)))
	require.Len(t, faultsOf(t, "d.yaml", deep(61)), 1)
	big := []byte(`{"policies":[]}` + strings.Repeat(" ", MaxBytes-15))
	_, faults := Decode("d.json", big)
	require.Empty(t, faults)
	_, faults = Decode("d.json", append(big, ' '))
	require.Equal(t, "d.json:1:1: the document has more than 64 MiB", faults[0].Error())
}

func TestFormatByNameOrFirstByte(t *testing.T) {
	for name, good := range map[string]bool{"a.json": false, "a.yaml": true, "a.YML": true, "a": true, "": true} {
		_, faults := Decode(name, []byte("policies: []\n"))
		require.Equal(t, good, len(faults) == 0, name)
	}
	for _, name := range []string{"a.json", "a.yaml", "a", ""} {
		require.Empty(t, faultsOf(t, name, "\ufeff \n{\"policies\":[]}"), name)
	}
	require.Equal(t, []string{"a:1:2: this is not valid JSON"}, faultsOf(t, "a", "{policies: []}"))
}

func TestFaultsAreBounded(t *testing.T) {
	all := faultsOf(t, "d.json", `{"policies":[`+strings.Repeat("1,", 3*maxFaults)+"1],\"x\":1}")
	require.Len(t, all, maxFaults)
	require.Equal(t, "d.json:1:60023: there are more faults than are listed", all[maxFaults-1])
}

// What nobody can read must not be skipped, and one bad rule must not void
// the others by taking effect without it: the whole load is refused, and every
// fault is named. https://github.com/anthropics/claude-code/issues/9792
func TestAttack_A7_UnknownNamesAreRefused(t *testing.T) {
	for _, rule := range []string{
		`{"type":"deny","tools":["t"]}`,
		`{"type":"tool_denylist","tool":["t"]}`,
		`{"type":"tool_denylist","tools":["t"],"unless":"x"}`,
		`{"type":"tool_denylist","tools":["t"],"rateLimit":{"maxCalls":1,"windowSeconds":1}}`,
		`{"type":"parameter_constraint","tools":["t"],"parameters":{"x":{"maximum":1}}}`,
		`{"type":"parameter_constraint","tools":["t"],"parameters":{"x":{"MAX":1}}}`,
	} {
		set, faults := Decode("d.json", []byte(`{"policies":[
			{"id":"p","agentId":"a","rules":[{"type":"tool_allowlist","tools":["*"]}]},
			{"id":"q","agentId":"a","rules":[`+rule+`]}]}`))
		require.Nil(t, set, rule)
		require.NotEmpty(t, faults, rule)
		for _, f := range faults {
			require.Equal(t, "q", f.Policy)
			require.Equal(t, 3, f.Line)
		}
	}
}
