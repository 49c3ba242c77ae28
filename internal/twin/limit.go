package twin

import (
	"fmt"
	"strings"
	"time"

	"github.com/useveto/veto-go/rules"
)

// entry is one call that was allowed and that a limit counts.
type entry struct {
	key  string
	time time.Time
}

// limit is a rate limit that concerns a call, with the key under which the
// call is counted.
type limit struct {
	*rules.RateLimit
	key  string
	soft bool // past it a human is asked
	rule int  // its number in the policy
}

func (l limit) window() time.Duration { return time.Duration(l.WindowSeconds) * time.Second }

// limits returns the limits of the policy that concern the call.
func (r *request) limits(p policy) []limit {
	if p.agent == nil {
		return nil
	}
	var limits []limit
	for i := range p.agent.Rules {
		rule := &p.agent.Rules[i]
		if relevant, failed := r.relevant(rule); rule.Type == rules.RateLimited && relevant && !failed {
			if l, ok := r.limit(p, i); ok {
				limits = append(limits, l)
			}
		}
	}
	return limits
}

// limit returns the limit that is rule i of the policy; ok is false where the
// call lacks a part of the key.
func (r *request) limit(p policy, i int) (l limit, ok bool) {
	rule := &p.agent.Rules[i]
	per := rule.RateLimit.Per
	if per == nil {
		per = []string{"agent"}
	}
	parts := []string{r.call.Project, p.id, p.agent.RuleID(i), fmt.Sprint(rule.RateLimit.WindowSeconds)}
	for _, part := range per {
		value, ok := r.keyPart(part)
		if !ok {
			return limit{}, false
		}
		parts = append(parts, part, value)
	}
	return limit{rule.RateLimit, fmt.Sprintf("%q", parts), rule.OnViolation == rules.EscalateOnViolation, i}, true
}

// keyPart returns a part of a counter's key; ok is false where the call has
// no such part.
func (r *request) keyPart(part string) (value string, ok bool) {
	switch part {
	case "global":
		return "", true
	case "agent":
		return r.call.AgentID, true
	case "tool":
		return strings.ToLower(r.call.Tool), true
	case "user":
		return r.call.User, r.call.User != ""
	case "project":
		return r.call.Project, r.call.Project != ""
	case "session":
		return r.call.Session, r.call.Session != ""
	}
	values, f := r.selectValues(strings.TrimPrefix(part, "param:"))
	if f != holds {
		return "", false
	}
	switch v := values[0].(type) {
	case string:
		return "string " + v, len(v) <= 256
	case number:
		return "number " + v.rat().RatString(), true
	case bool:
		return fmt.Sprint("boolean ", v), true
	default:
		return "", false
	}
}

// rateLimit returns what the limit that is rule i of the policy says.
func (r *request) rateLimit(p policy, i int, settle bool) ruleVerdict {
	l, ok := r.limit(p, i)
	if !ok {
		return deny(rules.CodeEvaluationError)
	}
	if !settle || !r.exhausted(l) {
		return ruleVerdict{}
	}
	v := violated(p.agent.Rules[i].OnViolation, rules.CodeRateLimited)
	v.limited = true
	return v
}

// counted returns the times of the calls in the window (now-W, now], oldest
// first, and the time that it is for this key: never before a call that it
// has counted.
func (r *request) counted(l limit) (times []time.Time, now time.Time) {
	now = r.now
	for _, e := range r.twin.entries {
		if e.key == l.key && e.time.After(now) {
			now = e.time
		}
	}
	for _, e := range r.twin.entries {
		if e.key == l.key && e.time.After(now.Add(-l.window())) {
			times = append(times, e.time)
		}
	}
	return times, now
}

func (r *request) exhausted(l limit) bool {
	times, _ := r.counted(l)
	return len(times) >= l.MaxCalls
}

// standing returns the limits of the policies that are reached, up to a
// denial that is no limit's: what comes after it has no say.
func (r *request) standing(reached [][]policy) []limit {
	var limits []limit
	for _, group := range reached {
		for _, p := range group {
			v := r.policy(p, false)
			for _, l := range r.limits(p) {
				if v.says != denies || r.missingPart(p, v) > l.rule {
					limits = append(limits, l)
				}
			}
			if v.says == denies {
				return limits
			}
		}
	}
	return limits
}

// missingPart returns the number of the limit that denies because the call
// lacks a part of its key; -1 where something else denies.
func (r *request) missingPart(p policy, v ruleVerdict) int {
	if p.agent == nil {
		return -1
	}
	for i := range p.agent.Rules {
		if p.agent.RuleID(i) == v.rule && p.agent.Rules[i].Type == rules.RateLimited {
			return i
		}
	}
	return -1
}

// retryAfter returns how long it is until the last of the limits that deny
// has room.
func (r *request) retryAfter(limits []limit) time.Duration {
	var longest time.Duration
	for _, l := range limits {
		if !l.soft && r.exhausted(l) {
			times, now := r.counted(l)
			leaves := times[len(times)-l.MaxCalls].Add(l.window())
			longest = max(longest, leaves.Sub(now))
		}
	}
	return longest
}

// consume counts the call.
func (r *request) consume(limits []limit) {
	for _, l := range limits {
		_, now := r.counted(l)
		r.twin.entries = append(r.twin.entries, entry{l.key, now})
	}
}
