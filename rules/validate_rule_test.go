package rules

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var tools = []string{"t"}

func TestValidateTools(t *testing.T) {
	allow := func(patterns ...string) Rule { return Rule{Type: ToolAllowlist, Tools: patterns} }
	ok(t, allow("*"))
	ok(t, allow("file.*", "mcp__github__*", "exact"))
	ok(t, allow(strings.Repeat("x", 255), strings.Repeat("x", 255)+"*"))
	ok(t, allow(list(256)...))
	bad(t, allow(list(257)...), "tools")
	bad(t, Rule{Type: ToolAllowlist, Tools: []string{}}, "tools")
	bad(t, Rule{Type: ToolAllowlist}, "tools")
	bad(t, Rule{Type: ToolDenylist}, "tools")
	bad(t, Rule{Type: RequireApproval}, "tools")
	bad(t, allow(""), "tools[0]")
	for _, p := range []string{"*.read", "a*b", "**", "a b", "caf\u00e9", "a\x7f", "a\u200bb", strings.Repeat("x", 256)} {
		bad(t, allow("fine", p), "tools[1]")
	}
}

func TestValidateBlocks(t *testing.T) {
	good := []Rule{
		{Type: ToolAllowlist, Tools: tools},
		{Type: ToolDenylist, Tools: tools},
		{Type: ParameterConstraint, Parameters: map[string]Constraint{"x": {}}},
		{Type: RateLimited, RateLimit: &RateLimit{MaxCalls: 1, WindowSeconds: 1}},
		{Type: TimeBased, TimeWindow: &TimeWindow{AllowedDays: []int{0}}},
		{Type: RequireApproval, Tools: tools},
		{Type: Budgeted, Budget: &Budget{Parameter: "x", Max: num("1"), WindowSeconds: 1}},
		{Type: Sequenced, Sequence: &Sequence{Requires: []SequenceEntry{{Tools: tools}}}},
	}
	require.Len(t, good, len(RuleTypes))
	for _, r := range good {
		ok(t, r)
		soft := r
		soft.OnViolation = EscalateOnViolation
		switch r.Type {
		case ToolAllowlist, ToolDenylist, RequireApproval:
			bad(t, soft, "onViolation")
		default:
			ok(t, soft)
		}
		soft.OnViolation = "ask"
		require.Contains(t, paths(oneRule(soft)), "policies[0].rules[0].onViolation")
		for at, add := range map[string]func(*Rule){
			"parameters":           func(r *Rule) { r.Parameters = map[string]Constraint{"y": {}} },
			"anyOf":                func(r *Rule) { r.AnyOf = []map[string]Constraint{{"y": {}}} },
			"additionalParameters": func(r *Rule) { r.AdditionalParameters = ptr(true) },
			"rateLimit":            func(r *Rule) { r.RateLimit = &RateLimit{MaxCalls: 1, WindowSeconds: 1} },
			"timeWindow":           func(r *Rule) { r.TimeWindow = &TimeWindow{AllowedDays: []int{0}} },
			"approval":             func(r *Rule) { r.Approval = &Approval{} },
			"budget":               func(r *Rule) { r.Budget = &Budget{Parameter: "x", Max: num("1"), WindowSeconds: 1} },
			"sequence":             func(r *Rule) { r.Sequence = &Sequence{Requires: []SequenceEntry{{Tools: tools}}} },
		} {
			both := r
			add(&both)
			var own bool
			for _, b := range blocks {
				own = own || b.name == at && b.owner == r.Type
			}
			if !own {
				bad(t, both, at)
			}
		}
	}
	for blk, kind := range map[string]RuleType{"parameters": ParameterConstraint, "rateLimit": RateLimited, "timeWindow": TimeBased, "budget": Budgeted, "sequence": Sequenced} {
		bad(t, Rule{Type: kind}, blk)
	}
	bad(t, Rule{}, "type")
	bad(t, Rule{Type: "Tool_Allowlist", Tools: tools}, "type")
}

func TestValidateWhen(t *testing.T) {
	r := Rule{Type: ToolAllowlist, Tools: tools, When: strings.Repeat("x", 4096)}
	ok(t, r)
	r.When += "x"
	bad(t, r, "when")
	r.When = "\xff"
	bad(t, r, "when")
}

