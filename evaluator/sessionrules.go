package evaluator

import (
	"fmt"
	"maps"
	"slices"

	"github.com/useveto/veto-go/internal/pattern"
	"github.com/useveto/veto-go/rules"
)

// sessionRules compiles the sessionConstraints of a tool policy: rules of the
// tool, in the order of their ids, and counters that the calls of other tools
// move.
func (c *compiler) sessionRules(src *rules.ToolPolicy, add func(*rule)) {
	s := src.SessionConstraints
	if s == nil {
		return
	}
	limited := func(id string, l *limit) *rule {
		l.session = true
		r := &rule{kind: budgeted, id: id, body: l}
		add(r) // which gives it its policy
		l.identify(src.ProjectID, r, []string{"session"})
		return r
	}
	sum := func(id, parameter, most string) {
		limited(id, &limit{meter: SumAmounts, text: most, sum: amountOf(most), parameter: newParameter(parameter)})
	}
	if s.MaxCalls != nil {
		limited("session.maxCalls", &limit{meter: Tally, text: fmt.Sprint(*s.MaxCalls), max: *s.MaxCalls})
	}
	if s.Budget != nil {
		sum("session.budget", s.SpendArgument, string(*s.Budget))
	}
	for i := range s.CumulativeLimits {
		l := &s.CumulativeLimits[i]
		sum(fmt.Sprintf("session.cumulativeLimits[%d]", i), l.ArgumentName, string(*l.MaxValue))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Counters)) {
		x := s.Counters[name]
		l := &limit{meter: Tally, text: fmt.Sprint(*x.Max), max: *x.Max}
		r := limited("session.counters."+name, l)
		r.soft = x.MaxAction == rules.EscalateOnViolation
		r.body = &tally{l}
		c.tally(src.ProjectID, l, x.Increment, true)
		c.tally(src.ProjectID, l, x.Decrement, false)
	}
}

// tally is a counter of a session that calls of several tools move.
type tally struct{ limit *limit }

func (y *tally) judge(e *Evaluation, r *rule) judgement {
	if e.call.Session == "" {
		return sessionless
	}
	e.tally(y.limit, r)
	return judgement{outcome: passes}
}

// movers are the counters that calls of a tool pattern move.
type movers []mover

type mover struct {
	limit *limit
	up    bool
}

// tally enters a counter under the tools that move it.
func (c *compiler) tally(project *string, l *limit, tools []string, up bool) {
	s := c.scope(project)
	if s.movers == nil {
		s.movers = new(pattern.Index[movers])
	}
	for _, tool := range tools {
		m := s.movers.Put(pattern.Lower(tool))
		*m = append(*m, mover{l, up})
	}
	c.program.tallies = true
}

// addTallies adds the counters that the call moves and that no rule of it
// speaks of.
func (e *Evaluation) addTallies() {
	if !e.program.tallies {
		return
	}
	e.eachMover(func(m *mover) { e.tally(m.limit, nil) })
}

// tally adds l to the takes, once. Where r is nil it restricts nothing.
func (e *Evaluation) tally(l *limit, r *rule) {
	for i := range e.takes {
		if e.takes[i].limit == l {
			return
		}
	}
	start := len(e.keys)
	if !e.appendKey(l) {
		e.keys = e.keys[:start]
		return // not reached: the call has a session, and there is no other part
	}
	t := take{limit: l, rule: r, key: e.keys[start:len(e.keys):len(e.keys)], says: judgement{outcome: passes}}
	t.covered = r != nil && r.soft && e.covers(r)
	up, down := false, false
	e.eachMover(func(m *mover) {
		up, down = up || m.limit == l && m.up, down || m.limit == l && !m.up
	})
	switch {
	case up && !down:
		t.by = 1
	case down && !up:
		t.by = -1
	}
	if r != nil || t.by != 0 {
		e.takes = append(e.takes, t)
	}
}

func (e *Evaluation) eachMover(f func(*mover)) {
	p := e.program
	if p.org.movers != nil {
		visit(p.org.movers, e.tool, f)
	}
	if e.call.Project == "" {
		return
	}
	if s := p.projects[e.call.Project]; s != nil && s.movers != nil {
		visit(s.movers, e.tool, f)
	}
}

func visit(x *pattern.Index[movers], tool string, f func(*mover)) {
	each := func(all *movers) {
		for i := range *all {
			f(&(*all)[i])
		}
	}
	if all := x.Exact(tool); all != nil {
		each(all)
	}
	for p := x.Longest(tool); p != nil; p = x.Parent(p) {
		each(p.Value)
	}
}
