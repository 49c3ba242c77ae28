package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"

	"cel.dev/cel-go/cel"
	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/cedar-policy/cedar-go"
	"github.com/open-policy-agent/opa/v1/rego"
)

// judge answers one call: whether it is allowed.
type judge func(args map[string]any) bool

// contest is one policy, in words and as a careful user of each engine would
// write it, with calls that must be allowed, to show that it works, and calls
// that must not.
type contest struct {
	policy  string
	engines map[string]judge
	good    []map[string]any
	bad     []attack
}

type attack struct {
	name string
	args map[string]any
}

var columns = []string{"veto", "cedar-go", "OPA", "casbin", "cel-go"}

// scorecard prints which engine allows what.
func (b *bench) scorecard() {
	b.title(os.Stdout, "Fail-open scorecard: calls that the policy is against; ALLOWED is a call that runs all the same")
	b.row("policy and call\t" + strings.Join(columns, "\t"))
	wrong := make(map[string]int)
	total := 0
	for _, c := range contests() {
		b.row("%s%s", c.policy, strings.Repeat("\t", len(columns)))
		for _, args := range c.good {
			for name, j := range c.engines {
				if j != nil && !ask(j, args) {
					panic(fmt.Sprintf("%s does not allow a good call of %q", name, c.policy))
				}
			}
		}
		for _, x := range c.bad {
			total++
			cells := make([]string, len(columns))
			for i, name := range columns {
				switch j := c.engines[name]; {
				case j == nil:
					cells[i] = "cannot say"
				case ask(j, x.args):
					cells[i] = "ALLOWED"
					wrong[name]++
				default:
					cells[i] = "denied"
				}
			}
			b.row("%s\t%s", x.name, strings.Join(cells, "\t"))
		}
	}
	cells := make([]string, len(columns))
	for i, name := range columns {
		cells[i] = fmt.Sprintf("%d of %d", wrong[name], total)
	}
	b.row("allowed in all\t%s", strings.Join(cells, "\t"))
	b.out.Flush()
}

// ask counts a panic as a denial: the tool does not run.
func ask(j judge, args map[string]any) (allowed bool) {
	defer func() { _ = recover() }()
	return j(args)
}

