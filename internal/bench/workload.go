package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

// size is how many agents there are, and how many tools each may use.
type size struct{ agents, tools int }

func (s size) String() string { return fmt.Sprintf("%d×%d", s.agents, s.tools) }

var sizes = []size{{1, 10}, {1, 100}, {10, 100}, {1000, 10}}

// The policy, in words: every agent may use its tools; tool number i takes
// whole amounts up to 100+i, and sends to example.com only; a few tools are
// denied to everyone by name.
const (
	recipientRegex = `^[a-z.]{1,40}@example\.com$`
	deniedTools    = 3
)

func agentName(i int) string  { return fmt.Sprintf("agent-%d", i) }
func toolName(i int) string   { return fmt.Sprintf("tool_%d", i) }
func deniedName(i int) string { return fmt.Sprintf("danger_%d", i) }
func maxAmount(i int) int     { return 100 + i }

// call is one proposed call, with its arguments as encoding/json or a model
// SDK would hand them over.
type call struct {
	agent, tool string
	params      map[string]any
	amount      int64
	to          string
}

func newCall(agent, tool string, amount int64, to string) call {
	return call{
		agent: agent, tool: tool, amount: amount, to: to,
		params: map[string]any{"to": to, "amount": amount, "subject": "Your refund", "urgent": false},
	}
}

// allowed and denied are the two calls that are timed: a tool in the middle of
// the agent's list, with good arguments and with a recipient who is not.
func (s size) allowed() call {
	return newCall(agentName(s.agents/2), toolName(s.tools/2), 50, "ann@example.com")
}

func (s size) denied() call {
	return newCall(agentName(s.agents/2), toolName(s.tools/2), 50, "ann@example.com.evil.org")
}

// random returns n calls, of which about a half are allowed.
func (s size) random(n int) []call {
	rng := rand.New(rand.NewPCG(1, uint64(s.agents*s.tools)))
	calls := make([]call, n)
	for i := range calls {
		tool := toolName(rng.IntN(s.tools + s.tools/5 + 1))
		if rng.IntN(8) == 0 {
			tool = deniedName(rng.IntN(deniedTools))
		}
		to := "ann@example.com"
		if rng.IntN(6) == 0 {
			to = "ann@example.com.evil.org"
		}
		calls[i] = newCall(agentName(rng.IntN(s.agents+1)), tool, int64(rng.IntN(140)), to)
	}
	return calls
}

// document is the policy in the form of this library. A policy holds at most
// fifty rules, so an agent with more tools has several policies.
func (s size) document() []byte {
	type object = map[string]any
	var policies []object
	for a := range s.agents {
		var denied []string
		for d := range deniedTools {
			denied = append(denied, deniedName(d))
		}
		var rules []object
		flush := func() {
			rules = append(rules, object{"type": "tool_denylist", "tools": denied})
			policies = append(policies, object{
				"id": fmt.Sprintf("%s-%d", agentName(a), len(policies)), "agentId": agentName(a), "rules": rules,
			})
			rules = nil
		}
		for t := range s.tools {
			rules = append(rules, object{
				"type": "parameter_constraint", "tools": []string{toolName(t)},
				"parameters": object{"amount": object{"max": maxAmount(t)}, "to": object{"regex": recipientRegex}},
			})
			if len(rules) == 40 {
				flush()
			}
		}
		if rules != nil {
			flush()
		}
	}
	data, err := json.Marshal(object{"policies": policies})
	if err != nil {
		panic(err)
	}
	return data
}

// engine decides calls. Its name stands in the table.
type engine struct {
	name   string
	decide func(*call) bool
}
