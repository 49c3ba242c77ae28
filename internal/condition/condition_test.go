package condition

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
)

func TestEqualSourcesShareOneCondition(t *testing.T) {
	env := NewEnv(nil)
	a, err := env.Compile(`args == {}`, When)
	require.NoError(t, err)
	b, err := env.Compile(`args == {}`, When)
	require.NoError(t, err)
	v, err := env.Compile(`args == {}`, Value)
	require.NoError(t, err)
	assert.Same(t, a, b)
	assert.NotSame(t, a, v)
}

func TestConstant(t *testing.T) {
	for source, want := range map[string]string{
		`1 < 2`:                                   "true",
		`true || args.x == 1`:                     "true",
		`false && args.x == 1`:                    "false",
		`!(true || args.x == 1)`:                  "false",
		`[1, 2].all(x, x > 1)`:                    "false",
		`"a".matches("^a$")`:                      "true",
		`args.x == 1 || true`:                     "",
		`args == args`:                            "",
		`now == now`:                              "",
		`tool == "x"`:                             "",
		`inList("staff", "ann")`:                  "",
		`[1].exists(x, x == size(context))`:       "",
		`within("/a/b", "/a")`:                    "true",
		`timestamp("2024-01-01T00:00:00Z") < now`: "",
	} {
		got := ""
		if v, ok := compile(t, source).Constant(); ok {
			got = map[bool]string{true: "true", false: "false"}[v]
		}
		assert.Equal(t, want, got, source)
	}
}

func TestReadsArgs(t *testing.T) {
	for source, want := range map[string][]string{
		`tool == "x"`:                                         nil,
		`args.b == 1 && args.a.x == args.b`:                   {"a", "b"},
		`args["x"] == 1 && has(args.y) && args.z[0] == 1`:     {"x", "y", "z"},
		`args[tool] == 1`:                                     {"*"},
		`args.all(k, k != "")`:                                {"*"},
		`"x" in args`:                                         {"*"},
		`args.xs.all(x, x.y == args.z && args.o[args.k] > 1)`: {"k", "o", "xs", "z"},
		`[args.a, {"k": args.b}].size() == 2`:                 {"a", "b"},
		`context.x == 1`:                                      nil,
	} {
		assert.Equal(t, want, compile(t, source).ReadsArgs(), source)
	}
}

// TestLists shows that a list may change under a condition that is compiled.
func TestLists(t *testing.T) {
	var staff atomic.Pointer[map[string]bool]
	staff.Store(&map[string]bool{})
	env := NewEnv(&EnvOptions{Lists: func(name string) (func(string) bool, bool) {
		return func(v string) bool { return (*staff.Load())[v] }, name == "staff"
	}})
	c, err := env.Compile(`inList("staff", user)`, When)
	require.NoError(t, err)
	in := &Input{User: "ann"}
	assert.Equal(t, "false", answer(t, c, in))
	staff.Store(&map[string]bool{"ann": true})
	assert.Equal(t, "true", answer(t, c, in))
}

// TestInputIsReusable evaluates different conditions on different calls with
// one Input: nothing of the one is seen by the other.
func TestInputIsReusable(t *testing.T) {
	in := new(Input)
	sum := compile(t, `args.xs.map(x, x.v).exists(v, v == args.want)`)
	empty := compile(t, `args == {}`)
	heavy := compile(t, `args.xs.all(x, args.xs.all(y, args.xs.all(z, args.xs.all(w, true))))`)
	for range 3 {
		in.Args = tree(t, `{"xs": [{"v": 1}, {"v": 2}], "want": 2}`)
		assert.Equal(t, "true", answer(t, sum, in))
		in.Args = tree(t, `{"xs": [{"v": 1}, {"v": 3}], "want": 2}`)
		assert.Equal(t, "false", answer(t, sum, in))
		in.Args = nil
		assert.Equal(t, "true", answer(t, empty, in))
		in.Args = bombInput(t).Args
		assert.Equal(t, errAbsent.text, answer(t, heavy, in))
	}
}

// TestMapOrder shows that a loop over a Go map, which has no order, has one
// answer: key "a" fails before key "b" decides.
func TestMapOrder(t *testing.T) {
	in := &Input{Args: new(value.Tree)}
	for range 50 {
		o := map[string]any{"a": "x", "b": 5, "c": 1, "d": 2}
		require.Equal(t, value.OK, in.Args.SetGo(map[string]any{"o": o}, value.DefaultLimits))
		assert.Equal(t, errType.text, answer(t, compile(t, `args.o.exists(k, args.o[k] > 3)`), in))
		assert.Equal(t, "true", answer(t, compile(t, `args.o.map(k, k) == ["a", "b", "c", "d"]`), in))
	}
}

// TestBudgetIsPerEvaluation spends most of a budget, again and again.
func TestBudgetIsPerEvaluation(t *testing.T) {
	in := bombInput(t)
	c := compile(t, `args.ints.all(x, x + 1 + 1 + 1 + 1 > x)`)
	for range 20 {
		assert.Equal(t, "true", answer(t, c, in))
		assert.Greater(t, in.Spent(), Budget/10)
	}
}