func contests() []contest {
	amounts := []attack{
		{"amount is missing", map[string]any{}},
		{"amount is null", map[string]any{"amount": nil}},
		{`amount is "500"`, map[string]any{"amount": "500"}},
		{"amount is [500]", map[string]any{"amount": []any{int64(500)}}},
		{"amount is {}", map[string]any{"amount": map[string]any{}}},
		{"amount is true", map[string]any{"amount": true}},
		{"amount is NaN", map[string]any{"amount": math.NaN()}},
		{"amount is +Inf", map[string]any{"amount": math.Inf(1)}},
		{"amount is json.Number 500", map[string]any{"amount": json.Number("500")}},
		{"amount is int32 500", map[string]any{"amount": int32(500)}},
		{"amount is uint64 500", map[string]any{"amount": uint64(500)}},
		{"amount is big.Int 10^30", map[string]any{"amount": new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil)}},
		{"amount is 100.5", map[string]any{"amount": 100.5}},
		{"Amount is 500, amount is missing", map[string]any{"Amount": int64(500)}},
	}
	good := []map[string]any{{"amount": int64(50)}}
	exact := func(digits string) []attack {
		return []attack{{"n is json.Number " + digits, map[string]any{"n": json.Number(digits)}}}
	}
	recipient := []attack{
		{"to is missing", map[string]any{}},
		{"to is null", map[string]any{"to": nil}},
		{"to is a number", map[string]any{"to": int64(5)}},
		{"to is an array with a good address", map[string]any{"to": []any{"ann@example.com", "eve@evil.org"}}},
		{"to is evil@example.com.attacker.io", map[string]any{"to": "evil@example.com.attacker.io"}},
		{"to has a line break and a Bcc", map[string]any{"to": "ann@example.com\nBcc: eve@evil.org"}},
	}
	goodTo := []map[string]any{{"to": "ann@example.com"}}
	return []contest{
		{
			policy: "Allow pay; deny it where amount is over 100", good: good, bad: amounts,
			engines: map[string]judge{
				"veto": vetoJudge(`{"type":"tool_allowlist","tools":["t"]},{"type":"parameter_constraint","tools":["t"],"parameters":{"amount":{"max":100}}}`),
				"cedar-go": cedarJudge(`permit(principal, action, resource);
					forbid(principal, action, resource) when { context.amount > 100 };`),
				"OPA":    opaJudge("deny if input.amount > 100\nallow if not deny"),
				"casbin": casbinJudge(`p.eft == "allow" || p.eft == "deny" && r.args.amount > 100`, "allow", "deny"),
				"cel-go": celJudge(`!(args.amount > 100)`),
			},
		},
		{
			policy: "Allow pay where amount is at most 100", good: good, bad: amounts,
			engines: map[string]judge{
				"veto":     vetoJudge(`{"type":"parameter_constraint","tools":["t"],"parameters":{"amount":{"max":100}}}`),
				"cedar-go": cedarJudge(`permit(principal, action, resource) when { context has amount && context.amount <= 100 };`),
				"OPA":      opaJudge("allow if input.amount <= 100"),
				"casbin":   casbinJudge(`r.args.amount <= 100`, "allow"),
				"cel-go":   celJudge(`has(args.amount) && args.amount <= 100`),
			},
		},
		{
			policy: "Allow where n is at most 2^53", good: []map[string]any{{"n": int64(5)}}, bad: exact("9007199254740993"),
			engines: map[string]judge{
				"veto":     vetoJudge(`{"type":"parameter_constraint","tools":["t"],"parameters":{"n":{"max":9007199254740992}}}`),
				"cedar-go": cedarJudge(`permit(principal, action, resource) when { context has n && context.n <= 9007199254740992 };`),
				"OPA":      opaJudge("allow if input.n <= 9007199254740992"),
				"casbin":   casbinJudge(`r.args.n <= 9007199254740992`, "allow"),
				"cel-go":   celJudge(`has(args.n) && args.n <= 9007199254740992`),
			},
		},
		{
			policy: "Allow where to is at example.com, by a regular expression", good: goodTo, bad: recipient,
			engines: map[string]judge{
				"veto":     vetoJudge(`{"type":"parameter_constraint","tools":["t"],"parameters":{"to":{"regex":"[a-z]+@example[.]com"}}}`),
				"cedar-go": cedarJudge(`permit(principal, action, resource) when { context has to && context.to like "*@example.com*" };`),
				"OPA":      opaJudge("allow if regex.match(`[a-z]+@example[.]com`, input.to)"),
				"casbin":   casbinJudge(`regexMatch(r.args.to, "[a-z]+@example[.]com")`, "allow"),
				"cel-go":   celJudge(`has(args.to) && args.to.matches("[a-z]+@example[.]com")`),
			},
		},
		{
			policy: "The same with the best that each engine has", good: goodTo, bad: recipient,
			engines: map[string]judge{
				"veto":     vetoJudge(`{"type":"parameter_constraint","tools":["t"],"parameters":{"to":{"emailDomains":["example.com"]}}}`),
				"cedar-go": cedarJudge(`permit(principal, action, resource) when { context has to && context.to like "*@example.com" };`),
				"OPA":      opaJudge("allow if regex.match(`^[a-z]+@example[.]com$`, input.to)"),
				"casbin":   casbinJudge(`regexMatch(r.args.to, "^[a-z]+@example[.]com$")`, "allow"),
				"cel-go":   celJudge(`has(args.to) && args.to.matches("^[a-z]+@example[.]com$")`),
			},
		},
		{
			policy: "Allow; deny where force is true (denylist with a condition)", good: []map[string]any{{"force": false}},
			bad: []attack{
				{"force is missing", map[string]any{}},
				{`force is "true"`, map[string]any{"force": "true"}},
				{"force is 1", map[string]any{"force": int64(1)}},
			},
			engines: map[string]judge{
				"veto": vetoJudge(`{"type":"tool_allowlist","tools":["t"]},{"type":"tool_denylist","tools":["t"],"when":"args.force == true"}`),
				"cedar-go": cedarJudge(`permit(principal, action, resource);
					forbid(principal, action, resource) when { context.force };`),
				"OPA":    opaJudge("deny if input.force == true\nallow if not deny"),
				"casbin": casbinJudge(`p.eft == "allow" || p.eft == "deny" && r.args.force == true`, "allow", "deny"),
				"cel-go": celJudge(`!(args.force == true)`),
			},
		},
		{
			policy: "Allow where dry_run or amount is at most 100", good: []map[string]any{{"dry_run": false, "amount": int64(5)}},
			bad: []attack{{"dry_run is missing, amount is 5: an operand that fails", map[string]any{"amount": int64(5)}}},
			engines: map[string]judge{
				"veto":     vetoJudge(`{"type":"tool_allowlist","tools":["t"],"when":"args.dry_run || args.amount <= 100"}`),
				"cedar-go": cedarJudge(`permit(principal, action, resource) when { context.dry_run || context.amount <= 100 };`),
				"OPA":      opaJudge("allow if input.dry_run\nallow if input.amount <= 100"),
				"casbin":   casbinJudge(`r.args.dry_run == true || r.args.amount <= 100`, "allow"),
				"cel-go":   celJudge(`args.dry_run || args.amount <= 100`),
			},
		},
		{
			policy: "Allow where every address of to is at example.com", good: []map[string]any{{"to": []any{"a@example.com", "b@example.com"}}},
			bad: []attack{
				{"one address is elsewhere", map[string]any{"to": []any{"a@example.com", "eve@evil.org"}}},
				{"to is empty", map[string]any{"to": []any{}}},
				{"an element is an array", map[string]any{"to": []any{[]any{"eve@evil.org"}}}},
			},
			engines: map[string]judge{
				"veto":   vetoJudge(`{"type":"parameter_constraint","tools":["t"],"parameters":{"/to/*":{"emailDomains":["example.com"]}}}`),
				"OPA":    opaJudge("allow if every a in input.to { endswith(a, `@example.com`) }"),
				"cel-go": celJudge(`args.to.all(a, a.endsWith("@example.com"))`),
			},
		},
	}
}

