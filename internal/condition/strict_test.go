package condition

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestAttack_A6_ErrorsAreNotAbsorbed guards against what CEL does by design:
// "fails || true" is true there. Here what was evaluated and failed fails the
// whole; what comes after the decision is not evaluated.
func TestAttack_A6_ErrorsAreNotAbsorbed(t *testing.T) {
	const args = `{"bad": "x", "ok": 1, "xs": [1, 2, "x", 4], "last": [1, 2, "x"], "first": ["x", 1, 2], "deep": [[1], ["x"]]}`
	absent, wrong := errAbsent.text, errType.text
	for _, c := range []struct{ source, want string }{
		// The operators.
		{`args.nope == 1 || true`, absent},
		{`true || args.nope == 1`, "true"},
		{`args.nope == 1 && false`, absent},
		{`false && args.nope == 1`, "false"},
		{`args.ok == 1 || args.nope == 1`, "true"},
		{`args.ok == 2 || args.nope == 1`, absent},
		{`args.nope == 1 || args.ok == 1`, absent},
		{`args.ok == 2 && args.nope == 1`, "false"},
		{`args.ok == 1 && args.nope == 1`, absent},
		{`args.nope == 1 && args.ok == 2`, absent},
		{`(args.nope == 1 || true) && true`, absent},
		{`!(args.nope == 1 && false)`, absent},
		{`args.ok == 2 || args.nope == 1 || args.ok == 1`, absent},
		{`args.ok == 2 || args.ok == 3 || args.ok == 4 || args.nope == 1 || args.ok == 1`, absent},
		{`args.ok == 1 && args.ok == 1 && args.ok == 1 && args.nope == 1 && args.ok == 2`, absent},
		{`args.ok == 2 || (args.ok == 1 || args.nope == 1)`, "true"},
		{`args.nope == 1 ? true : true`, absent},
		{`args.ok == 1 ? true : args.nope == 1`, "true"},
		{`args.ok == 2 ? true : args.nope == 1`, absent},
		{`args.bad || true`, wrong},
		{`args.bad && false`, wrong},
		{`false || args.bad`, wrong},
		{`true && args.bad`, wrong},
		{`args.bad > 1 || true`, wrong},
		{`1 / (args.ok - 1) == 1 || true`, errArithmetic.text},

		// Macros: an element that fails, before and after the one that decides.
		{`args.xs.exists(x, x > 3)`, wrong},
		{`args.xs.exists(x, x > 1)`, "true"},
		{`args.last.exists(x, x > 5)`, wrong},
		{`args.first.exists(x, x > 0)`, wrong},
		{`args.xs.all(x, x > 1)`, "false"},
		{`args.xs.all(x, x > 0)`, wrong},
		{`args.last.all(x, x > 0)`, wrong},
		{`args.first.all(x, x > 5)`, wrong},
		{`args.xs.exists_one(x, x == 1 || x > 3)`, wrong},
		{`args.first.exists_one(x, x > 1)`, wrong},
		{`args.xs.filter(x, x > 0).size() > 0`, wrong},
		{`args.xs.map(x, x + 1).size() > 0`, wrong},
		{`args.first.map(x, x > 0, 1) == []`, wrong},
		{`args.xs.map(x, x > 0, 1).size() >= 0 || true`, wrong},
		{`args.xs.exists(x, x > 3) || true`, wrong},
		{`args.xs.all(x, x > 0) && false`, wrong},
		{`args.deep.exists(l, l.exists(x, x > 1))`, wrong},
		{`args.deep.all(l, l.all(x, x > 1))`, "false"},
		{`args.deep.all(l, l.all(x, x > 0))`, wrong},
		{`args.xs.exists(x, args.nope == x) || true`, absent},
		{`args.xs.all(x, args.xs)`, wrong},
		{`args.nope.exists(x, true) || true`, absent},
		{`[args.nope].exists(x, true) || true`, absent},
		{`{"a": args.nope}.a == 1 || true`, absent},

		// Membership and comparison.
		{`args.nope in [1] || true`, absent},
		{`1 in [args.nope] || true`, absent},
		{`1 in [1, args.nope]`, absent},
		{`args.nope == args.nope || true`, absent},
		{`args.nope != args.ok || true`, absent},
		{`size(args.nope) == 0 || true`, absent},
		{`has(args.nope.x) || true`, absent},
		{`type(args.nope) == int || true`, absent},
		{`dyn(args.nope) == 1 || true`, absent},
		{`string(args.nope) == "" || true`, absent},
		{`args.nope.matches("a") || true`, absent},
		{`args[args.nope] == 1 || true`, absent},
	} {
		assert.Equal(t, c.want, answer(t, compile(t, c.source), input(t, args)), c.source)
	}
}