// TestConcurrency runs one condition, in its successes and its failures, from
// many goroutines at once: under the race detector.
func TestConcurrency(t *testing.T) {
	env := NewEnv(testOptions())
	type job struct {
		c    *Condition
		want string
	}
	var jobs []job
	for source, want := range map[string]string{
		`args.nums.all(x, x > 0) && args.o.k == "v"`:              "true",
		`args.n + "x" == "x"`:                                     errType.text,
		`now + duration(args.long) > now`:                         errArithmetic.text,
		`args.nope == 1`:                                          errAbsent.text,
		`args.n < args.s`:                                         errType.text,
		`-args.s == 1`:                                            errType.text,
		`args.s.matches("^h") && inList("staff", user)`:           "true",
		`args.nums.map(x, {"v": x}).filter(m, m.v > 1).size()==2`: "true",
	} {
		c, err := env.Compile(source, When)
		require.NoError(t, err, source)
		jobs = append(jobs, job{c, want})
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			in := input(t, `{"n": 1, "s": "hello", "nums": [1, 2, 3], "o": {"k": "v"}, "long": "2500000h"}`)
			in.Now = now.AddDate(7900, 0, 0)
			for range 50 {
				for _, j := range jobs {
					assert.Equal(t, j.want, answer(t, j.c, in))
				}
			}
		})
		wg.Go(func() {
			_, err := env.Compile(`args.n == 1 || args.s == "x"`, When)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
}

// TestAttack_G8_PanicInFunction shows that a panic outside is a failure like
// any other.
func TestAttack_G8_PanicInFunction(t *testing.T) {
	opts := testOptions()
	opts.Host = func(string) (string, bool) { panic("boom") }
	c, err := NewEnv(opts).Compile(`host(tool) == "x" || true`, When)
	require.NoError(t, err)
	for range 3 {
		assert.Equal(t, errOther.text, answer(t, c, input(t, `{}`)))
	}
	assert.Equal(t, "true", answer(t, compile(t, `tool != ""`), input(t, `{}`)))
}

// TestAllocs pins what an evaluation allocates: a string that is read, and
// nothing else.
func TestAllocs(t *testing.T) {
	if slow > 1 {
		t.Skip("allocates more under the race detector")
	}
	in := input(t, `{"n": 100, "s": "hello", "o": {"k": 1}, "xs": ["a", "b"]}`)
	for source, want := range map[string]float64{
		`args.n > 10 && args.o.k == 1 && has(args.o)`:          0,
		`args.s == "hello"`:                                    1,
		`tool.startsWith("mail.") && args.s in ["hello", "x"]`: 2,
		`args.s.matches("^[a-z]+$")`:                           1,
	} {
		c := compile(t, source)
		require.Equal(t, "true", answer(t, c, in), source)
		assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = c.Eval(in) }), want, source)
	}
}

// FuzzCompile compiles anything and evaluates what compiles.
func FuzzCompile(f *testing.F) {
	for _, s := range bombs {
		f.Add(s)
	}
	for _, s := range []string{`args.x == 1`, `{"a": [1, 2u, 3.0, b"x", null]}.a.exists(x, x == args.x)`, `now.getHours("UTC") > 1`} {
		f.Add(s)
	}
	env, in := NewEnv(testOptions()), bombInput(f)
	f.Fuzz(func(t *testing.T, source string) {
		start := time.Now()
		c, err := env.compile(source, When)
		require.Less(t, time.Since(start), slow*maxCompile)
		if err == nil {
			_, _ = c.Eval(in)
			_ = c.ReadsArgs()
		} else {
			_ = err.Error()
		}
	})
}

// FuzzEval evaluates fixed conditions on any parameters: twice, with one
// answer.
func FuzzEval(f *testing.F) {
	f.Add([]byte(semanticsArgs))
	f.Add([]byte(`{"a": {"b": [1, 1.0, 1e0, "1", null, true]}, "x": -0, "y": 1e400}`))
	var conditions []*Condition
	for _, s := range []string{
		`args == args`, `args.a == args.b`, `args.a < args.b`, `args.a in args.b`, `args.exists(k, args[k] == args.a)`,
		`args.a.b.all(x, args.a.b.exists(y, x == y))`, `args.a + args.b == args.c`, `string(args.a) == args.b`,
		`int(args.a) == 1 || double(args.a) > 1.0`, `size(args.a) > 1`, `args.a.matches("(a|b)*c")`, `args.a[args.b] == 1`,
	} {
		conditions = append(conditions, compile(f, s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		args := new(value.Tree)
		if p, _ := args.SetJSON(data, value.DefaultLimits); p != value.OK || args.Nodes[0].Kind != value.Object {
			t.Skip()
		}
		in := &Input{Args: args}
		for _, c := range conditions {
			first, err := c.Eval(in)
			again, err2 := c.Eval(in)
			require.Equal(t, first, again)
			require.Equal(t, err, err2)
		}
	})
}