func vetoJudge(rules string) judge {
	a := load(fmt.Appendf(nil, `{"policies":[{"id":"p","agentId":"*","rules":[%s]}]}`, rules))
	return func(args map[string]any) bool {
		_, err := a.Authorize(context.Background(), "bot", "t", args)
		return err == nil
	}
}

// cedarJudge hands the arguments over as JSON, which is how Cedar takes them;
// what it cannot take is a denial.
func cedarJudge(policies string) judge {
	set, err := cedar.NewPolicySetFromBytes("scorecard.cedar", []byte(policies))
	must(err)
	return func(args map[string]any) bool {
		data, err := json.Marshal(args)
		if err != nil {
			return false
		}
		var context cedar.Record
		if err := json.Unmarshal(data, &context); err != nil {
			return false
		}
		decision, _ := cedar.Authorize(set, cedar.EntityMap{}, cedar.Request{
			Principal: cedar.NewEntityUID("Agent", "bot"), Action: cedar.NewEntityUID("Action", "t"),
			Resource: cedar.NewEntityUID("Resource", "none"), Context: context,
		})
		return decision == cedar.Allow
	}
}

func opaJudge(rules string) judge {
	query, err := rego.New(rego.Query("data.scorecard.allow"),
		rego.Module("scorecard.rego", "package scorecard\nimport rego.v1\ndefault allow := false\n"+rules)).PrepareForEval(context.Background())
	must(err)
	return func(args map[string]any) bool {
		results, err := query.Eval(context.Background(), rego.EvalInput(args))
		return err == nil && results.Allowed()
	}
}

func casbinJudge(matcher string, effects ...string) judge {
	m, err := model.NewModelFromString(`
[request_definition]
r = args
[policy_definition]
p = name, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = ` + matcher + "\n")
	must(err)
	e, err := casbin.NewEnforcer(m)
	must(err)
	for _, eft := range effects {
		_, err := e.AddPolicy(eft, eft)
		must(err)
	}
	return func(args map[string]any) bool {
		ok, err := e.Enforce(args)
		return err == nil && ok
	}
}

func celJudge(expression string) judge {
	env, err := cel.NewEnv(cel.Variable("args", cel.MapType(cel.StringType, cel.DynType)))
	must(err)
	ast, iss := env.Compile(expression)
	must(iss.Err())
	program, err := env.Program(ast)
	must(err)
	return func(args map[string]any) bool {
		out, _, err := program.Eval(map[string]any{"args": args})
		return err == nil && out.Value() == true
	}
}