func TestValidateRateLimit(t *testing.T) {
	limit := func(edit func(*RateLimit)) Rule {
		l := &RateLimit{MaxCalls: 1, WindowSeconds: 1}
		edit(l)
		return Rule{Type: RateLimited, RateLimit: l}
	}
	ok(t, limit(func(l *RateLimit) { l.MaxCalls, l.WindowSeconds = 1_000_000, 86_400 }))
	bad(t, limit(func(l *RateLimit) { l.MaxCalls = 1_000_001 }), "rateLimit.maxCalls")
	bad(t, limit(func(l *RateLimit) { l.MaxCalls = 0 }), "rateLimit.maxCalls")
	bad(t, limit(func(l *RateLimit) { l.WindowSeconds = 86_401 }), "rateLimit.windowSeconds")
	bad(t, limit(func(l *RateLimit) { l.WindowSeconds = 0 }), "rateLimit.windowSeconds")
	ok(t, limit(func(l *RateLimit) { l.Algorithm = "token_bucket" }))
	bad(t, limit(func(l *RateLimit) { l.Algorithm = "sliding" }), "rateLimit.algorithm")
	ok(t, limit(func(l *RateLimit) {
		l.Per = []string{"agent", "global", "session", "user", "tool", "project", "param:to", "param:/to/name"}
	}))
	bad(t, limit(func(l *RateLimit) { l.Per = []string{} }), "rateLimit.per")
	for _, part := range []string{"Agent", "param", "param:", "param:/a/*", "param:/a~2", ""} {
		bad(t, limit(func(l *RateLimit) { l.Per = []string{part} }), "rateLimit.per[0]")
	}
	bad(t, limit(func(l *RateLimit) { l.Per = []string{"tool", "tool"} }), "rateLimit.per[1]")
}

func TestValidateTimeWindow(t *testing.T) {
	window := func(w TimeWindow) Rule { return Rule{Type: TimeBased, TimeWindow: &w} }
	ok(t, window(TimeWindow{AllowedHours: []int{0, 23}, AllowedDays: []int{0, 6}, Timezone: "America/Argentina/Buenos_Aires"}))
	bad(t, window(TimeWindow{}), "timeWindow")
	bad(t, window(TimeWindow{AllowedHours: []int{}}), "timeWindow.allowedHours")
	bad(t, window(TimeWindow{AllowedHours: []int{1}, AllowedDays: []int{}}), "timeWindow.allowedDays")
	bad(t, window(TimeWindow{AllowedHours: []int{5, 24}}), "timeWindow.allowedHours[1]")
	bad(t, window(TimeWindow{AllowedHours: []int{-1}}), "timeWindow.allowedHours[0]")
	bad(t, window(TimeWindow{AllowedDays: []int{7}}), "timeWindow.allowedDays[0]")
	for _, zone := range []string{"UTC", "Etc/GMT+1", "EST5EDT", "Europe/Berlin"} {
		ok(t, window(TimeWindow{AllowedDays: []int{1}, Timezone: zone}))
	}
	for _, zone := range []string{"Local", "Mars/Olympus", "localtime", "posixrules", "right/UTC", "posix/UTC", "../UTC", "europe/berlin", "+01:00"} {
		bad(t, window(TimeWindow{AllowedDays: []int{1}, Timezone: zone}), "timeWindow.timezone")
	}
}

func TestValidateApproval(t *testing.T) {
	approval := func(a Approval) Rule { return Rule{Type: RequireApproval, Tools: tools, Approval: &a} }
	ok(t, approval(Approval{}))
	ok(t, approval(Approval{TTLSeconds: 60, Message: strings.Repeat("é", 2000)}))
	ok(t, approval(Approval{TTLSeconds: 86_400}))
	bad(t, approval(Approval{TTLSeconds: 59}), "approval.ttlSeconds")
	bad(t, approval(Approval{TTLSeconds: 86_401}), "approval.ttlSeconds")
	bad(t, approval(Approval{TTLSeconds: -1}), "approval.ttlSeconds")
	bad(t, approval(Approval{Message: strings.Repeat("é", 2001)}), "approval.message")
	bad(t, approval(Approval{Message: "a\x1b[0m"}), "approval.message")
}

