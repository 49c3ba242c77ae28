package evaluator

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// Trace is every policy that a decision looked at, in the order of
// evaluation.
type Trace struct {
	Policies []PolicyTrace `json:"policies"`

	values bool
	rules  []RuleTrace // of the policy that is being evaluated
}

// PolicyTrace is what one policy said.
type PolicyTrace struct {
	PolicyID string `json:"policyId"`
	Name     string `json:"name"`
	// Priority is 0..1000. Tool policies stand before every priority.
	Priority   int  `json:"priority"`
	ToolPolicy bool `json:"toolPolicy,omitempty"`
	Shadow     bool `json:"shadow,omitempty"`
	Floor      bool `json:"floor,omitempty"`
	// Verdict is "denies", "escalates", "allows" or "no opinion".
	Verdict string `json:"verdict"`
	// Rules are the rules whose tools match the call, in document order.
	Rules []RuleTrace `json:"rules"`
}

// RuleTrace is what one rule said.
type RuleTrace struct {
	RuleID string         `json:"ruleId"`
	Type   rules.RuleType `json:"type"`
	// Verdict is "passes", "denies", "escalates", "could not be evaluated"
	// (which denies) or "not relevant" (its condition is false).
	Verdict string `json:"verdict"`
	// Code and Parameter say why a rule does not pass.
	Code      string `json:"code,omitempty"`
	Parameter string `json:"parameter,omitempty"`
	// Error says why the rule could not be evaluated, and where in its
	// condition. It quotes no value.
	Error string `json:"error,omitempty"`
	// Value is the call's value of the parameter, where it was asked for.
	Value json.RawMessage `json:"value,omitempty"`
}

var judgedNames = [...]string{
	failed: "could not be evaluated", passes: "passes", denies: "denies", escalates: "escalates",
}

// Explain is Decide with a trace. It looks at every policy up to the deciding
// group, where Decide stops as soon as the answer is certain. With values,
// the trace quotes the parameters that rules object to.
func (p *Program) Explain(e *Evaluation, call *rules.Call, now time.Time, values bool) (*Verdict, *Trace) {
	e.Reset()
	e.trace = &Trace{Policies: []PolicyTrace{}, values: values}
	return p.decide(e, call, now), e.trace
}

// traceRule adds a rule of the policy that is being evaluated.
func (e *Evaluation) traceRule(r *rule, relevant bool, j judgement) {
	t := RuleTrace{RuleID: r.id, Type: r.kind.ruleType(), Verdict: "not relevant"}
	if relevant {
		t.Verdict = judgedNames[j.outcome]
		if j.outcome != passes {
			c := r.cause(j)
			t.Code, t.Parameter = c.Code.String(), j.parameter
			if j.outcome == failed {
				t.Error = e.why
			}
			if e.trace.values {
				t.Value = e.quote(j.parameter)
			}
		}
	}
	e.trace.rules = append(e.trace.rules, t)
}

// quote returns the value of a parameter; of a pointer, that of the top-level
// parameter that it leads into.
func (e *Evaluation) quote(parameter string) json.RawMessage {
	if parameter == "" || e.args.Empty() {
		return nil
	}
	if rest, ok := strings.CutPrefix(parameter, "/"); ok {
		parameter, _, _ = strings.Cut(rest, "/")
		parameter = strings.NewReplacer("~1", "/", "~0", "~").Replace(parameter)
	}
	i := e.args.Member(value.Root, parameter)
	if i == value.None {
		return nil
	}
	return e.args.AppendJSON(nil, i)
}

// tracePolicy ends the policy that is being evaluated.
func (e *Evaluation) tracePolicy() {
	st := &e.policy
	p := st.policy
	t := PolicyTrace{
		PolicyID: p.id, Name: p.name, Priority: int(p.priority),
		ToolPolicy: p.flags.tool, Shadow: p.flags.shadow, Floor: p.flags.floor,
		Verdict: "no opinion", Rules: e.trace.rules,
	}
	if p.flags.tool {
		t.Priority = 0
	}
	switch {
	case st.denier != nil:
		t.Verdict = "denies"
	case st.escalator != nil:
		t.Verdict = "escalates"
	case st.granter != nil && !p.flags.floor:
		t.Verdict = "allows"
	}
	e.trace.rules = nil
	e.trace.Policies = append(e.trace.Policies, t)
}

// traceTake changes what the trace says of a rule that the State refuses.
func (e *Evaluation) traceTake(t *take) {
	for i := range e.trace.Policies {
		p := &e.trace.Policies[i]
		if p.PolicyID != t.rule.policy.id {
			continue
		}
		verdict := judgedNames[t.says.outcome]
		for j := range p.Rules {
			if p.Rules[j].RuleID == t.rule.id {
				p.Rules[j].Verdict = verdict
				p.Rules[j].Code = t.code().String()
				if t.says.outcome == failed {
					p.Rules[j].Error = t.why
				}
			}
		}
		if t.says.outcome == escalates {
			if p.Verdict != judgedNames[denies] {
				p.Verdict = verdict
			}
		} else {
			p.Verdict = judgedNames[denies]
		}
	}
}
