package rules

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones must not depend on the machine

	"github.com/useveto/veto-go/internal/nearest"
)

// block is a member of Rule that belongs to one type of rule.
type block struct {
	name  string
	owner RuleType
	given func(*Rule) bool
}

var blocks = [...]block{
	{"parameters", ParameterConstraint, func(r *Rule) bool { return r.Parameters != nil }},
	{"anyOf", ParameterConstraint, func(r *Rule) bool { return r.AnyOf != nil }},
	{"additionalParameters", ParameterConstraint, func(r *Rule) bool { return r.AdditionalParameters != nil }},
	{"rateLimit", RateLimited, func(r *Rule) bool { return r.RateLimit != nil }},
	{"timeWindow", TimeBased, func(r *Rule) bool { return r.TimeWindow != nil }},
	{"approval", RequireApproval, func(r *Rule) bool { return r.Approval != nil }},
	{"budget", Budgeted, func(r *Rule) bool { return r.Budget != nil }},
	{"sequence", Sequenced, func(r *Rule) bool { return r.Sequence != nil }},
}

func (v *validator) checkRule(p *path, r *Rule) {
	known := v.ruleType(p, r)
	if known {
		v.blocks(p, r)
	}
	if r.Tools != nil {
		v.tools(p, "tools", r.Tools)
	}
	v.expression(p, "when", r.When)
	v.violation(p, "onViolation", r.OnViolation)

	v.parameters(p, r)
	if r.RateLimit != nil {
		at := p.Member("rateLimit")
		v.rateLimit(&at, r.RateLimit)
	}
	if r.TimeWindow != nil {
		at := p.Member("timeWindow")
		v.timeWindow(&at, r.TimeWindow)
	}
	if r.Approval != nil {
		at := p.Member("approval")
		v.approval(&at, r.Approval)
	}
	if r.Budget != nil {
		at := p.Member("budget")
		v.budget(&at, r.Budget)
	}
	if r.Sequence != nil {
		at := p.Member("sequence")
		v.sequence(&at, r.Sequence)
	}
}

func (v *validator) ruleType(p *path, r *Rule) bool {
	for _, t := range RuleTypes {
		if r.Type == t {
			return true
		}
	}
	names := make([]string, len(RuleTypes))
	for i, t := range RuleTypes {
		names[i] = string(t)
	}
	if r.Type == "" {
		v.wrong(p, "type", "the type of the rule is missing", "it is one of "+strings.Join(names, ", "))
		return false
	}
	hint := nearest.Hint(string(r.Type), names)
	if hint == "" {
		hint = "it is one of " + strings.Join(names, ", ")
	}
	v.wrong(p, "type", fmt.Sprintf("there is no rule type %q", string(r.Type)), hint)
	return false
}

// blocks checks that the rule has what its type needs, and nothing that
// belongs to another type.
func (v *validator) blocks(p *path, r *Rule) {
	for i := range blocks {
		if b := &blocks[i]; b.owner != r.Type && b.given(r) {
			v.wrong(p, b.name, fmt.Sprintf("%s does not belong to a rule of type %s", b.name, r.Type), fmt.Sprintf("it belongs to %s", b.owner))
		}
	}
	missing := ""
	switch r.Type {
	case ToolAllowlist, ToolDenylist, RequireApproval:
		if r.Tools == nil {
			v.wrong(p, "tools", fmt.Sprintf("a rule of type %s must name tools", r.Type), `"*" names all`)
		}
		if r.OnViolation != "" {
			v.wrong(p, "onViolation", fmt.Sprintf("onViolation does not belong to a rule of type %s", r.Type), "such a rule is not violated: it decides")
		}
	case ParameterConstraint:
		// A closed rule without parameters permits none.
		if r.Parameters == nil && r.AnyOf == nil && !r.closed() {
			missing = "parameters"
		}
	case RateLimited:
		if r.RateLimit == nil {
			missing = "rateLimit"
		}
	case TimeBased:
		if r.TimeWindow == nil {
			missing = "timeWindow"
		}
	case Budgeted:
		if r.Budget == nil {
			missing = "budget"
		}
	case Sequenced:
		if r.Sequence == nil {
			missing = "sequence"
		}
	}
	if missing != "" {
		v.wrong(p, missing, fmt.Sprintf("a rule of type %s needs %s", r.Type, missing), "")
	}
}

func (r *Rule) closed() bool { return r.AdditionalParameters != nil && !*r.AdditionalParameters }

func (v *validator) violation(p *path, name string, x Violation) {
	switch x {
	case "", DenyOnViolation, EscalateOnViolation:
	default:
		v.choice(p, name, string(x), string(DenyOnViolation), string(EscalateOnViolation))
	}
}

