package main

import (
	"math/rand/v2"
	"regexp"
	"time"
)

// handAnswer is what the hand-written check returns: as much as ours.
type handAnswer struct {
	allowed bool
	id      [2]uint64
	at      time.Time
	reason  string
}

type handTool struct {
	max int64
	to  *regexp.Regexp
}

type handAgent struct {
	tools  map[string]handTool
	denied map[string]bool
}

// hand is the check that a careful programmer would write for this policy:
// look the agent and the tool up, look at the two arguments, check that no
// key is odd, and say who, when and why.
type hand struct{ agents map[string]*handAgent }

func newHand(s size) *hand {
	to := regexp.MustCompile(recipientRegex)
	h := &hand{agents: make(map[string]*handAgent)}
	for a := range s.agents {
		agent := &handAgent{tools: make(map[string]handTool), denied: make(map[string]bool)}
		for t := range s.tools {
			agent.tools[toolName(t)] = handTool{max: int64(maxAmount(t)), to: to}
		}
		for d := range deniedTools {
			agent.denied[deniedName(d)] = true
		}
		h.agents[agentName(a)] = agent
	}
	return h
}

func (h *hand) check(agentID, tool string, params map[string]any) handAnswer {
	a := handAnswer{at: time.Now(), id: [2]uint64{rand.Uint64(), rand.Uint64()}}
	if agentID == "" || len(agentID) > 255 || tool == "" || len(tool) > 255 {
		a.reason = "invalid request"
		return a
	}
	for key := range params {
		if key == "" || len(key) > 255 {
			a.reason = "invalid request"
			return a
		}
	}
	agent := h.agents[agentID]
	if agent == nil {
		a.reason = "unknown agent"
		return a
	}
	if agent.denied[tool] {
		a.reason = "tool is denied"
		return a
	}
	t, ok := agent.tools[tool]
	if !ok {
		a.reason = "tool is not allowed"
		return a
	}
	amount, ok := params["amount"].(int64)
	if !ok || amount > t.max {
		a.reason = "amount is out of bounds"
		return a
	}
	to, ok := params["to"].(string)
	if !ok || !t.to.MatchString(to) {
		a.reason = "recipient is not permitted"
		return a
	}
	a.allowed, a.reason = true, "allowed"
	return a
}

func handEngine(s size) engine {
	h := newHand(s)
	return engine{"hand-written", func(c *call) bool { return h.check(c.agent, c.tool, c.params).allowed }}
}

// stamp is what every hand-written check does besides checking: it reads the
// clock, makes an id and walks the keys.
func stamp(params map[string]any) bool {
	stamped.at, stamped.id = time.Now(), [2]uint64{rand.Uint64(), rand.Uint64()}
	for key := range params {
		if key == "" || len(key) > 255 {
			return false
		}
	}
	return true
}

var stamped handAnswer
