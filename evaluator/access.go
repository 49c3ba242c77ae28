package evaluator

import (
	"time"

	"github.com/useveto/veto-go/rules"
)

// Access is what an agent can ever get for a tool, whatever the parameters
// and the state of limits.
type Access uint8

const (
	// Never means that no call of the tool can be allowed now.
	Never Access = iota
	// May means that some call may be allowed.
	May
	// Escalates means that a call can at best be put to a human.
	Escalates
)

var accessNames = [...]string{Never: "never", May: "may", Escalates: "escalates"}

// String returns "never", "may" or "escalates".
func (a Access) String() string {
	if int(a) < len(accessNames) {
		return accessNames[a]
	}
	return accessNames[Never]
}

// MarshalText writes the name that String returns.
func (a Access) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Access says what the call's agent can get for its tool at the time now. The
// call's parameters are not looked at. What depends on them, on a condition
// or on a limit is taken to be possible and not certain; so Never is sure,
// and May is not.
func (p *Program) Access(e *Evaluation, call *rules.Call, now time.Time) Access {
	e.Reset()
	if p == nil {
		return Never
	}
	e.call = &rules.Call{AgentID: call.AgentID, Tool: call.Tool, Project: call.Project, Session: call.Session}
	e.program, e.now = p, now
	if !validTool(call.Tool) || call.AgentID == "" || call.AgentID == "*" || !validID(call.AgentID) || p.agentStatus(call.AgentID) != nil {
		return Never
	}
	e.foldTool()
	e.gather()
	return e.access()
}

// outlook is what the policies of one priority can say of a tool.
type outlook struct {
	deny, escalate, allow possibility
}

type possibility uint8

const (
	impossible possibility = iota
	possible
	certain
)

func (p *possibility) raise(to possibility) { *p = max(*p, to) }

func (e *Evaluation) access() Access {
	best, toolGrant := Never, false
	var group outlook
	var priority int32
	// end adds a group to the answer, and reports whether it surely decides.
	end := func() bool {
		switch {
		case group.deny == certain:
			return true
		case group.escalate == certain:
			if best == Never {
				best = Escalates
			}
			return true
		}
		if group.escalate == possible && best == Never {
			best = Escalates
		}
		if group.allow != impossible {
			best = May
		}
		return group.allow == certain
	}
	for {
		r, grants := e.next()
		if r == nil || r.policy.priority != priority {
			if end() {
				return best
			}
			group = outlook{}
			if r == nil {
				break
			}
			priority = r.policy.priority
		}
		if r.policy.flags.shadow {
			continue
		}
		e.foresee(r, grants, &group, &toolGrant)
	}
	if toolGrant && !e.program.strictGrant && !e.program.concerns(e.call) {
		return May
	}
	return best
}

// foresee adds what one rule can say.
func (e *Evaluation) foresee(r *rule, grants bool, g *outlook, toolGrant *bool) {
	most := certain
	if r.when != nil {
		most = possible
	}
	switch b := r.body.(type) {
	case nil:
		switch {
		case r.kind == denylist:
			g.deny.raise(most)
		case r.policy.flags.tool:
			*toolGrant = *toolGrant || grants
		case grants && !r.policy.flags.floor:
			g.allow.raise(most)
		}
	case *approvalBody:
		g.escalate.raise(most)
	case *timeWindow:
		switch b.judge(e, r).outcome {
		case denies:
			g.deny.raise(most)
		case escalates:
			g.escalate.raise(most)
		}
	case *constraintBody:
		g.deny.raise(possible)
		if r.soft {
			g.escalate.raise(possible)
		}
		if grants && !e.program.strictGrant && !r.policy.flags.floor && !r.policy.flags.tool {
			g.allow.raise(possible)
		}
	default:
		g.deny.raise(possible)
		if r.soft {
			g.escalate.raise(possible)
		}
	}
}
