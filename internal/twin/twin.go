package twin

import (
	"time"

	"github.com/useveto/veto-go/rules"
)

// Options are the options of a Twin. The zero value has those of an engine
// without options, and no conditions.
type Options struct {
	StrictGrant       bool
	Project           string // the only project that calls may name
	RequireProject    bool
	RequireSession    bool
	MaxParameterBytes int // 0: 64 KiB
	// Condition decides a condition (when) or, with a value, an expression.
	// Without it every condition fails.
	Condition func(source string, vars Vars) (bool, error)
}

// Vars are what a condition may read.
type Vars struct {
	Call  rules.Call
	Args  map[string]any
	Value any
	Now   time.Time // zero for conditions about earlier calls, which do not read it
}

// Twin decides calls. It is not safe for concurrent use.
type Twin struct {
	set      *rules.PolicySet
	opts     Options
	entries  []entry        // what limits and budgets count, oldest first
	sessions map[string]int // the sessions that are open, and their numbers
	opened   int            // how many have been opened
	earlier  []earlier      // the calls of sessions, oldest first
}

// New returns a Twin for a valid set, without history.
func New(set *rules.PolicySet, opts Options) *Twin {
	return &Twin{set: set, opts: opts, sessions: map[string]int{}}
}

// SetPolicies replaces the policies and keeps the history.
func (t *Twin) SetPolicies(set *rules.PolicySet) { t.set = set }

// Answer is what the Twin decides: a Result, and what a Result has in words
// only.
type Answer struct {
	rules.Result
	Parameter string // that the call lacks, or that is not as it must be
	Max       string // of the budget that is exceeded
	Earlier   bool   // sequence_violated: by an earlier call, not by a missing one
}

// Decide decides a call. What it allows, it counts and remembers.
func (t *Twin) Decide(call rules.Call, now time.Time) Answer {
	r := request{twin: t, call: call, now: now}
	if !r.read() {
		return refusal(rules.CodeInvalidRequest)
	}
	if code := t.agent(call.AgentID); code != rules.CodeAllowed {
		return refusal(code)
	}
	s := r.scope()
	a := r.decide(groups(s.live))
	a.Shadow = r.shadow(s.shadow)
	return a
}

// refusal is the answer that no policy gives.
func refusal(code rules.Code) Answer { return Answer{Result: rules.Result{Code: code}} }

// agent says what the list of agents, if there is one, says of the agent.
func (t *Twin) agent(id string) rules.Code {
	if t.set.Agents == nil {
		return rules.CodeAllowed
	}
	for _, a := range t.set.Agents {
		if a.ID != id {
			continue
		}
		switch a.Status {
		case rules.AgentSuspended:
			return rules.CodeAgentSuspended
		case rules.AgentRevoked:
			return rules.CodeAgentRevoked
		default:
			return rules.CodeAllowed
		}
	}
	return rules.CodeAgentNotFound
}

// request is one call while it is decided.
type request struct {
	twin *Twin
	call rules.Call
	args map[string]any // nil where the call has no parameters
	now  time.Time
}

// decide walks the groups in order; the first that has an opinion decides.
func (r *request) decide(groups [][]policy) Answer {
	// The rules with state that count are those of the policies that are
	// reached where none of them is violated: the groups before the one that
	// decides, and that.
	reached := groups
	for i, group := range groups {
		if r.group(group, false).says != nothing {
			reached = groups[:i+1]
			break
		}
	}

	var v ruleVerdict
	for _, group := range reached {
		if v = r.group(group, true); v.says != nothing {
			break
		}
	}
	switch {
	case v.says == nothing && r.call.Project != "" && !r.anyRuleForTool():
		return refusal(rules.CodePolicyNotFound)
	case v.says == nothing:
		return refusal(rules.CodeDefaultDeny)
	}
	a := Answer{Parameter: v.parameter, Max: v.max, Earlier: v.earlier, Result: rules.Result{
		Allowed: v.says == grants, Outcome: v.outcome(), Code: v.code,
		MatchedPolicyID: v.policy, MatchedRuleID: v.rule,
	}}
	switch {
	case a.Allowed:
		r.count(reached)
	case v.limited && v.says == denies:
		a.RetryAfter = r.retryAfter(reached)
	}
	return a
}

// group returns what policies of one priority say together: the gravest, and
// of those that say the same, the policy with the lowest id.
func (r *request) group(group []policy, settle bool) ruleVerdict {
	var verdicts []ruleVerdict
	for _, p := range group {
		verdicts = append(verdicts, r.policy(p, settle))
	}
	return gravest(verdicts)
}

// shadow returns what the shadow policies would have said. They count
// nothing, so their rules with state are never violated.
func (r *request) shadow(policies []policy) []rules.ShadowResult {
	var results []rules.ShadowResult
	for _, p := range policies {
		if v := r.policy(p, false); v.says != nothing {
			results = append(results, rules.ShadowResult{PolicyID: p.id, RuleID: v.rule, Outcome: v.outcome(), Code: v.code})
		}
	}
	return results
}