func TestValidateBudget(t *testing.T) {
	budget := func(edit func(*Budget)) Rule {
		b := &Budget{Parameter: "amount", Max: num("100"), WindowSeconds: 60}
		edit(b)
		return Rule{Type: Budgeted, Budget: b}
	}
	ok(t, budget(func(b *Budget) { b.WindowSeconds = 2_678_400 }))
	bad(t, budget(func(b *Budget) { b.WindowSeconds = 2_678_401 }), "budget.windowSeconds")
	bad(t, budget(func(b *Budget) { b.WindowSeconds = -1 }), "budget.windowSeconds")
	bad(t, budget(func(b *Budget) { b.WindowSeconds = 0 }), "budget")
	bad(t, budget(func(b *Budget) { b.PerSession = true }), "budget")
	ok(t, budget(func(b *Budget) { b.PerSession, b.WindowSeconds = true, 0 }))
	ok(t, budget(func(b *Budget) { b.Parameter, b.Cost = "", num("0.5") }))
	bad(t, budget(func(b *Budget) { b.Cost = num("1") }), "budget")
	bad(t, budget(func(b *Budget) { b.Parameter = "" }), "budget")
	bad(t, budget(func(b *Budget) { b.Parameter, b.Cost = "", num("0") }), "budget.cost")
	bad(t, budget(func(b *Budget) { b.Max = nil }), "budget.max")
	bad(t, budget(func(b *Budget) { b.Max = num("-0") }), "budget.max")
	bad(t, budget(func(b *Budget) { b.Max = num("1e400") }), "budget.max")
	bad(t, budget(func(b *Budget) { b.Max = num("NaN") }), "budget.max")
	bad(t, budget(func(b *Budget) { b.Parameter = "/items/*/amount" }), "budget.parameter")
	ok(t, budget(func(b *Budget) { b.Parameter, b.Distinct = "", "to" }))
	bad(t, budget(func(b *Budget) { b.Parameter, b.Distinct, b.Max = "", "to", num("1.5") }), "budget.max")
	bad(t, budget(func(b *Budget) { b.Per = []string{"nobody"} }), "budget.per[0]")
}

func TestValidateSequence(t *testing.T) {
	seq := func(s Sequence) Rule { return Rule{Type: Sequenced, Sequence: &s} }
	entry := func(e SequenceEntry) Rule { e.Tools = tools; return seq(Sequence{BlockedBy: []SequenceEntry{e}}) }
	bad(t, seq(Sequence{}), "sequence")
	bad(t, seq(Sequence{Requires: []SequenceEntry{}}), "sequence.requires")
	bad(t, seq(Sequence{Requires: []SequenceEntry{{}}}), "sequence.requires[0].tools")
	bad(t, seq(Sequence{BlockedBy: []SequenceEntry{{Tools: []string{"a*b"}}}}), "sequence.blockedBy[0].tools[0]")
	ok(t, entry(SequenceEntry{WithinSeconds: ptr(1), Same: map[string]string{"to": "/recipient"}}))
	ok(t, entry(SequenceEntry{WithinSeconds: ptr(2_678_400)}))
	bad(t, entry(SequenceEntry{WithinSeconds: ptr(0)}), "sequence.blockedBy[0].withinSeconds")
	bad(t, entry(SequenceEntry{WithinSeconds: ptr(2_678_401)}), "sequence.blockedBy[0].withinSeconds")
	bad(t, entry(SequenceEntry{Same: map[string]string{}}), "sequence.blockedBy[0].same")
	bad(t, entry(SequenceEntry{Same: map[string]string{"to": ""}}), "sequence.blockedBy[0].same.to")
	bad(t, entry(SequenceEntry{Same: map[string]string{"/a/*": "b"}}), `sequence.blockedBy[0].same["/a/*"]`)
	bad(t, entry(SequenceEntry{When: strings.Repeat("x", 4097)}), "sequence.blockedBy[0].when")
}
