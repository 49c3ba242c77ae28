package condition

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
)

const semanticsArgs = `{
	"n": 100, "f": 0.5, "neg": -7, "zero": -0.0, "whole": 100.0, "exp": 1e2,
	"max": 9223372036854775807, "u": 18446744073709551615, "over": 18446744073709551616,
	"p53": 9007199254740992, "p53plus": 9007199254740993, "f53": 9007199254740993.5,
	"s": "hello", "empty": "", "nul": null, "t": true, "acc": "ol\u00e9",
	"list": [1, "two", 3.5, null, {"k": "v"}], "nums": [1, 2, 3], "none": [], "o": {"k": {"l": 1}, "x-y": 2},
	"to": "ann@example.com", "url": "https://example.com", "path": "/data/x", "zones": "UTC"}`

// TestSemantics shows what conditions mean.
func TestSemantics(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		// Variables.
		{`tool == "mail.send" && agent == "agt_1" && project == "acme"`, "true"},
		{`session == "s1" && user == "ann" && context.region == "eu"`, "true"},
		{`now == timestamp("2024-02-29T23:30:15.5Z")`, "true"},
		{`now.getHours() == 23 && now.getDayOfWeek() == 4 && now.getDate() == 29`, "true"},
		{`now.getHours("Europe/Berlin") == 0 && now.getDate("Europe/Berlin") == 1 && now.getMonth("Europe/Berlin") == 2`, "true"},
		{`now.getHours("+05:30") == 5 && now.getMinutes("+05:30") == 0 && now.getHours("-00:30") == 23`, "true"},
		{`now.getFullYear("UTC") == 2024 && now.getDayOfYear("UTC") == 59 && now.getDayOfMonth("UTC") == 28`, "true"},
		{`now.getSeconds("UTC") == 15 && now.getMilliseconds("UTC") == 500 && now.getDayOfWeek("UTC") == 4`, "true"},
		{`now + duration("1h") > now`, "true"},
		{`args.n.getHours("UTC") == 1`, errType.text},

		// Numbers: by value, not by how they are written.
		{`args.n == 100 && args.whole == 100 && args.exp == 100 && args.zero == 0`, "true"},
		{`type(args.whole) == int && type(args.exp) == int && type(args.f) == double`, "true"},
		{`type(args.max) == int && type(args.u) == uint && type(args.over) == double`, "true"},
		{`args.n == 100.0 && args.n < 100.5 && args.f < 1 && 1 > args.f`, "true"},
		{`args.u > args.max && args.max < args.u && args.u == 18446744073709551615u`, "true"},
		{`args.p53plus == args.p53`, "false"},
		{`args.p53plus > args.p53`, "true"},
		{`args.p53 == 9007199254740992.0`, "true"},
		{`args.p53plus == 9007199254740992.0`, errInexact.text},
		{`args.p53plus > 1.5`, errInexact.text},
		{`args.f53 > args.n`, errInexact.text},
		{`args.n < 1e300`, errInexact.text},
		{`args.u == 1.0`, errInexact.text},
		{`args.p53plus in [1.5]`, errInexact.text},
		{`[args.p53plus] == [9007199254740992.0]`, errInexact.text},
		{`args.over == 18446744073709551616.0`, "true"},
		{`args.n + 1 == 101 && args.n - 1 == 99 && args.n * 2 == 200 && args.n / 3 == 33 && args.n % 3 == 1 && -args.n == -100`, "true"},
		{`args.max + 1 > 0`, errArithmetic.text},
		{`args.n / (args.n - 100) == 1`, errArithmetic.text},
		{`args.n + 0.5 == 100.5`, errType.text},
		{`double(args.n) + 0.5 == 100.5`, "true"},
		{`args.f + 0.5 == 1.0`, "true"},
		{`args.s > 1`, errType.text},
		{`args.s == 1`, "false"},
		{`args.n == "100"`, "false"},
		{`int("1" + "2") == 12`, "true"},
		{`int(args.s) == 1`, errType.text},

		// Strings.
		{`args.s + " world" == "hello world" && size(args.acc) == 3 && args.empty == ""`, "true"},
		{`args.s.startsWith("he") && args.s.endsWith("lo") && args.s.contains("ell")`, "true"},
		{`args.s.matches("l+o$") && !args.s.matches("^ello")`, "true"},
		{`matches(args.s, "^h")`, "true"},
		{`args.n.matches("1")`, errType.text},
		{`args.n.startsWith("1")`, errType.text},
		{`args.s < "help" && args.s >= "hello"`, "true"},
		{`args.s in ["hello", "x"] && !(args.n in ["hello"]) && !(args.list in ["hello"])`, "true"},
		{`args.s in []`, "false"},

		// Containers.
		{`args.list[0] == 1 && args.list[1] == "two" && args.list[4].k == "v" && args.o.k.l == 1`, "true"},
		{`args["n"] == 100 && args.o["x-y"] == 2 && args.list[args.nums[0]] == "two"`, "true"},
		{"args.o.`x-y` == 2", "true"},
		{`args.list[9] == 1`, errAbsent.text},
		{`args.list[-1] == 1`, errAbsent.text},
		{`args.list["a"] == 1`, errOther.text},
		{`args.nope == 1`, errAbsent.text},
		{`args.o.nope == null`, errAbsent.text},
		{`args.s.nope == 1`, errAbsent.text},
		{`has(args.n) && !has(args.nope) && has(args.nul) && has(args.o.k.l) && !has(args.o.k.m)`, "true"},
		{`has(args.nope.x)`, errAbsent.text},
		{`"n" in args && !("nope" in args) && !(args.n in args)`, "true"},
		{`3 in args.nums && 3.0 in args.nums && !("3" in args.nums) && null in args.list`, "true"},
		{`1 in args.s`, errType.text},
		{`size(args.list) == 5 && args.none == [] && size(args.o) == 2 && args.nums.size() == 3`, "true"},
		{`args.nums == [1, 2, 3] && args.nums != [1, 2] && [1.0, 2, 3] == args.nums`, "true"},
		{`args.o == {"k": {"l": 1}, "x-y": 2} && {"x-y": 2, "k": {"l": 1}} == args.o`, "true"},
		{`args.o == {"k": {"l": 2}, "x-y": 2} || args.o == {"k": 1} || args.o == {"k": {"l": 1}, "z": 2}`, "false"},
		{`args.nums + [4] == [1, 2, 3, 4] && [0] + args.nums == [0, 1, 2, 3] && args.nums + args.none == args.nums`, "true"},
		{`args.nul == null && args.s != null`, "true"},
		{`args.nums == args.o || args.nums == 1 || args.o == args.s || args.t == 1`, "false"},
		{`type(args) == map && type(args.list) == list && type(args.nul) == null_type && type(args.t) == bool`, "true"},
		{`args == args && args.list == args.list`, "true"},

		// Macros.
		{`args.nums.all(x, x > 0) && args.nums.exists(x, x == 2) && args.nums.exists_one(x, x == 2)`, "true"},
		{`args.nums.map(x, x * 2) == [2, 4, 6] && args.nums.filter(x, x > 1) == [2, 3] && args.nums.map(x, x > 1, x + 1) == [3, 4]`, "true"},
		{`args.o.exists(k, k == "x-y") && args.o.all(k, k != "") && args.o.map(k, k).size() == 2`, "true"},
		{`args.none.all(x, x.nope) && !args.none.exists(x, x.nope)`, "true"},
		{`args.nums.all(x, args.nums.all(y, x * y <= 9))`, "true"},
		{`args.n.all(x, true)`, errType.text},

		// Operators.
		{`args.t && !args.n.all(x, true)`, errType.text},
		{`args.t ? args.n == 100 : args.nope == 1`, "true"},
		{`args.n == 1 ? args.nope == 1 : true`, "true"},
		{`args.s || true`, errType.text},
		{`true && args.s`, errType.text},
		{`!args.s`, errType.text},
		{`args.s ? true : false`, errType.text},

		// Our functions.
		{`host(args.url) == "example.com" && emailDomain(args.to) == "example.com"`, "true"},
		{`host(args.to) == "" || true`, errRefused.text},
		{`emailDomain(args.s) != "x"`, errRefused.text},
		{`host(args.n) == ""`, errType.text},
		{`within(args.path, "/data")`, "true"},
		{`within(args.path, "/etc") || within(args.s, "/data")`, "false"},
		{`within(args.n, "/data")`, errType.text},
		{`inList("staff", user)`, "true"},
		{`inList("staff", args.to)`, "false"},
		{`inList("staff", args.n)`, errType.text},
		{`inList("staff", args.nope) || true`, errAbsent.text},
	} {
		assert.Equal(t, c.want, answer(t, compile(t, c.source), input(t, semanticsArgs)), c.source)
	}
}