func (v *validator) rateLimit(p *path, l *RateLimit) {
	v.within(p, "maxCalls", l.MaxCalls, 1, MaxCalls)
	v.within(p, "windowSeconds", l.WindowSeconds, 1, MaxWindowSeconds)
	v.per(p, l.Per)
	switch l.Algorithm {
	case "", "rolling_window", "token_bucket":
	default:
		v.choice(p, "algorithm", l.Algorithm, "rolling_window", "token_bucket")
	}
}

var perParts = []string{"agent", "global", "session", "user", "tool", "project", "param:NAME"}

// per checks the parts of a counter's key.
func (v *validator) per(p *path, parts []string) {
	if parts == nil {
		return
	}
	v.count(p, "per", "parts", len(parts), MaxParameters)
	at := p.Member("per")
	for i, part := range parts {
		at := at.Element(i)
		for _, before := range parts[:min(i, MaxParameters)] {
			if before == part {
				v.fault(&at, fmt.Sprintf("%q is there twice", part), "")
				break
			}
		}
		if name, ok := strings.CutPrefix(part, "param:"); ok {
			v.parameterName(&at, name, true)
			continue
		}
		switch part {
		case "agent", "global", "session", "user", "tool", "project":
		default:
			hint := nearest.Hint(part, perParts)
			if hint == "" {
				hint = "it is one of " + strings.Join(perParts, ", ")
			}
			v.fault(&at, fmt.Sprintf("%q is no part of a counter's key", part), hint)
		}
	}
}

func (v *validator) timeWindow(p *path, w *TimeWindow) {
	if w.AllowedHours == nil && w.AllowedDays == nil {
		v.fault(p, "a time window needs allowedHours or allowedDays", "")
	}
	v.clock(p, "allowedHours", w.AllowedHours, 23)
	v.clock(p, "allowedDays", w.AllowedDays, 6)
	if w.Timezone != "" && !v.zone(w.Timezone) {
		v.wrong(p, "timezone", fmt.Sprintf("there is no time zone %q", w.Timezone), "give an IANA name such as Europe/Berlin, or UTC")
	}
}

func (v *validator) clock(p *path, name string, values []int, last int) {
	if values == nil {
		return
	}
	if len(values) == 0 {
		v.wrong(p, name, "the list is empty", "leave the field out, or say when")
	}
	at := p.Member(name)
	for i, n := range values {
		if n < 0 || n > last {
			e := at.Element(i)
			v.fault(&e, fmt.Sprintf("%d is out of range", n), fmt.Sprintf("the range is 0..%d", last))
		}
	}
}

// zone reports whether name is an IANA zone name. Those all begin with a
// capital: so Local is the only other name to exclude, and files such as
// posixrules and right/UTC that lie beside the zones on some systems are none.
func (v *validator) zone(name string) bool {
	ok, known := v.zones[name]
	if !known {
		_, err := time.LoadLocation(name)
		ok = err == nil && name != "Local" && 'A' <= name[0] && name[0] <= 'Z'
		if v.zones == nil {
			v.zones = make(map[string]bool)
		}
		v.zones[name] = ok
	}
	return ok
}

func (v *validator) approval(p *path, a *Approval) {
	if a.TTLSeconds != 0 {
		v.within(p, "ttlSeconds", a.TTLSeconds, MinApprovalSeconds, MaxApprovalSeconds)
	}
	v.optionalText(p, "message", a.Message, MaxMessage)
}

func (v *validator) sequence(p *path, s *Sequence) {
	if s.Requires == nil && s.BlockedBy == nil {
		v.fault(p, "a sequence needs requires or blockedBy", "")
	}
	v.entries(p, "requires", s.Requires)
	v.entries(p, "blockedBy", s.BlockedBy)
}

func (v *validator) entries(p *path, name string, entries []SequenceEntry) {
	if entries == nil {
		return
	}
	if len(entries) == 0 {
		v.wrong(p, name, "the list is empty", "leave the field out, or name calls")
	}
	at := p.Member(name)
	for i := range entries {
		e, at := &entries[i], at.Element(i)
		v.tools(&at, "tools", e.Tools)
		if e.WithinSeconds != nil {
			v.within(&at, "withinSeconds", *e.WithinSeconds, 1, MaxBudgetSeconds)
		}
		v.expression(&at, "when", e.When)
		v.same(&at, e.Same)
	}
}

func (v *validator) same(p *path, same map[string]string) {
	if same == nil {
		return
	}
	v.count(p, "same", "parameters", len(same), MaxParameters)
	at := p.Member("same")
	for _, name := range sortedKeys(same) {
		e := at.Member(name)
		v.parameterName(&e, name, true)
		v.parameterName(&e, same[name], true)
	}
}
