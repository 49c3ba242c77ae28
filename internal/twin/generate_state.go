package twin

import (
	"encoding/json"
	"strings"

	"github.com/useveto/veto-go/rules"
)

func (g *Generator) per() []string {
	if g.chance(40) {
		return nil
	}
	return some(g, 2, []string{"agent", "global", "tool", "user", "project", "session", "param:to", "param:amount", "param:/user/name", "param:/items/0"})
}

// The maxima of budgets. The engine is exact as long as a key has 32 entries
// in its window: so where windows are long, no more of the amounts and costs
// that are usual fit into a maximum; where they are short, no more are made.
var (
	smallMaxima = []string{"0.1", "0.3", "1", "1.0", "2.5", "3"}
	maxima      = append([]string{"5", "50.5", "100", "1e2", "150", "0.000000000000000005", "999999999999999999", "999999999999999999.999999999999999999"}, smallMaxima...)
	costs       = []string{"0.1", "1e-1", "1", "2", "2.5"}
)

func (g *Generator) number(from []string) *json.Number { return ptr(json.Number(pick(g, from...))) }

// budget returns a budget rule's block.
func (g *Generator) budget() *rules.Budget {
	b := &rules.Budget{Per: g.per()}
	if g.chance(40) {
		b.PerSession = true
	} else {
		b.WindowSeconds = pick(g, 1, 2, 10, 20_000, 86_400, 2_678_400)
	}
	switch {
	case g.chance(60):
		b.Parameter = pick(g, "amount", "amount", "amount", "amount", "/amount", "k", "to", "/items/0/n", "/user/raw/n")
	case g.chance(50):
		b.Cost = g.number(costs)
	default:
		b.Distinct = pick(g, "to", "to", "amount", "/user/name", "flag", "items", "/items/0")
	}
	g.setMax(b)
	return b
}

func (g *Generator) setMax(b *rules.Budget) {
	switch {
	case b.Distinct != "":
		b.Max = g.number([]string{"1", "2", "2.0", "3", "1e1"})
	case b.PerSession, b.WindowSeconds <= 2 && b.Cost == nil:
		b.Max = g.number(maxima)
	default:
		b.Max = g.number(smallMaxima)
	}
}

// changedBudget returns the budget with another maximum, and in some cases
// another window, key or kind.
func (g *Generator) changedBudget(b rules.Budget) *rules.Budget {
	switch {
	case g.chance(10):
		return g.budget()
	case g.chance(10):
		b.Per = g.per()
	case g.chance(30) && b.Distinct == "":
		b.Parameter, b.Cost, b.Distinct = "", nil, "amount"
	case g.chance(30) && b.Distinct != "":
		b.Parameter, b.Distinct = "amount", ""
	case g.chance(10) && b.Cost != nil:
		b.Cost = g.number(costs)
	}
	g.setMax(&b)
	return &b
}

// sequence returns a sequence rule's block.
func (g *Generator) sequence() *rules.Sequence {
	s := &rules.Sequence{}
	if g.chance(50) {
		s.Requires = g.sequenceEntries()
	}
	if s.Requires == nil || g.chance(30) {
		s.BlockedBy = g.sequenceEntries()
	}
	return s
}

func (g *Generator) sequenceEntries() []rules.SequenceEntry {
	var entries []rules.SequenceEntry
	for range pick(g, 1, 1, 2) {
		e := rules.SequenceEntry{Tools: some(g, 2, toolPatterns)}
		if g.chance(40) {
			e.WithinSeconds = ptr(pick(g, 1, 2, 10, 20_000))
		}
		if len(g.Earlier) > 0 && g.chance(35) {
			e.When = pick(g, g.Earlier...)
		}
		if g.chance(40) {
			e.Same = map[string]string{}
			for range pick(g, 1, 1, 2) {
				names := strings.Fields(pick(g, "to to", "to to", "to /to", "amount amount", "items items", "user user", "/user/name to", "to /user/name", "flag flag", "/items/0 /items/0", "to amount", "k k"))
				e.Same[names[0]] = names[1]
			}
		}
		entries = append(entries, e)
	}
	return entries
}

func (g *Generator) sessionConstraints() *rules.SessionConstraints {
	c := &rules.SessionConstraints{}
	if g.chance(40) {
		c.MaxCalls = ptr(1 + g.r.IntN(8))
	}
	if g.chance(40) {
		c.Budget, c.SpendArgument = g.number(maxima), pick(g, "amount", "amount", "/amount", "to")
	}
	for range pick(g, 0, 0, 0, 1, 2) {
		c.CumulativeLimits = append(c.CumulativeLimits, rules.CumulativeLimit{ArgumentName: pick(g, "amount", "amount", "k"), MaxValue: g.number(maxima)})
	}
	if g.chance(60) {
		c.Counters = map[string]rules.SessionCounter{}
		for range pick(g, 1, 1, 2) {
			counter := rules.SessionCounter{
				Increment: some(g, 2, toolPatterns[:6]), Max: ptr(g.r.IntN(4)),
				MaxAction: pick(g, "", rules.DenyOnViolation, rules.EscalateOnViolation),
			}
			if g.chance(50) {
				counter.Decrement = some(g, 2, toolPatterns[1:6])
			}
			c.Counters[pick(g, "open", "tabs", "tabs x")] = counter
		}
	}
	return c
}

// amounts are small, and equal in many ways; a few are none. Those that are
// not usual are rare.
var (
	amounts     = []any{0, json.Number("0"), 0.1, json.Number("0.10"), json.Number("1e-1"), json.Number("0.1"), 1, json.Number("1.0"), 1.0, 2, 0.5, json.Number("-0"), 1, 1}
	rareAmounts = []any{
		json.Number("-1"), json.Number("-0.1"), json.Number("-1e-19"), "1", nil, true, []any{1}, json.Number("1e18"), json.Number("1e-19"), json.Number("1e-18"),
		json.Number("999999999999999999.999999999999999999"), json.Number("999999999999999999"), json.Number("0.1000000000000000000000"), json.Number("0.1234567890123456789"), 100, 50.5, json.Number("0e-30"), json.Number("1e308"),
		json.Number("1000000000000000000.0000000000000000001"), json.Number("-1e18"),
	}
)

// repeated returns parameters that calls have again and again.
func (g *Generator) repeated() any {
	args := map[string]any{
		"to": pick(g, "bob", "bob", "ann@example.com", "kelvin"), "amount": pick(g, amounts...), "flag": g.chance(80),
		"items": pick[any](g, []any{1, "a"}, json.RawMessage(`[1.0,"a"]`), map[string]any{"n": json.Number("1e2"), "m": nil}, json.RawMessage(`{"m":null,"n":100}`)),
		"user":  map[string]any{"name": pick(g, "bob", "bob", "ann@example.com")},
	}
	if g.chance(15) {
		args["amount"] = pick(g, rareAmounts...)
	}
	if g.chance(15) {
		delete(args, pick(g, "to", "amount", "flag", "items", "user"))
	}
	if g.chance(1) {
		args["note"] = long(maxEarlier, "x")
	}
	if g.chance(70) {
		return args
	}
	data, err := json.Marshal(args)
	if err != nil {
		panic(err)
	}
	return string(data)
}