// TestAttack_A6_BudgetIsNotAbsorbed guards against taking an evaluation that
// was stopped for an operand that failed.
func TestAttack_A6_BudgetIsNotAbsorbed(t *testing.T) {
	in := bombInput(t)
	for _, source := range []string{
		`args.ints.all(x, args.ints.all(y, x + y >= 0)) || true`,
		`!args.ints.exists(x, args.ints.exists(y, x + y < 0)) || true`,
		`args.ints.exists(x, args.ints.map(y, args.ints.map(z, z)) == [] || true)`,
		`args.ints.all(x, args.ints.all(y, x + y >= 0)) ? true : true`,
	} {
		assert.Equal(t, errBudget.text, answer(t, compile(t, source), in), source)
	}
}

// TestAttack_A8_Regex guards against patterns that take long, and shows what
// a pattern that is not anchored lets pass.
func TestAttack_A8_Regex(t *testing.T) {
	for _, source := range []string{
		`tool.matches("(a{1,30}){1,30}$")`, `tool.matches("a{1000}{1000}")`, `tool.matches("a{1001}")`,
		`tool.matches("` + strings.Repeat("a", maxPattern+1) + `")`, `tool.matches(agent)`, `tool.matches("a(?=b)")`,
	} {
		_, err := NewEnv(nil).Compile(source, When)
		assert.Error(t, err, source)
	}
	compile(t, `tool.matches("`+strings.Repeat("a", maxPattern)+`")`)
	in := input(t, `{"to": "evil@example.com.attacker.io", "line": "a\nb", "end": "a\n"}`)
	for source, want := range map[string]string{
		`args.to.matches("@example[.]com")`:     "true",
		`args.to.matches("@example[.]com$")`:    "false",
		`args.end.matches("^a$")`:               "false",
		`args.line.matches("^a$")`:              "false",
		`args.line.matches("(?m)^a$")`:          "true",
		`args.to.matches(".*@[^x.com$].*")`:     "true",
		`emailDomain(args.to) == "example.com"`: "false",
	} {
		assert.Equal(t, want, answer(t, compile(t, source), in), source)
	}
}

// TestLongValues shows that a value that is too long fails the expression that
// reads it, and no other.
func TestLongValues(t *testing.T) {
	in := bombInput(t)
	for _, c := range []struct{ source, want string }{
		{`args.s.size() == 4096 && size(args.ints) == 1000`, "true"},
		{`args.k != "" || args.over == ""`, "true"},
		{`has(args.over) && has(args.more) && "over" in args`, "true"},
		{`args.over == ""`, errLongString.text},
		{`args.over.startsWith("a") || true`, errLongString.text},
		{`type(args.over) == string`, errLongString.text},
		{`args.more == []`, errLongList.text},
		{`args.more[0] == 0`, errLongList.text},
		{`size(args.more) > 0`, errLongList.text},
		{`1 in args.more`, errLongList.text},
		{`args.more.all(x, true)`, errLongList.text},
		{`[args.over].size() == 1`, errLongString.text},
		{`args.huge.key5 == 1 && size(args.huge) == 1001`, "true"},
		{`args.huge.all(k, true)`, errLongList.text},
		{`args.s + "a" == ""`, errLongString.text},
		{`size(args.s2 + "") == 4096`, "true"},
		{`args.ints + [1] == []`, errLongList.text},
		{`args.s.split("") == []`, errLongList.text},
		{`args.s.replace("a", "bb") == ""`, errLongString.text},
		{`args.texts.join(args.k) == ""`, errLongString.text},
		{`args.s.matches("(ab|c){20}")`, errRegex.text},
	} {
		assert.Equal(t, c.want, answer(t, compile(t, c.source), in), c.source)
	}
}
