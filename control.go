package veto

import (
	"maps"
	"strings"

	"go.uber.org/zap"

	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/pattern"
	"github.com/useveto/veto-go/rules"
)

// killSwitch is the agents that may not call at all. It is immutable.
type killSwitch struct {
	all      bool
	agents   map[string]struct{} // exact ids, and prefixes with their "*"
	prefixes bool                // some of them are prefixes
	nobody   bool                // some of them no agent can have
}

func (k *killSwitch) stops(agent string) bool {
	if k == nil {
		return false
	}
	if _, stopped := k.agents[agent]; stopped || k.all || k.nobody {
		return true
	}
	if k.prefixes {
		for p := range k.agents {
			if pattern.Match(p, agent) {
				return true
			}
		}
	}
	return false
}

// Suspend denies every call of the agent until Resume. Ids are compared byte
// for byte; one that ends in "*" stands for every agent whose id begins so, as
// in policies. Somebody was meant by an id that no agent can have (an empty
// one, one of more than 255 bytes or with control characters), but nobody knows
// who: it suspends everyone, and the Logger is told. A Suspend is in force
// when it returns: a decision that begins after that is a denial. It survives
// SetPolicies, and is forgotten when the process ends. Guarded tools of the
// agent that are running see their context end.
func (a *Authorizer) Suspend(agentID string) {
	a.setKill(func(k *killSwitch) { k.agents[agentID] = struct{}{} })
	if a != nil && !canBe(agentID) {
		a.logger().Error("Suspend with an id that no agent can have: every agent is suspended", zap.String("agent", agentID))
	}
}

// canBe reports whether an agent can have the id.
func canBe(agentID string) bool {
	return agentID != "" && isName(agentID)
}

// isName reports whether s can be an id or a name, or none.
func isName(s string) bool { return len(s) <= rules.MaxName && constraint.PlainText(s) }

// Resume ends a Suspend of the same id. It does not end SuspendAll, nor a
// Suspend of a prefix of the id, nor change what the policies say of the
// agent.
func (a *Authorizer) Resume(agentID string) {
	a.setKill(func(k *killSwitch) { delete(k.agents, agentID) })
}

// SuspendAll denies every call of every agent until ResumeAll, in the manner
// of Suspend.
func (a *Authorizer) SuspendAll() { a.setKill(func(k *killSwitch) { k.all = true }) }

// ResumeAll ends SuspendAll. Agents that were suspended one by one stay so.
func (a *Authorizer) ResumeAll() { a.setKill(func(k *killSwitch) { k.all = false }) }

func (a *Authorizer) setKill(change func(*killSwitch)) {
	if a == nil {
		return // it denies every call
	}
	a.change.Lock()
	defer a.change.Unlock()
	next := &killSwitch{agents: make(map[string]struct{})}
	if k := a.kill.Load(); k != nil {
		next.all = k.all
		maps.Copy(next.agents, k.agents)
	}
	change(next)
	for id := range next.agents {
		next.nobody = next.nobody || !canBe(id)
		next.prefixes = next.prefixes || strings.HasSuffix(id, "*")
	}
	a.kill.Store(next)
	a.running.stop(a.stopped)
}
