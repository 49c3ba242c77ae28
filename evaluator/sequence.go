package evaluator

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/pattern"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// sequence is a sequence rule.
type sequence struct {
	blockedBy, requires []entry
}

// entry matches earlier calls of the session.
type entry struct {
	tools  []string // as they are written, or in lower case where fold is set
	fold   bool     // the case of ASCII letters does not count
	within int64    // nanoseconds; 0 for any time
	when   *condition.Condition
	same   []pair
}

// pair is a parameter of the call, and the one of the earlier call that must
// have the same value.
type pair struct{ this, that *parameter }

// compileEntries compiles valid entries. Conditions that do not compile are
// reported under their path below the rule.
func (c *compiler) compileEntries(src []rules.SequenceEntry, fold bool, fault func(i int, err error)) []entry {
	entries := make([]entry, len(src))
	for i := range src {
		s, x := &src[i], &entries[i]
		x.fold = fold
		for _, tool := range s.Tools {
			if fold {
				tool = pattern.Lower(tool)
			}
			x.tools = append(x.tools, tool)
		}
		if s.WithinSeconds != nil {
			x.within = int64(*s.WithinSeconds) * int64(time.Second)
		}
		if s.When != "" {
			when, err := c.conditions.Compile(s.When, condition.Earlier)
			if err != nil {
				fault(i, err)
			}
			x.when = when
		}
		for _, name := range slices.Sorted(maps.Keys(s.Same)) {
			x.same = append(x.same, pair{newParameter(name), newParameter(s.Same[name])})
		}
	}
	return entries
}

func (q *sequence) judge(e *Evaluation, r *rule) judgement {
	if e.call.Session == "" {
		return sessionless
	}
	for _, entries := range [...][]entry{q.requires, q.blockedBy} {
		for i := range entries {
			for _, p := range entries[i].same {
				if p.this.at.Find(&e.args) == value.None {
					e.why = "a parameter that is compared with an earlier call is absent"
					return judgement{outcome: failed, parameter: p.this.name}
				}
			}
		}
	}
	if !r.policy.flags.shadow {
		e.takes = append(e.takes, take{rule: r, sequence: q, covered: r.soft && e.covers(r)})
	}
	return judgement{outcome: passes}
}

// over says what q, which r is made of, says after the calls of h. What cannot
// be known stands before a violation, which a human may have approved.
func (q *sequence) over(e *Evaluation, r *rule, h *history, now int64) judgement {
	j, unknown := judgement{outcome: passes}, false
	look := func(entries []entry, bad found, earlier bool) (ok bool) {
		for i := range entries {
			switch found := entries[i].find(e, r, h, now); found {
			case foundNone, foundOne:
				if found == bad && j.outcome == passes {
					j = r.violated(rules.CodeSequenceViolated)
					j.earlier = earlier
				}
			case foundUnknown:
				unknown = true
			default:
				return false
			}
		}
		return true
	}
	switch {
	case !look(q.blockedBy, foundOne, true) || !look(q.requires, foundNone, false):
		return judgement{outcome: failed}
	case unknown:
		return sessionless
	default:
		return j
	}
}

type found uint8

const (
	foundError   found = iota // the zero value denies
	foundUnknown              // it may have been forgotten
	foundNone
	foundOne
)

// find looks for a call that x matches.
func (x *entry) find(e *Evaluation, r *rule, h *history, now int64) found {
	after := int64(never)
	if x.within > 0 {
		after = now - x.within
	}
	for _, ev := range h.events {
		at := ev.at
		if !x.fold {
			at = ev.succeeded
		}
		if at == never || at <= after || !x.names(ev.tool) {
			continue
		}
		if ev.bare && (x.when != nil || x.same != nil) {
			return foundUnknown
		}
		switch ok, err := x.holds(e, r, ev); {
		case err != nil:
			e.why = err.Error()
			return foundError
		case ok:
			return foundOne
		}
	}
	if h.missing(after) {
		return foundUnknown
	}
	return foundNone
}

func (x *entry) names(tool string) bool {
	var stack [maxName]byte
	name := tool
	if x.fold && pattern.HasUpper(tool) {
		name = string(pattern.AppendLower(stack[:0], tool))
	}
	return slices.ContainsFunc(x.tools, func(p string) bool { return pattern.Match(p, name) })
}

// holds reports whether the parameters of an earlier call are as x wants them.
func (x *entry) holds(e *Evaluation, r *rule, ev *event) (bool, error) {
	if x.when == nil && x.same == nil {
		return true, nil
	}
	past := &e.past
	if err := past.read(ev); err != nil {
		return false, err
	}
	for _, p := range x.same {
		this, that := p.this.at.Find(&e.args), p.that.at.Find(&past.args)
		if that == value.None {
			return false, nil
		}
		past.this = e.args.AppendCanonical(past.this[:0], this)
		past.that = past.args.AppendCanonical(past.that[:0], that)
		if !bytes.Equal(past.this, past.that) {
			return false, nil
		}
	}
	if x.when == nil {
		return true, nil
	}
	in := &past.input
	in.Args, in.Context = &past.args, &past.context
	in.Tool, in.Agent, in.User = ev.tool, ev.agent, ev.user
	in.Project, in.Session = e.call.Project, e.call.Session
	scope := e.work(r)
	scope.Input = in
	return scope.Holds(x.when)
}

// past is the earlier call that a sequence looks at.
type past struct {
	of            *event
	args, context value.Tree
	input         condition.Input
	this, that    []byte
}

// read fills p with ev. What an event holds was a call that was allowed, so
// it keeps the bounds of one, whatever those are now.
func (p *past) read(ev *event) error {
	if p.of == ev {
		return nil
	}
	p.of = nil
	for _, part := range [...]struct {
		tree *value.Tree
		text string
	}{{&p.args, ev.args}, {&p.context, ev.context}} {
		part.tree.Reset()
		if len(part.text) == 0 {
			continue
		}
		if bad, _ := part.tree.SetJSON([]byte(part.text), eventLimits); bad != value.OK {
			return errEvent
		}
	}
	p.of = ev
	return nil
}

// eventLimits bound what is read again; it was a call's, within narrower ones.
var eventLimits = value.Limits{Bytes: 4 * maxEventText, Depth: value.DefaultLimits.Depth}

var errEvent = errors.New("an earlier call cannot be read")

// reset forgets the earlier call.
func (p *past) reset() {
	if p.of != nil {
		p.of = nil
		p.args.Reset()
		p.context.Reset()
		p.input.Args, p.input.Context = nil, nil
	}
}
