package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/cedar-policy/cedar-go"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// cedarEngine has a permit for each agent and tool and a forbid for each
// agent. Cedar has no regular expressions; "like" decides these recipients.
func cedarEngine(s size) engine {
	var doc strings.Builder
	for a := range s.agents {
		for t := range s.tools {
			fmt.Fprintf(&doc, "permit(principal == Agent::%q, action == Action::%q, resource) when { context.amount <= %d && context.to like \"*@example.com\" };\n",
				agentName(a), toolName(t), maxAmount(t))
		}
		var denied []string
		for d := range deniedTools {
			denied = append(denied, fmt.Sprintf("Action::%q", deniedName(d)))
		}
		fmt.Fprintf(&doc, "forbid(principal == Agent::%q, action in [%s], resource);\n", agentName(a), strings.Join(denied, ", "))
	}
	policies, err := cedar.NewPolicySetFromBytes("bench.cedar", []byte(doc.String()))
	if err != nil {
		panic(err)
	}
	entities := cedar.EntityMap{}
	return engine{"cedar-go", func(c *call) bool {
		decision, _ := cedar.Authorize(policies, entities, cedar.Request{
			Principal: cedar.NewEntityUID("Agent", cedar.String(c.agent)),
			Action:    cedar.NewEntityUID("Action", cedar.String(c.tool)),
			Resource:  cedar.NewEntityUID("Resource", "none"),
			Context: cedar.NewRecord(cedar.RecordMap{
				"amount": cedar.Long(c.amount), "to": cedar.String(c.to),
				"subject": cedar.String("Your refund"), "urgent": cedar.Boolean(false),
			}),
		})
		return decision == cedar.Allow
	}}
}

// opaEngine keeps the policy's numbers as data, looked up by agent and tool.
func opaEngine(s size) engine {
	agents := map[string]any{}
	for a := range s.agents {
		tools, denied := map[string]any{}, map[string]any{}
		for t := range s.tools {
			tools[toolName(t)] = map[string]any{"max": maxAmount(t)}
		}
		for d := range deniedTools {
			denied[deniedName(d)] = true
		}
		agents[agentName(a)] = map[string]any{"tools": tools, "denied": denied}
	}
	ctx := context.Background()
	query, err := rego.New(
		rego.Query("data.bench.allow"),
		rego.Store(inmem.NewFromObject(map[string]any{"agents": agents})),
		rego.Module("bench.rego", `package bench
import rego.v1
default allow := false
allow if {
	agent := data.agents[input.agent]
	not agent.denied[input.tool]
	tool := agent.tools[input.tool]
	input.args.amount <= tool.max
	regex.match(`+"`"+recipientRegex+"`"+`, input.args.to)
}`),
	).PrepareForEval(ctx)
	if err != nil {
		panic(err)
	}
	return engine{"OPA", func(c *call) bool {
		results, err := query.Eval(ctx, rego.EvalInput(map[string]any{"agent": c.agent, "tool": c.tool, "args": c.params}))
		return err == nil && results.Allowed()
	}}
}

// casbinEngine has a line for each agent and tool, and a line for each denial.
func casbinEngine(s size) engine {
	m, err := model.NewModelFromString(`
[request_definition]
r = sub, tool, amount, to
[policy_definition]
p = sub, tool, max, to, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.sub == p.sub && r.tool == p.tool && (p.eft == "deny" || r.amount <= num(p.max) && regexMatch(r.to, p.to))
`)
	if err != nil {
		panic(err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		panic(err)
	}
	e.AddFunction("num", func(args ...any) (any, error) {
		return strconv.ParseFloat(args[0].(string), 64)
	})
	var lines [][]string
	for a := range s.agents {
		for t := range s.tools {
			lines = append(lines, []string{agentName(a), toolName(t), strconv.Itoa(maxAmount(t)), recipientRegex, "allow"})
		}
		for d := range deniedTools {
			lines = append(lines, []string{agentName(a), deniedName(d), "0", "", "deny"})
		}
	}
	if _, err := e.AddPolicies(lines); err != nil {
		panic(err)
	}
	return engine{"casbin", func(c *call) bool {
		ok, err := e.Enforce(c.agent, c.tool, float64(c.amount), c.to)
		return err == nil && ok
	}}
}

// celEngine is bare cel-go: a compiled expression for each agent and tool,
// looked up in a map, with constant expressions folded.
func celEngine(s size) engine {
	env, err := cel.NewEnv(cel.Variable("args", cel.MapType(cel.StringType, cel.DynType)))
	if err != nil {
		panic(err)
	}
	shared := map[string]cel.Program{}
	agents := map[string]map[string]cel.Program{}
	for a := range s.agents {
		tools := map[string]cel.Program{}
		for t := range s.tools {
			source := fmt.Sprintf("args.amount <= %d && args.to.matches(%q)", maxAmount(t), recipientRegex)
			if shared[source] == nil {
				ast, iss := env.Compile(source)
				if iss.Err() != nil {
					panic(iss.Err())
				}
				if shared[source], err = env.Program(ast, cel.EvalOptions(cel.OptOptimize)); err != nil {
					panic(err)
				}
			}
			tools[toolName(t)] = shared[source]
		}
		agents[agentName(a)] = tools
	}
	return engine{"cel-go", func(c *call) bool {
		p := agents[c.agent][c.tool]
		if p == nil {
			return false
		}
		out, _, err := p.Eval(map[string]any{"args": c.params})
		if err != nil {
			return false
		}
		ok, _ := out.Value().(bool)
		return ok
	}}
}
