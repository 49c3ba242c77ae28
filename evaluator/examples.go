package evaluator

import (
	"fmt"
	"strings"
	"time"

	"github.com/useveto/veto-go/rules"
)

// exampleTime is the time of examples that give none.
var exampleTime = time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)

// maxExampleFaults is after how many examples that differ the rest is not
// looked at.
const maxExampleFaults = 20

// examples decides the examples of a set, in order, with a history of their
// own, and reports those that come out differently. A session is opened at the
// first example that names it, as a host would have done by then, and is
// forgotten as any other.
func (p *Program) examples(set *rules.PolicySet) []rules.Fault {
	if len(set.Examples) == 0 {
		return nil
	}
	var faults []rules.Fault
	state, now := NewState(nil), exampleTime
	type session struct{ project, id string }
	opened := make(map[session]bool)
	var e Evaluation
	for i := range set.Examples {
		x := &set.Examples[i]
		if x.Call.At != "" {
			at, err := time.Parse(time.RFC3339, x.Call.At)
			if err != nil {
				faults = append(faults, rules.Fault{Path: fmt.Sprintf("examples[%d].call.at", i), Message: "is no RFC 3339 time"})
				continue
			}
			now = at
		}
		call := rules.Call{
			AgentID: x.Call.Agent, Tool: x.Call.Tool, Project: x.Call.Project,
			Session: x.Call.Session, User: x.Call.User,
		}
		// A session that cannot be is the call's own fault, and decided as that.
		in := session{call.Project, call.Session}
		if !opened[in] && CheckSession(in.project, in.id) == nil {
			opened[in] = true
			if err := state.OpenSession(in.project, in.id, now); err != nil {
				faults = append(faults, rules.Fault{
					Path: fmt.Sprintf("examples[%d].call.session", i), Message: "the session cannot be opened: too many are open",
					Hint: fmt.Sprintf("name at most %d sessions in one set", defaultMaxSessions),
				})
				break
			}
		}
		if x.Call.Parameters != nil {
			call.Parameters = x.Call.Parameters
		}
		if x.Call.Context != nil {
			call.Context = x.Call.Context
		}
		p.Decide(&e, &call, now)
		c := e.Settle(state).Cause()
		if c.Outcome == x.Want && (x.Code == nil || *x.Code == c.Code) {
			continue
		}
		// The trace is of the call as it was decided, and what was counted
		// for it counts for the examples after it.
		taken := c.Outcome == rules.Allowed
		e.GiveBack(state)
		_, trace := p.Explain(&e, &call, now, true)
		e.Peek(state)
		hint := trace.String()
		if taken {
			p.Decide(&e, &call, now)
			e.Settle(state)
		}
		want := x.Want.String()
		if x.Code != nil {
			want += " (" + x.Code.String() + ")"
		}
		faults = append(faults, rules.Fault{
			Path: fmt.Sprintf("examples[%d]", i),
			Message: fmt.Sprintf("this call should be %s, and is %s: %s", want, c.Outcome,
				rules.NewReason(c.Code, call.Tool, &c.Basis)),
			Hint: hint,
		})
		if len(faults) == maxExampleFaults {
			break
		}
	}
	return faults
}

// String renders the trace on one line, in the order of evaluation.
func (t *Trace) String() string {
	if len(t.Policies) == 0 {
		return "no policy is about this agent and tool"
	}
	var b strings.Builder
	for i, p := range t.Policies {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "policy %q (priority %d) %s", p.PolicyID, p.Priority, p.Verdict)
		for j, r := range p.Rules {
			sep := ", "
			if j == 0 {
				sep = ": "
			}
			fmt.Fprintf(&b, "%s%s %s", sep, r.RuleID, r.Verdict)
			if r.Error != "" {
				fmt.Fprintf(&b, " (%s)", r.Error)
			}
			if r.Parameter != "" {
				fmt.Fprintf(&b, " (parameter %q", r.Parameter)
				if r.Value != nil {
					fmt.Fprintf(&b, " is %s", r.Value)
				}
				b.WriteString(")")
			}
		}
	}
	return b.String()
}
