package evaluator

import (
	"time"

	"github.com/useveto/veto-go/rules"
)

// rests reports whether a limit can still change v, and drops the takes that
// cannot: a denial stands whatever limits after it say.
func (e *Evaluation) rests(v *Verdict) bool {
	if v.cause.Outcome == rules.Denied && v.priority != undecided {
		n := 0
		for n < len(e.takes) && e.takes[n].rule.before(v) {
			n++
		}
		e.takes = e.takes[:n]
	}
	return len(e.takes) > 0
}

// before reports whether r, a rule with state, would be reported before the
// denial v.
func (r *rule) before(v *Verdict) bool {
	if r.policy.order != v.order {
		return r.policy.order < v.order
	}
	return v.late != nil && r.index < v.late.index
}

// Settle takes the limits on which the verdict rests from s: all of them where
// it allows, once; none where it does not, and then they are only looked at.
// It returns the verdict that results: that of Decide, or of a limit that is
// used up.
func (e *Evaluation) Settle(s *State) *Verdict {
	return e.settle(s, e.verdict.Cause().Outcome == rules.Allowed)
}

// Peek returns what Settle would, and takes nothing: where that is a call which
// is allowed, Settle may follow.
func (e *Evaluation) Peek(s *State) *Verdict {
	v := &e.verdict
	if v.stateful {
		e.settle(s, false)
		v.stateful = v.Cause().Outcome == rules.Allowed // it is still to be settled
	}
	return v
}

func (e *Evaluation) settle(s *State, commit bool) *Verdict {
	v := &e.verdict
	if !v.stateful {
		return v
	}
	v.stateful = false
	if !s.made() {
		return e.decided(noState)
	}
	switch s.take(e, commit) {
	case taken:
		e.taken, e.from = commit, s
	case refused:
		e.override(v)
	default:
		e.decided(noState)
	}
	return v
}

// noState is the answer when there is no State, or no room in it for another
// counter.
var noState = newCause(Cause{Code: rules.CodeLimitsUnavailable})

// GiveBack returns what Settle took from s, for a decision that is not delivered
// as allowed. It does nothing the second time, nor after Hold.
func (e *Evaluation) GiveBack(s *State) {
	if e.taken && e.from == s {
		e.taken = false
		s.giveBack(e)
	}
}

// override changes the verdict where something stands against the call. Takes
// stand in the order of their policies, and one that refuses makes its policy
// deny (or escalate): so the first group with one decides, unless v's group
// stands before it.
func (e *Evaluation) override(v *Verdict) {
	var deny, escalate *take
	var retry time.Duration
	group := int32(undecided)
	waits := true // what denies so far is over after retry
	for i := range e.takes {
		t := &e.takes[i]
		if t.says.outcome == passes {
			continue
		}
		if e.trace != nil {
			e.traceTake(t)
		}
		p := t.rule.policy
		if deny == nil && escalate == nil {
			group = p.priority
		}
		soft := t.says.outcome == escalates
		if !soft && waits {
			// Past a denial that no waiting ends, later ones have no say.
			retry = max(retry, t.retryAfter)
			waits = t.retryAfter > 0
		}
		if p.priority != group {
			continue
		}
		if soft {
			if escalate == nil {
				escalate = t
			}
		} else if deny == nil {
			deny = t
		}
	}
	same := v.priority == group
	switch {
	case deny != nil:
		if same && v.cause.Outcome == rules.Denied && !deny.rule.before(v) {
			return
		}
		v.by(deny)
		v.retry = retry
	case same && v.cause.Outcome == rules.Denied:
	case same && v.cause.Outcome == rules.Escalated && v.order <= escalate.rule.policy.order:
	default:
		v.by(escalate)
	}
}

// by makes what a take says the verdict.
func (v *Verdict) by(t *take) {
	p := t.rule.policy
	v.cause, v.priority, v.order = t.rule.cause(t.says), p.priority, p.order
}