// TestSemantics_Forms shows that a number reads the same whether it came as
// JSON or as any Go type.
func TestSemantics_Forms(t *testing.T) {
	for _, v := range []any{5, int8(5), uint64(5), 5.0, float32(5)} {
		in := &Input{Args: new(value.Tree)}
		require.Equal(t, value.OK, in.Args.SetGo(map[string]any{"x": v}, value.DefaultLimits))
		assert.Equal(t, "true", answer(t, compile(t, `args.x == 5 && type(args.x) == int`), in), "%T", v)
	}
	in := &Input{Args: new(value.Tree)}
	require.Equal(t, value.OK, in.Args.SetGo(map[string]any{
		"third": float32(0.1), "far": 1e18, "u": uint64(1 << 63), "shortest": float64(1 << 60),
	}, value.DefaultLimits))
	assert.Equal(t, "true", answer(t, compile(t, `args.third == 0.1`), in), "a float32 is the decimal that JSON has")
	assert.Equal(t, "true", answer(t, compile(t, `args.far == 1000000000000000000`), in))
	assert.Equal(t, "true", answer(t, compile(t, `args.u == 9223372036854775808u`), in))
	assert.Equal(t, "true", answer(t, compile(t, `args.shortest == 1152921504606847000`), in))
}

// TestAbsentVariables shows that what a call lacks cannot be read.
func TestAbsentVariables(t *testing.T) {
	for _, source := range []string{`project != "x"`, `session == ""`, `user == "" || true`, `"" + tool == ""`, `agent == ""`} {
		assert.Equal(t, errAbsent.text, answer(t, compile(t, source), new(Input)), source)
	}
	for _, source := range []string{`args == {}`, `context == {}`, `!has(args.x)`, `!has(context.x)`, `size(args) == 0`} {
		assert.Equal(t, "true", answer(t, compile(t, source), new(Input)), source)
		assert.Equal(t, "true", answer(t, compile(t, source), &Input{Args: new(value.Tree), Context: new(value.Tree)}), source)
	}
}

