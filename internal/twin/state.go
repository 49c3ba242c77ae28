package twin

import (
	"fmt"
	"math/big"
	"time"

	"github.com/useveto/veto-go/rules"
)

// entry is one call that was allowed, as a limit or a budget counts it.
type entry struct {
	key    string
	time   time.Time
	amount *big.Rat // of a sum
	value  string   // of a budget of distinct values
}

// stateful is what is special to a kind of rule with state.
type stateful interface {
	// missing says what the call lacks for the rule. That denies whatever
	// the state is.
	missing(r *request) ruleVerdict
	// look says how the rule stands to the state.
	look(r *request) standing
	// count counts the call, which is allowed.
	count(r *request)
}

// standing is how a rule stands to the state: the zero value where it is not
// violated.
type standing struct {
	violated bool
	hard     bool // it denies even where a human would be asked
	code     rules.Code
	max      string
	earlier  bool
	wait     time.Duration // until there is room; 0 where time does not help
}

// stateRule is a rule with state that is relevant to a call.
type stateRule struct {
	stateful
	policy, id string
	soft       bool // a human is asked where it is violated
	session    bool // it speaks of sessions
	failed     bool // its condition cannot be evaluated
}

// stateRules returns the rules with state of the policy that are relevant to
// the call, in their order.
func (r *request) stateRules(p policy) []stateRule {
	switch {
	case p.grants:
		return nil
	case p.tool != nil:
		return r.sessionConstraints(p)
	}
	var out []stateRule
	for i := range p.agent.Rules {
		rule := &p.agent.Rules[i]
		relevant, failed := r.relevant(rule)
		if !relevant || !hasState(rule.Type) {
			continue
		}
		s := stateRule{policy: p.id, id: p.agent.RuleID(i), soft: rule.OnViolation == rules.EscalateOnViolation, failed: failed}
		switch rule.Type {
		case rules.RateLimited:
			s.stateful, s.session = r.rateLimit(s, rule.RateLimit)
		case rules.Budgeted:
			s.stateful, s.session = r.budget(s, rule.Budget)
		case rules.Sequenced:
			s.stateful, s.session = sequence{rule.Sequence}, true
		}
		out = append(out, s)
	}
	return out
}

// stateVerdict returns what a rule with state says. Where settle is false,
// that is only what does not depend on the state.
func (r *request) stateVerdict(s stateRule, settle bool) ruleVerdict {
	v := r.stateOpinion(s, settle)
	v.policy, v.rule = s.policy, s.id
	return v
}

func (r *request) stateOpinion(s stateRule, settle bool) ruleVerdict {
	switch {
	case s.failed:
		return deny(rules.CodeEvaluationError)
	case s.session && r.call.Session == "":
		return deny(rules.CodeSessionUnknown)
	}
	if v := s.missing(r); v.says != nothing || !settle {
		return v
	}
	if s.session && r.session() == 0 {
		return deny(rules.CodeSessionUnknown)
	}
	found := s.look(r)
	switch {
	case !found.violated:
		return ruleVerdict{}
	case s.soft && !found.hard:
		return escalate()
	}
	v := deny(found.code)
	v.max, v.earlier = found.max, found.earlier
	v.limited = found.code == rules.CodeRateLimited || found.code == rules.CodeBudgetExceeded
	return v
}

// retryAfter returns how long it is until the last of the limits and budgets
// that deny has room. What comes after a denial that time does not lift has no
// say.
func (r *request) retryAfter(reached [][]policy) time.Duration {
	var longest time.Duration
	for _, group := range reached {
		for _, p := range group {
			if r.withoutState(p).says == denies {
				return longest
			}
			for _, s := range r.stateRules(p) {
				if r.stateVerdict(s, false).says == denies {
					return longest
				}
				v := r.stateVerdict(s, true)
				if v.says != denies {
					continue
				}
				if !v.limited || s.look(r).wait == 0 {
					return longest
				}
				longest = max(longest, s.look(r).wait)
			}
		}
	}
	return longest
}

// count counts a call that is allowed: the rules with state of all policies
// that were reached, the counters of tool policies, and its session.
func (r *request) count(reached [][]policy) {
	for _, group := range reached {
		for _, p := range group {
			for _, s := range r.stateRules(p) {
				s.count(r)
			}
		}
	}
	if r.session() != 0 {
		r.countCounters()
		r.remember()
	}
}

// key returns the key of what a rule counts. The project is always part of it.
func (r *request) key(s stateRule, parts ...any) string {
	return fmt.Sprintf("%q %q %q %q", r.call.Project, s.policy, s.id, parts)
}

// live returns the entries of a key that are in the window (now-W, now],
// oldest first, all of them where the window is 0; and the time that it is for
// this key: never before what it has counted.
func (r *request) live(key string, window time.Duration) (entries []entry, now time.Time) {
	now = r.now
	for _, e := range r.twin.entries {
		if e.key == key && e.time.After(now) {
			now = e.time
		}
	}
	for _, e := range r.twin.entries {
		if e.key == key && (window == 0 || e.time.After(now.Add(-window))) {
			entries = append(entries, e)
		}
	}
	return entries, now
}

// enter counts an entry, for the time that it is for its key.
func (r *request) enter(e entry) {
	_, e.time = r.live(e.key, 0)
	r.twin.entries = append(r.twin.entries, e)
}
