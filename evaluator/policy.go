package evaluator

import "github.com/useveto/veto-go/rules"

// policyState is what the rules of one policy have said so far.
type policyState struct {
	policy *policy
	skip   bool // already decided: not evaluated

	// The first that denies, by document order; those without state come
	// before those with.
	denier    *rule
	denial    judgement
	escalator *rule
	escalates judgement
	granter   *rule
	approved  *rule // the first whose escalation a human has approved

	closed    *rule      // the first relevant rule that permits only named parameters
	permitted [][]string // by the closed rules, of each alternative that holds
}

// group is what the policies of one priority have said so far. Policies come in the order of their ids,
// so within a class the first is the one to report.
type group struct {
	priority int32
	decided  bool    // this group, or one before it
	tool     *policy // a tool policy that names the tool and is not violated

	deny, escalate, allow *Cause
	late                  *rule    // behind deny, where that is a rule with state
	order                 [3]int32 // of the policy behind each, as ordered above
}

// evaluate lets r, which names the tool, speak. grants says whether passing
// makes it a grant.
func (e *Evaluation) evaluate(r *rule, grants bool) {
	st := &e.policy
	if r.kind == allowlist && !grants {
		return
	}
	if st.denier != nil && !st.denier.stateful() && e.trace == nil && !r.policy.flags.closed {
		return // a later rule of this policy changes nothing
	}
	e.judging, e.why = r, ""
	j, relevant := e.judge(r)
	e.judging = nil
	e.heard(r, grants, j, relevant)
}

// heard notes what a rule said.
func (e *Evaluation) heard(r *rule, grants bool, j judgement, relevant bool) {
	st := &e.policy
	if e.trace != nil {
		e.traceRule(r, relevant, j)
	}
	if !relevant {
		return
	}
	switch j.outcome {
	case passes:
		if grants && st.granter == nil && (r.kind == allowlist || !e.program.strictGrant) {
			st.granter = r
		}
		if r.soft && r.stateful() && st.approved == nil && e.covers(r) {
			st.approved = r
		}
	case escalates:
		if e.covers(r) {
			if st.approved == nil {
				st.approved = r
			}
		} else if st.escalator == nil {
			st.escalator, st.escalates = r, j
		}
	default:
		if st.denier == nil || st.denier.stateful() && !r.stateful() {
			st.denier, st.denial = r, j
		}
	}
}

// judge asks r about the call, and whether it is relevant.
func (e *Evaluation) judge(r *rule) (j judgement, relevant bool) {
	if r.when != nil {
		ok, err := e.holds(r.when, e.work(r))
		if err != nil {
			e.why = err.Error()
			return judgement{outcome: failed}, true
		}
		if !ok {
			return judgement{}, false
		}
	}
	switch {
	case r.body != nil:
		return r.body.judge(e, r), true
	case r.kind == denylist:
		return judgement{outcome: denies, code: rules.CodeToolDenied}, true
	case r.kind == allowlist:
		return judgement{outcome: passes}, true
	default:
		return judgement{outcome: failed}, true
	}
}

// endPolicy turns what the rules said into what the policy says, and that
// into a part of its group.
func (e *Evaluation) endPolicy() {
	st := &e.policy
	p := st.policy
	if p == nil {
		return
	}
	if !st.skip {
		if st.approved != nil && st.granter == nil && !st.policy.flags.tool {
			st.granter = st.approved
		}
		if st.closed != nil && e.undeclared() {
			// Reported where the first closed rule stands, after that rule's
			// own parameters.
			if st.denier == nil || st.denier.stateful() || st.closed.index < st.denier.index {
				st.denier = st.closed
				st.denial = judgement{outcome: denies, code: rules.CodeConstraintViolated}
			}
		}
		if p.flags.shadow {
			e.endShadow()
		} else {
			e.addToGroup(p)
		}
		if e.trace != nil {
			e.tracePolicy()
		}
	}
	permitted := st.permitted[:0]
	*st = policyState{permitted: permitted}
}

func (e *Evaluation) addToGroup(p *policy) {
	st, g := &e.policy, &e.group
	switch {
	case st.denier != nil:
		if g.deny == nil {
			g.deny, g.order[0] = st.denier.cause(st.denial), p.order
			if st.denier.stateful() {
				g.late = st.denier
			}
			if e.trace == nil {
				e.endGroup() // no later policy of this group changes it
			}
		}
	case st.escalator != nil:
		if g.escalate == nil {
			g.escalate, g.order[1] = st.escalator.cause(st.escalates), p.order
		}
	case p.flags.tool:
		if g.tool == nil && st.granter != nil {
			g.tool = p // not an opinion: it stands after every priority
		}
	case st.granter != nil && !p.flags.floor:
		if g.allow == nil {
			g.allow, g.order[2] = p.allowed(st.granter), p.order
		}
	}
}

// endShadow records what a shadow policy would have said.
func (e *Evaluation) endShadow() {
	st := &e.policy
	var c *Cause
	switch p := st.policy; {
	case st.denier != nil:
		c = st.denier.cause(st.denial)
	case st.escalator != nil:
		c = st.escalator.cause(st.escalates)
	case st.granter != nil && !p.flags.floor:
		c = p.allowed(st.granter)
	default:
		return
	}
	e.shadows = append(e.shadows, rules.ShadowResult{
		PolicyID: c.PolicyID, RuleID: c.RuleID, Outcome: c.Outcome, Code: c.Code,
	})
}

// endGroup decides, where the group has an opinion and none before it had.
func (e *Evaluation) endGroup() {
	g := &e.group
	if g.decided {
		return
	}
	for i, c := range [...]*Cause{g.deny, g.escalate, g.allow} {
		if c != nil {
			v := &e.verdict
			v.cause, v.priority, v.order = c, g.priority, g.order[i]
			if i == 0 {
				v.late = g.late
			}
			g.decided = true
			return
		}
	}
}
