package condition

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSyntaxError is what the author of a policy gets to see.
func TestSyntaxError(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`arg.amount > 1`, `
1:1: undeclared reference to 'arg' (did you mean 'args'?)
  arg.amount > 1
  ^`},
		{`args.to.endWith("x")`, `
1:16: undeclared reference to 'endWith' (did you mean 'endsWith'?)
  args.to.endWith("x")
                 ^`},
		{`args.approved`, `
1:5: a condition is true or false, and this may be anything: compare it, as in args.x == true
  args.approved
      ^`},
		{`size(tool)`, `
1:5: a condition is true or false, and this is of type int
  size(tool)
      ^`},
		{"args.a == 1 &&\n\ttool + 1 == \"x\"", `
2:7: found no matching overload for '+' applied to '(string, int)'
  	tool + 1 == "x"
  	     ^`},
		{`args.a ==`, `
1:10: syntax error: the condition ends too early
  args.a ==
           ^`},
		{`tool.matches("(")`, "\n1:14: error parsing regexp: missing closing ): `(`\n  tool.matches(\"(\")\n               ^"},
		{`tool.matches(args.p)`, `
1:18: the pattern of matches must be a string literal
  tool.matches(args.p)
                   ^`},
		{`now.getHours("Mars/Phobos") == 1`, `
1:14: "Mars/Phobos" is neither an IANA time zone nor an offset
  now.getHours("Mars/Phobos") == 1
               ^`},
		{`now.getHours("Local") == 1`, `
1:14: "Local" is neither an IANA time zone nor an offset
  now.getHours("Local") == 1
               ^`},
		{`now.getHours("+24:00") == 1`, `
1:14: "+24:00" is neither an IANA time zone nor an offset
  now.getHours("+24:00") == 1
               ^`},
		{`inList("stuff", user)`, `
1:8: there is no list "stuff"
  inList("stuff", user)
         ^`},
		{`inList(tool, user)`, `
1:8: the name of a list must be a string literal
  inList(tool, user)
         ^`},
		{`args.xs.all(args, args == 1)`, `
1:12: args is a variable already; give that of the loop another name
  args.xs.all(args, args == 1)
             ^`},
		{`google.protobuf.Struct{} == args`, `
1:23: messages cannot be made
  google.protobuf.Struct{} == args
                        ^`},
		{`1 / 0 == 1`, `
1:3: the condition always fails: it overflows or divides by zero
  1 / 0 == 1
    ^`},
		{`int("x") == 1`, `
1:4: type conversion error from 'string' to 'int'
  int("x") == 1
     ^`},
		{`foo && bar && tool.baz()`, `
1:1: undeclared reference to 'foo' (and 2 more)
  foo && bar && tool.baz()
  ^`},
		{`"` + strings.Repeat("é", 100) + `" == foo`, `
1:107: undeclared reference to 'foo'
  ` + strings.Repeat("é", 35) + `" == foo
  ` + strings.Repeat(" ", 40) + `^`},
	} {
		_, err := NewEnv(testOptions()).Compile(c.source, When)
		require.Error(t, err, c.source)
		assert.Equal(t, strings.TrimPrefix(c.want, "\n"), err.Error(), c.source)
		var se *SyntaxError
		assert.ErrorAs(t, err, &se)
	}
}

// TestSyntaxErrorOfAnotherKind says what to write in the place of a variable
// that only other conditions have.
func TestSyntaxErrorOfAnotherKind(t *testing.T) {
	for _, c := range []struct {
		source string
		kind   Kind
		want   string
	}{
		{`now < timestamp("2025-01-01T00:00:00Z")`, Earlier, `
1:1: now is not the time of the earlier call, and cannot be read here: say with withinSeconds how long ago the call may be
  now < timestamp("2025-01-01T00:00:00Z")
  ^`},
		{`args.x == 1 && now.getHours() == 1`, Value, `
1:16: now cannot be read in an expression, which is about value and args: say it in the when of the rule
  args.x == 1 && now.getHours() == 1
                 ^`},
		{`value > 1 && user == "tom"`, Value, `
1:14: user cannot be read in an expression, which is about value and args: say it in the when of the rule
  value > 1 && user == "tom"
               ^`},
		{`value > 1`, When, `
1:1: value is what the expression of a constraint is about, and cannot be read here: read args
  value > 1
  ^`},
		{`value > 1`, Earlier, `
1:1: value is what the expression of a constraint is about, and cannot be read here: read args
  value > 1
  ^`},
		{`tols == "x"`, Value, "1:1: undeclared reference to 'tols'\n  tols == \"x\"\n  ^"},
	} {
		_, err := NewEnv(testOptions()).Compile(c.source, c.kind)
		require.EqualError(t, err, strings.TrimPrefix(c.want, "\n"))
	}
}

// TestCompile_Whole are the errors that have no place in the text.
func TestCompile_Whole(t *testing.T) {
	env := NewEnv(nil)
	pad := func(n int) string { return "true" + strings.Repeat(" ", n-len("true")) }
	_, err := env.Compile(pad(MaxSource), When)
	assert.NoError(t, err)
	for source, want := range map[string]string{
		"":                   "the condition is empty",
		" \n ":               "the condition is empty",
		pad(MaxSource + 1):   "the condition is longer than 4096 bytes",
		"tool == \"\xff\"":   "the condition is not valid UTF-8",
		`host(tool) == "x"`:  "1:5: host is not available here\n  host(tool) == \"x\"\n      ^",
		`inList("a", tool)`:  "1:7: inList is not available here\n  inList(\"a\", tool)\n        ^",
		`within(tool, "/a")`: "1:7: within is not available here\n  within(tool, \"/a\")\n        ^",
		`emailDomain(tool) == "x"`: "1:12: emailDomain is not available here\n" +
			"  emailDomain(tool) == \"x\"\n             ^",
	} {
		_, err := env.Compile(source, When)
		assert.EqualError(t, err, want)
	}
}

// TestEvalError shows where an evaluation failed, and that its error quotes
// nothing of the call.
func TestEvalError(t *testing.T) {
	in := input(t, `{"secret": "hunter2", "xs": ["hunter2"]}`)
	for source, want := range map[string]string{
		"tool == \"x\" ||\n  args.nope == 1":       "2:7: the condition reads a value that is absent",
		`args.secret > 1`:                          "1:13: the condition uses a value of the wrong type",
		`{"a": 1}[args.secret] == 1`:               "1:9: the condition reads a value that is absent",
		`int(args.secret) == 1`:                    "1:4: the condition uses a value of the wrong type",
		`timestamp(args.secret) == now`:            "1:10: the condition cannot be evaluated",
		`args[args.secret] == 1`:                   "1:5: the condition reads a value that is absent",
		`args.xs.exists(x, x > 1)`:                 "1:21: the condition uses a value of the wrong type",
		`host(args.secret) == ""`:                  "1:5: the condition reads a URL or address that is not well formed",
		`args.secret.charAt(99) == "x"`:            "1:19: the condition has an index or number out of range",
		`args.xs.join(args.secret) + 1 == "x" + 1`: "",
	} {
		c, err := NewEnv(testOptions()).Compile(source, When)
		if want == "" {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err, source)
		_, err = c.Eval(in)
		require.Error(t, err, source)
		assert.NotContains(t, err.Error(), "hunter2")
		assert.Equal(t, want, err.Error(), source)
	}
	assert.Equal(t, "the condition takes more than it may", (&EvalError{Reason: errBudget.text}).Error())
	assert.False(t, errors.Is(errBudget, errAbsent))
}
