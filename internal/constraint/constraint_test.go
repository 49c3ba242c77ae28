package constraint

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// compileSet compiles the constraints of a JSON object.
func compileSet(t testing.TB, params map[string]rules.Constraint) *Set {
	t.Helper()
	lists := map[string]*List{"staff": NewList([]string{"ann", "Bob", "STRASSE"})}
	conditions := condition.NewEnv(nil)
	set, faults := Compile(params, &Env{
		List: func(name string) *List { return lists[name] },
		Expression: func(source string) (*condition.Condition, error) {
			return conditions.Compile(source, condition.Value)
		},
	})
	require.Empty(t, faults)
	return set
}

func eval(t testing.TB, set *Set, args string, soft bool) Result {
	t.Helper()
	var tree value.Tree
	require.Equal(t, value.OK, tree.SetGo(json.RawMessage(args), value.DefaultLimits), args)
	return set.Eval(&Scope{Args: &tree, Input: &condition.Input{Args: &tree}}, soft)
}

func text(s string) *string        { return &s }
func number(s string) *json.Number { n := json.Number(s); return &n }
func count(n int) *int             { return &n }
func boolean(b bool) *bool         { return &b }

func scalars(values ...any) []rules.Scalar {
	out := make([]rules.Scalar, len(values))
	for i, v := range values {
		out[i] = rules.Scalar{Value: v}
	}
	return out
}

// Each check, on what passes, what is of the right type and fails, and what
// is of the wrong type.
func TestChecks(t *testing.T) {
	for _, c := range []struct {
		name                 string
		constraint           rules.Constraint
		pass, violated, hard string // JSON values, one a line
	}{
		{"presence", rules.Constraint{}, "1\n\"\"\nfalse\n[]\n{}", "", "null"},
		{"nullable", rules.Constraint{Nullable: true, Min: number("5")}, "null\n5", "4", `"5"`},
		{"regex", rules.Constraint{Regex: text("b+")}, "\"abc\"\n\"b\"", "\"\"\n\"ac\"", "1\nnull\n[\"b\"]\n{\"b\":1}\ntrue"},
		{"notRegex", rules.Constraint{NotRegex: text("b")}, "\"\"\n\"ac\"", "\"abc\"", "1\n[\"a\"]"},
		{"match", rules.Constraint{Match: text("a|ab")}, "\"a\"\n\"ab\"", "\"abc\"\n\"xa\"\n\"a\\n\"\n\"A\"", "1"},
		{"match, any case", rules.Constraint{Match: text("kind"), IgnoreCase: true}, "\"KIND\"\n\"\\u212aind\"", "\"kinds\"", ""},
		{"string", rules.Constraint{Type: "string"}, "\"\"", "", "1\n[]\n{}\ntrue"},
		{"number", rules.Constraint{Type: "number"}, "1\n1.5\n-1e300", "", "\"1\"\ntrue"},
		{"integer", rules.Constraint{Type: "integer"}, "1\n1.0\n1e2\n-0\n120e-1\n99999999999999999999", "", "1.5\n1e-1\n\"1\""},
		{"boolean", rules.Constraint{Type: "boolean"}, "true\nfalse", "", "\"true\"\n1"},
		{"array", rules.Constraint{Type: "array"}, "[]\n[1]", "", "{}\n\"[]\""},
		{"object", rules.Constraint{Type: "object"}, "{}\n{\"a\":1}", "", "[]"},
		{"enum of strings", rules.Constraint{Enum: scalars("a", "b")}, "\"a\"", "\"c\"\n\"A\"\n\"\"", "1\ntrue\n[\"a\"]"},
		{"enum, any case", rules.Constraint{Enum: scalars("Kind"), IgnoreCase: true}, "\"kIND\"\n\"\\u212aind\"", "\"kin\"", ""},
		{"enum of numbers", rules.Constraint{Enum: scalars(json.Number("100"), json.Number("0"))}, "100\n1e2\n100.0\n-0\n0.0", "99\n100.0000001", "\"100\""},
		{"enum, mixed", rules.Constraint{Enum: scalars("1", json.Number("2"), true)}, "\"1\"\n2\ntrue", "1\n\"2\"\nfalse", "[]\n{}"},
		{"notEnum", rules.Constraint{NotEnum: scalars("root")}, "\"ann\"\n\"Root\"", "\"root\"", "1\n[\"root\"]\n{}"},
		{"inList", rules.Constraint{InList: "staff"}, "\"ann\"", "\"Ann\"\n\"eve\"", "1\n[\"ann\"]"},
		{"inList, any case", rules.Constraint{InList: "staff", IgnoreCase: true}, "\"ANN\"\n\"bob\"\n\"stra\\u017fse\"", "\"eve\"\n\"stra\\u00dfe\"", ""},
		{"notInList", rules.Constraint{NotInList: "staff", IgnoreCase: true}, "\"eve\"", "\"ANN\"", "1"},
		{"min", rules.Constraint{Min: number("1.5")}, "1.5\n15e-1\n2", "1.4999999999999999999999", "\"2\"\n[2]"},
		{"max", rules.Constraint{Max: number("9007199254740992")}, "9007199254740992\n-5", "9007199254740993\n9007199254740992.1", "true"},
		{"greaterThan", rules.Constraint{GreaterThan: number("0")}, "1\n1e-300", "0\n-0\n0.0\n-1", ""},
		{"lessThan", rules.Constraint{LessThan: number("0.1")}, "0.09", "0.1\n1e-1", ""},
		{"minLength", rules.Constraint{MinLength: count(2)}, "\"ab\"\n\"\\u00e9\\u00e9\"", "\"\\u00e9\"\n\"\"", "12"},
		{"maxLength", rules.Constraint{MaxLength: count(2)}, "\"\"\n\"\\ud83d\\ude00\\ud83d\\ude00\"", "\"abc\"", "[]"},
		{"items", rules.Constraint{MinItems: count(1), MaxItems: count(2)}, "[1]\n[1,2]", "[]\n[1,2,3]", "\"ab\"\n{\"a\":1}"},
		{"mustBe", rules.Constraint{MustBe: boolean(false)}, "false", "true", "\"false\"\n0"},
		{"within", rules.Constraint{Within: []string{"/srv"}}, "\"/srv/a\"", "\"/srva\"", "1"},
		{"hosts", rules.Constraint{Hosts: []string{"*.example.com"}}, "\"https://a.example.com/x\"", "\"https://example.com\"", "{}"},
		{"no query", rules.Constraint{Hosts: []string{"example.com"}, NoQuery: true}, "\"http://example.com/\"", "\"http://example.com/?a\"\n\"http://example.com/#a\"", ""},
		{"scheme assumed", rules.Constraint{Hosts: []string{"https://example.com"}, AssumeScheme: "https"}, "\"example.com/x\"\n\"https://example.com\"", "\"http://example.com\"\n\"//example.com\"\n\"example.com//x\"\n\"example.com/?u=http://x\"\n\"javascript:x\"", ""},
		{"emailDomains", rules.Constraint{EmailDomains: []string{"example.com", "*.example.org"}}, "\"a@example.com\"\n\"a@B.EXAMPLE.ORG\"", "\"a@example.org\"\n\"a@b@example.com\"\n\"a@example.com.\"", "1"},
		{"expression", rules.Constraint{Expression: "value > 3 && value < 5.5"}, "4", "2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := compileSet(t, map[string]rules.Constraint{"p": c.constraint})
			for want, values := range map[Verdict]string{Pass: c.pass, Violated: c.violated, Hard: c.hard} {
				if values == "" {
					continue
				}
				for v := range strings.SplitSeq(values, "\n") {
					for _, soft := range []bool{false, true} {
						require.Equal(t, want, eval(t, set, `{"p":`+v+`}`, soft).Verdict, v)
					}
				}
			}
			require.Equal(t, Result{Hard, "p"}, eval(t, set, `{}`, false))
			require.Equal(t, Result{Hard, "p"}, eval(t, set, `null`, false))
			require.Equal(t, Result{Hard, "p"}, eval(t, set, `{"P":1,"q":2}`, false))
		})
	}
}

