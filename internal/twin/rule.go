package twin

import (
	"fmt"
	"slices"

	"github.com/useveto/veto-go/rules"
)

// opinion is what a rule or a policy says, from mild to grave.
type opinion int

const (
	nothing opinion = iota
	grants
	escalates
	denies
)

// ruleVerdict is an opinion with its reason.
type ruleVerdict struct {
	says         opinion
	code         rules.Code
	policy, rule string
	parameter    string // that is not as it must be
	max          string // of a budget
	earlier      bool   // an earlier call blocks this one
	limited      bool   // a limit or a budget is used up
}

func (v ruleVerdict) outcome() rules.Outcome {
	return map[opinion]rules.Outcome{grants: rules.Allowed, escalates: rules.Escalated}[v.says] // else Denied
}

func grant() ruleVerdict               { return ruleVerdict{says: grants, code: rules.CodeAllowed} }
func escalate() ruleVerdict            { return ruleVerdict{says: escalates, code: rules.CodeApprovalRequired} }
func deny(code rules.Code) ruleVerdict { return ruleVerdict{says: denies, code: code} }

// violated is what a rule says that is violated.
func violated(action rules.Violation, code rules.Code) ruleVerdict {
	if action == rules.EscalateOnViolation {
		return escalate()
	}
	return deny(code)
}

// gravest returns the first of the gravest verdicts.
func gravest(verdicts []ruleVerdict) ruleVerdict {
	var worst ruleVerdict
	for _, v := range verdicts {
		if v.says > worst.says {
			worst = v
		}
	}
	return worst
}

// policy returns what one policy says. Where settle is false, no state is
// looked at, and no rule with state is violated.
func (r *request) policy(p policy, settle bool) ruleVerdict {
	if p.grants {
		v := grant()
		v.policy = p.id
		return v
	}
	// Rules without state stand before rules with state.
	verdicts := []ruleVerdict{r.withoutState(p)}
	for _, s := range r.stateRules(p) {
		verdicts = append(verdicts, r.stateVerdict(s, settle))
	}
	v := gravest(verdicts)
	if p.agent != nil && p.agent.Floor && v.says == grants {
		return ruleVerdict{}
	}
	return v
}

// withoutState returns what the rules without state of a policy say.
func (r *request) withoutState(p policy) ruleVerdict {
	if p.grants {
		return ruleVerdict{}
	}
	if p.tool != nil {
		return r.toolConstraints(p)
	}
	var verdicts []ruleVerdict
	for i := range p.agent.Rules {
		rule := &p.agent.Rules[i]
		relevant, failed := r.relevant(rule)
		if !relevant || hasState(rule.Type) {
			continue
		}
		v := deny(rules.CodeEvaluationError)
		if !failed {
			v = r.stateless(p, rule)
		}
		v.policy, v.rule = p.id, p.agent.RuleID(i)
		verdicts = append(verdicts, v)
	}
	return gravest(verdicts)
}

func hasState(t rules.RuleType) bool {
	return t == rules.RateLimited || t == rules.Budgeted || t == rules.Sequenced
}

// relevant reports whether the rule has something to say about the call, and
// whether its condition failed, which counts as relevant.
func (r *request) relevant(rule *rules.Rule) (relevant, failed bool) {
	if !toolsMatch(rule.Tools, r.call.Tool) {
		return false, false
	}
	if rule.Type == rules.ToolAllowlist && !r.matchesExactly(rule) {
		return false, false // what can only grant matches byte for byte
	}
	if rule.When == "" {
		return true, false
	}
	holds, err := r.condition(rule.When, nil)
	return holds || err != nil, err != nil
}

func (r *request) matchesExactly(rule *rules.Rule) bool {
	return slices.ContainsFunc(rule.Tools, func(p string) bool { return matchName(p, r.call.Tool) })
}

// stateless returns what a relevant rule says that has no state.
func (r *request) stateless(p policy, rule *rules.Rule) ruleVerdict {
	switch rule.Type {
	case rules.ToolAllowlist:
		return grant()
	case rules.ToolDenylist:
		return deny(rules.CodeToolDenied)
	case rules.RequireApproval:
		return escalate()
	case rules.TimeBased:
		if !open(rule.TimeWindow, r.now) {
			return violated(rule.OnViolation, rules.CodeOutsideTimeWindow)
		}
		return ruleVerdict{}
	case rules.ParameterConstraint:
		return r.constraintRule(p, rule)
	}
	panic("twin: rules of type " + string(rule.Type) + " are not decided here")
}

// toolConstraints returns what the constraints of a tool policy say.
func (r *request) toolConstraints(p policy) ruleVerdict {
	var verdicts []ruleVerdict
	for i, c := range p.tool.Constraints {
		if c.Enabled != nil && !*c.Enabled {
			continue
		}
		var v ruleVerdict
		if f := r.check(c.ArgumentName, translate(c)); f != holds {
			v = r.violation(f, c.Action, c.ArgumentName)
		}
		v.policy, v.rule = p.id, fmt.Sprintf("constraints[%d]", i)
		verdicts = append(verdicts, v)
	}
	return gravest(verdicts)
}

// translate gives the checks of a tool policy the names of a Constraint. Null
// is refused whatever notNull says.
func translate(t rules.ToolConstraint) rules.Constraint {
	c := rules.Constraint{
		Min: t.Minimum, Max: t.Maximum, GreaterThan: t.GreaterThan, LessThan: t.LessThan,
		Regex: t.Regex, NotRegex: t.NotRegex, Enum: t.Enum, NotEnum: t.NotEnum,
		MinLength: t.MinLength, MaxLength: t.MaxLength, MinItems: t.MinItems, MaxItems: t.MaxItems,
		MustBe: t.MustBe, Optional: t.Required != nil && !*t.Required,
	}
	if t.GreaterThanOrEqual != nil {
		c.Min = t.GreaterThanOrEqual
	}
	if t.LessThanOrEqual != nil {
		c.Max = t.LessThanOrEqual
	}
	if t.In != nil {
		c.Enum = t.In
	}
	if t.NotIn != nil {
		c.NotEnum = t.NotIn
	}
	return c
}