// TestValue shows the expression of a constraint, which sees less.
func TestValue(t *testing.T) {
	env := NewEnv(testOptions())
	c, err := env.Compile(`value > 10 && value <= args.limit`, Value)
	require.NoError(t, err)
	in := &Input{Args: tree(t, `{"limit": 50, "items": [{"price": 20}, {"price": 60}]}`)}
	items := in.Args.Member(value.Root, "items")
	first := in.Args.First(items)
	second := in.Args.Nodes[first].End
	in.Value = in.Args.Member(first, "price")
	assert.Equal(t, "true", answer(t, c, in))
	in.Value = in.Args.Member(second, "price")
	assert.Equal(t, "false", answer(t, c, in))
	in.Value = value.None
	assert.Equal(t, errAbsent.text, answer(t, c, in))
	for _, source := range []string{`tool == "x"`, `now > now`, `user == "x"`} {
		_, err := env.Compile(source, Value)
		assert.Error(t, err, source)
	}
	_, err = env.Compile(`value == 1`, When)
	assert.Error(t, err)
}

// A constant condition takes nothing of a decision's budget.
func TestConstantSpendsNothing(t *testing.T) {
	c, err := NewEnv(nil).Compile("1 < 2", When)
	require.NoError(t, err)
	var in Input
	ok, err := c.Eval(&in)
	require.NoError(t, err)
	require.True(t, ok)
	require.Zero(t, in.Spent())
}