// What a name selects, and what absent and mismatched mean on the way.
func TestPointers(t *testing.T) {
	for _, c := range []struct {
		name, args string
		optional   bool
		want       Verdict
	}{
		{"/a/b", `{"a":{"b":"x"}}`, false, Pass},
		{"/a/b", `{"a":{"b":"y"}}`, false, Violated},
		{"/a/b", `{"a":{}}`, false, Hard},
		{"/a/b", `{"a":{}}`, true, Pass},
		{"/a/b", `{}`, true, Pass},
		{"/a/b", `null`, true, Pass},
		{"/a/b", `{"a":"b"}`, true, Hard},
		{"/a/b", `{"a":null}`, true, Hard},
		{"/a/b", `{"a":[1]}`, true, Hard},
		{"/a/0", `{"a":["x"]}`, false, Pass},
		{"/a/1", `{"a":["x"]}`, true, Hard},
		{"/a/-", `{"a":["x"]}`, true, Hard},
		{"/a/00", `{"a":["x"]}`, true, Hard},
		{"/a/0", `{"a":{"0":"x"}}`, false, Pass},
		{"/a/*", `{"a":["x","x"]}`, false, Pass},
		{"/a/*", `{"a":["x","y"]}`, false, Violated},
		{"/a/*", `{"a":["y",1]}`, false, Hard},
		{"/a/*", `{"a":[]}`, false, Hard},
		{"/a/*", `{"a":[]}`, true, Pass},
		{"/a/*", `{"a":{"k":"x"}}`, false, Pass},
		{"/a/*", `{"a":{}}`, true, Pass},
		{"/a/*", `{"a":"x"}`, true, Hard},
		{"/a/*/b", `{"a":[{"b":"x"},{"c":1}]}`, false, Hard},
		{"/a/*/b", `{"a":[{"b":"x"},{"c":1}]}`, true, Pass},
		{"/a/*/b", `{"a":[{"b":"x"},"x"]}`, true, Hard},
		{"/*", `{"a":"x","b":"x"}`, false, Pass},
		{"/*", `{"a":"x","b":"y"}`, false, Violated},
		{"/a~1b", `{"a/b":"x"}`, false, Pass},
		{"/m~0n", `{"m~n":"x"}`, false, Pass},
		{"/~01", `{"~1":"x"}`, false, Pass},
		{"/", `{"":"x"}`, false, Pass},
		{"a/b", `{"a/b":"x"}`, false, Pass},
		{"a.b", `{"a":{"b":"x"}}`, false, Hard},
	} {
		set := compileSet(t, map[string]rules.Constraint{c.name: {Enum: scalars("x"), Optional: c.optional}})
		got := eval(t, set, c.args, false).Verdict
		if c.args == `{"a":["y",1]}` { // the first that fails is enough
			got = eval(t, set, c.args, true).Verdict
		}
		require.Equal(t, c.want, got, "%s on %s", c.name, c.args)
	}
}

