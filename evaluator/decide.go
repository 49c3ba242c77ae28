package evaluator

import (
	"cmp"
	"math"
	"slices"
	"time"
	"unsafe"

	"github.com/useveto/veto-go/internal/pattern"
	"github.com/useveto/veto-go/rules"
)

// Decide gives the verdict of p on call at the time now, using e. It takes no
// limit: where the verdict is Stateful, Settle must follow. The call's
// parameters and strings must not change until e is reset or used again.
func (p *Program) Decide(e *Evaluation, call *rules.Call, now time.Time) *Verdict {
	if e.program != nil {
		e.Reset()
	}
	return p.decide(e, call, now)
}

func (p *Program) decide(e *Evaluation, call *rules.Call, now time.Time) *Verdict {
	v := &e.verdict
	if p == nil || call == nil {
		return v
	}
	e.program, e.call, e.now = p, call, now
	if c := p.CheckInput(e, call); c != nil {
		return e.decided(c)
	}
	if c := p.agentStatus(call.AgentID); c != nil {
		return e.decided(c)
	}
	e.foldTool()
	e.gather()
	e.walk()
	switch {
	case v.cause != nil:
	case e.group.tool != nil && !p.strictGrant && !p.concerns(call):
		e.decided(e.group.tool.allowed(nil))
	case call.Project != "" && len(e.cursors) == 0:
		e.decided(notFound)
	default:
		e.decided(defaultDeny)
	}
	// A session remembers every call of it that is allowed.
	v.stateful = e.rests(v) || call.Session != "" && v.Cause().Outcome == rules.Allowed
	return v
}

// AgentStopped reports whether the policies list the agent as suspended or
// revoked.
func (p *Program) AgentStopped(agent string) bool {
	if p == nil {
		return false
	}
	c := p.agentStatus(agent)
	return c == suspended || c == revoked
}

// agentStatus returns why the agent may not call at all, or nil.
func (p *Program) agentStatus(agent string) *Cause {
	if !p.listed {
		return nil
	}
	switch p.agents[agent] {
	case rules.AgentActive:
		return nil
	case rules.AgentSuspended:
		return suspended
	case rules.AgentRevoked:
		return revoked
	default:
		return unlisted
	}
}

// foldTool puts the tool name in lower case into e.tool. Where that takes a
// copy, it is a view of a buffer that the next decision uses again: nothing
// keeps e.tool.
func (e *Evaluation) foldTool() {
	e.tool = e.call.Tool
	if pattern.HasUpper(e.tool) {
		e.folded = pattern.AppendLower(e.folded[:0], e.tool)
		e.tool = unsafe.String(unsafe.SliceData(e.folded), len(e.folded))
	}
}

// cursor walks the rules of one row.
type cursor struct {
	refs []ref
}

// gather finds the rows in scope. The call is in project scope where the
// project has a policy about it that is not a shadow; then only that
// project's policies and the floors are used, and else the organisation-wide
// ones and the floors.
func (e *Evaluation) gather() {
	p, inProject := e.program, false
	if e.call.Project != "" {
		if s := p.projects[e.call.Project]; s != nil {
			inProject = e.addScope(s)
		}
	}
	// What a project that is not live adds here is shadow policies only.
	if !inProject {
		e.addScope(&p.org)
	}
	e.addAgent(&p.floor)
	if len(e.cursors) > fewCursors {
		e.merge()
	}
}

// fewCursors is up to how many cursors are looked at one by one for the next
// rule.
const fewCursors = 3

// merge makes one cursor of many.
func (e *Evaluation) merge() {
	e.merged = e.merged[:0]
	for _, c := range e.cursors {
		e.merged = append(e.merged, c.refs...)
	}
	slices.SortFunc(e.merged, func(a, b ref) int { return cmp.Compare(a.seq, b.seq) })
	e.cursors = append(e.cursors[:0], cursor{e.merged})
}

func (e *Evaluation) addScope(s *scope) (live bool) {
	if s.tools != nil {
		live = e.addUnit(s.tools)
	}
	return e.addAgent(&s.agents) || live
}

func (e *Evaluation) addAgent(x *agentIndex) (live bool) {
	if u := x.Exact(e.call.AgentID); u != nil {
		live = e.addUnit(u)
	}
	for pr := x.Longest(e.call.AgentID); pr != nil; pr = x.Parent(pr) {
		live = e.addUnit(pr.Value) || live
	}
	return live
}

func (e *Evaluation) addUnit(u *unit) (live bool) {
	if r := u.tools.Exact(e.tool); r != nil {
		e.cursors = append(e.cursors, cursor{r.refs})
		live = r.live
	}
	for pr := u.tools.Longest(e.tool); pr != nil; pr = u.tools.Parent(pr) {
		e.cursors = append(e.cursors, cursor{pr.Value.refs})
		live = pr.Value.live || live
	}
	return live
}

// concerns reports whether any agent policy of the call's project, or an
// organisation-wide one, is about the call's agent, whatever its tools.
func (p *Program) concerns(call *rules.Call) bool {
	about := func(x *agentIndex) bool {
		if u := x.Exact(call.AgentID); u != nil && u.live {
			return true
		}
		for pr := x.Longest(call.AgentID); pr != nil; pr = x.Parent(pr) {
			if pr.Value.live {
				return true
			}
		}
		return false
	}
	if call.Project != "" {
		if s := p.projects[call.Project]; s != nil && about(&s.agents) {
			return true
		}
	}
	return about(&p.org.agents) || about(&p.floor)
}

// next takes the rule that comes first in the cursors, and whether one of the
// patterns under which it was found makes it a grant of this tool.
func (e *Evaluation) next() (r *rule, grants bool) {
	seq := int32(math.MaxInt32)
	for i := range e.cursors {
		if refs := e.cursors[i].refs; len(refs) > 0 && refs[0].seq < seq {
			seq, r = refs[0].seq, refs[0].rule
		}
	}
	for i := range e.cursors {
		c := &e.cursors[i]
		for len(c.refs) > 0 && c.refs[0].seq == seq {
			grants = grants || c.refs[0].grants(e.call.Tool)
			c.refs = c.refs[1:]
		}
	}
	return r, grants
}

// walk evaluates the rules in order until a group has decided. It goes on
// past that for shadow policies only. A rule that panics has failed, which
// denies, at its place and not somewhere else; the walk goes on after it.
func (e *Evaluation) walk() {
	for !e.walkOn() {
	}
}

func (e *Evaluation) walkOn() (done bool) {
	defer func() {
		if r := e.judging; r != nil {
			if recover() == nil {
				return // runtime.Goexit
			}
			e.judging = nil
			e.heard(r, false, judgement{outcome: failed}, true)
		}
	}()
	for {
		r, grants := e.next()
		if r == nil {
			e.endPolicy()
			e.endGroup()
			return true
		}
		if r.policy != e.policy.policy {
			e.endPolicy()
			if r.policy.priority != e.group.priority {
				e.endGroup()
				e.group.priority = r.policy.priority
			}
			if e.group.decided && !e.program.shadows {
				return true
			}
			e.policy.policy = r.policy
			e.policy.skip = e.group.decided && !r.policy.flags.shadow
		}
		if !e.policy.skip {
			e.evaluate(r, grants)
		}
	}
}