// The first parameter by name is reported; where a violation could be put to
// a human, one that cannot counts before it.
func TestOrderOfParameters(t *testing.T) {
	set := compileSet(t, map[string]rules.Constraint{"a": {Max: number("1")}, "b": {Max: number("1")}, "c": {Max: number("1")}})
	require.Equal(t, Result{Violated, "a"}, eval(t, set, `{"a":2,"b":2,"c":"x"}`, false))
	require.Equal(t, Result{Hard, "c"}, eval(t, set, `{"a":2,"b":2,"c":"x"}`, true))
	require.Equal(t, Result{Violated, "a"}, eval(t, set, `{"a":2,"b":2,"c":1}`, true))
	require.Equal(t, []string{"a", "b", "c"}, set.Names())
	require.Equal(t, []string{"x", "p"}, compileSet(t, map[string]rules.Constraint{"/x/*": {}, "p": {}, "/*/y": {}}).Names())
}

func TestContradictions(t *testing.T) {
	for _, c := range []rules.Constraint{
		{Regex: text("a"), Min: number("1")}, {Type: "array", MinLength: count(1)}, {MustBe: boolean(true), Enum: scalars("x")},
	} {
		_, faults := Compile(map[string]rules.Constraint{"p": c}, &Env{})
		require.NotEmpty(t, faults)
		require.Contains(t, faults[0].Path, "parameters.p.")
	}
}

func TestListReplace(t *testing.T) {
	l := NewList([]string{"a"})
	require.True(t, l.Contains("a"))
	values := []string{"b"}
	l.Replace(values)
	values[0] = "c"
	require.True(t, l.Contains("b"))
	require.False(t, l.Contains("a"))
	require.False(t, l.Contains("c"))
	l.Replace(nil)
	require.False(t, l.ContainsFold("b"))
}

// Regular expressions have a bound on a match and one on the decision.
func TestRegexWork(t *testing.T) {
	set := compileSet(t, map[string]rules.Constraint{"p": {Regex: text("(a{1,30}){1,20}b")}})
	require.Equal(t, Violated, eval(t, set, `{"p":"`+strings.Repeat("a", 2000)+`b"}`, false).Verdict)
	require.Equal(t, Pass, eval(t, set, `{"p":"aab"}`, false).Verdict)
	not := compileSet(t, map[string]rules.Constraint{"p": {NotRegex: text("(a{1,30}){1,20}b")}})
	require.Equal(t, Violated, eval(t, not, `{"p":"`+strings.Repeat("x", 2000)+`"}`, false).Verdict)
	every := compileSet(t, map[string]rules.Constraint{"/p/*": {NotRegex: text("(a{1,10}){1,20}b")}})
	args := `{"p":["` + strings.Repeat("x", 1000) + strings.Repeat(`","`+strings.Repeat("x", 1000), 30) + `"]}`
	require.Equal(t, Failed, eval(t, every, args, false).Verdict)
}

// An expression is asked about every value that the name selects, and sees all
// parameters beside it.
func TestExpressionSeesEveryElement(t *testing.T) {
	conditions := condition.NewEnv(nil)
	set, faults := Compile(map[string]rules.Constraint{"/n/*": {Expression: "value < args.max"}}, &Env{
		Expression: func(s string) (*condition.Condition, error) { return conditions.Compile(s, condition.Value) },
	})
	require.Empty(t, faults)
	require.True(t, set.Expressions)
	require.Equal(t, Pass, eval(t, set, `{"n":[1,2],"max":3}`, false).Verdict)
	require.Equal(t, Violated, eval(t, set, `{"n":[1,3],"max":3}`, false).Verdict)
	require.Equal(t, Failed, eval(t, set, `{"n":[1,3]}`, true).Verdict)
	_, faults = Compile(map[string]rules.Constraint{"n": {Expression: "value +"}}, &Env{
		Expression: func(s string) (*condition.Condition, error) { return conditions.Compile(s, condition.Value) },
	})
	require.Len(t, faults, 1)
	require.Equal(t, "parameters.n.expression", faults[0].Path)
	_, faults = Compile(map[string]rules.Constraint{"n": {Expression: "value > 1"}}, &Env{})
	require.Len(t, faults, 1)
}
