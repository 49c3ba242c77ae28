package condition

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
)

// What an evaluation may take, whatever the expression and the input.
const (
	maxTime  = 5 * time.Millisecond
	maxAlloc = 4 << 20

	// maxCompile is generous: the parser is what it is.
	maxCompile = 3 * time.Second
)

// bombArgs is as much as the bounds let pass, in every shape that hurts.
func bombArgs() map[string]any {
	long := strings.Repeat("a", MaxString)
	list := func(n int, f func(i int) any) []any {
		l := make([]any, n)
		for i := range l {
			l[i] = f(i)
		}
		return l
	}
	dict := func(n int, v any) map[string]any {
		m := make(map[string]any, n)
		for i := range n {
			m[fmt.Sprint("key", i)] = v
		}
		return m
	}
	return map[string]any{
		"s": long, "s2": strings.Repeat("a", MaxString-1) + "b", "k": strings.Repeat("k", 64),
		"wide": strings.Repeat("\u00e9", MaxString/2),
		"w480": strings.Repeat("\u00e9", 240), "w100": strings.Repeat("\u00e9", 50),
		"a100":   strings.Repeat("a", 100),
		"digits": strings.Repeat("9", MaxString), "half": "0." + strings.Repeat("4", MaxString-2),
		"over":  strings.Repeat("a", MaxString+1),
		"ints":  list(MaxList, func(i int) any { return i }),
		"big":   list(MaxList, func(i int) any { return 1<<40 + i }),
		"texts": list(MaxList, func(i int) any { return fmt.Sprint("value ", i) }),
		"longs": list(16, func(i int) any { return long[:MaxString-1] + string(rune('a'+i)) }),
		"more":  list(MaxList+1, func(i int) any { return i }),
		"lists": list(30, func(i int) any { return list(100, func(j int) any { return i * j }) }),
		"dicts": list(100, func(i int) any { return dict(20, i) }),
		"dict":  dict(MaxList, "v"), "huge": dict(MaxList+1, 1),
		"nums": list(100, func(i int) any { return 0.1 + float64(i) }),
	}
}

// bombs are expressions that are known to take long, or much memory, in CEL
// or in what it is made of. Each is refused or stays within bounds.
var bombs = []string{
	// Loops within loops, and what they build.
	`args.ints.all(x, true)`,
	`args.ints.all(x, args.ints.all(y, true))`,
	`args.ints.all(x, args.ints.all(y, args.ints.all(z, x + y + z >= 0)))`,
	`args.ints.all(a, args.ints.all(b, args.ints.all(c, args.ints.all(d, args.ints.all(e, true)))))`,
	`args.ints.map(x, args.ints.map(y, x * y)).size() > 0`,
	`args.ints.map(x, args.ints).size() > 0`,
	`args.ints.map(x, [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x]).size() > 0`,
	`args.ints.map(x, {"a": x, "b": x, "c": x, "d": x, "e": x, "f": x}).size() > 0`,
	`args.ints.map(x, {x: {x: {x: x}}}).size() > 0`,
	`args.ints.filter(x, args.ints.exists(y, y == x)).size() > 0`,
	`args.ints.exists(x, args.ints[x] == 1000)`,
	`args.big.map(x, x + 1).map(x, x + 1).map(x, x + 1).map(x, x + 1).map(x, x + 1).size() > 0`,
	`args.ints.exists_one(x, args.texts.exists_one(y, y == string(x)))`,
	`args.dict.all(k, args.dict[k] == "v")`,
	`args.dict.map(k, args.dict.map(l, k + l)).size() > 0`,
	`args.huge.all(k, true)`,
	`args.lists.all(l, l.all(x, l.all(y, x >= 0)))`,
	`args.dicts.map(d, d.map(k, d[k])).size() > 0`,
	// Sharing makes small values that are large to walk.
	`[[1]].map(a,[a,a,a,a,a,a,a,a]).map(a,[a,a,a,a,a,a,a,a]).map(a,[a,a,a,a,a,a,a,a]).map(a,[a,a,a,a,a,a,a,a]) == [[1]].map(a,[a,a,a,a,a,a,a,a]).map(a,[a,a,a,a,a,a,a,a]).map(a,[a,a,a,a,a,a,a,a]).map(a,[a,a,a,a,a,a,a,a])`,
	`args.ints.map(x, args) == args.ints.map(x, args)`,
	`args.ints.map(x, args.ints) in [args.ints.map(x, args.ints)]`,
	`args.ints.map(x, args.dict) == args.ints.map(x, args.dict)`,
	`args == args && args == args && args == args && args == args`,
	`args in [context, context, args]`,
	`args.ints.all(x, args == args)`,
	`args.ints.all(x, x in args.ints)`,
	`args.ints.all(x, string(x) in args.texts)`,
	`args.ints.all(x, args.dicts != args.lists)`,
	`(args.ints + args.ints).size() > 0`,
	`args.ints.map(x, [x] + [x] + [x] + [x] + [x] + [x] + [x] + [x] + [x]).size() > 0`,
	chain(`[1]`, "+", 400) + `.all(x, x == 1)`,
	// Strings.
	`args.s.indexOf(args.s2) < 0 && args.s.lastIndexOf(args.s2) < 0`,
	`args.ints.all(x, args.s.indexOf(args.s2) < 0)`,
	`args.ints.all(x, args.wide.indexOf("z") < 0)`,
	`args.ints.all(x, args.wide.lastIndexOf("b" + args.a100) < 0)`,
	`args.ints.all(x, args.s.contains(args.s2))`,
	`args.ints.all(x, !args.s.contains(args.a100 + "b"))`,
	`args.ints.all(x, args.s == args.s2)`,
	`args.ints.all(x, args.s <= args.s2)`,
	`args.ints.all(x, size(args.wide) > 0)`,
	`args.ints.all(x, args.s.lowerAscii() == args.s.upperAscii())`,
	`args.ints.all(x, args.wide.reverse() != "")`,
	`args.ints.all(x, args.wide.charAt(2047) != "")`,
	`args.ints.all(x, args.wide.substring(x) != "")`,
	`args.s.replace("a", args.s) != ""`,
	`args.s.replace("", args.s) != ""`,
	`args.ints.all(x, args.s.replace("a", "b") != "")`,
	`args.s.split("").size() > 0`,
	`args.ints.all(x, args.s.split("", 999).size() > 0)`,
	`args.texts.join(args.s) != ""`,
	`args.ints.all(x, args.texts.map(t, "abc").join() != "")`,
	`args.ints.map(x, args.s + string(x)).size() > 0`,
	`args.ints.map(x, args.a100 + args.a100 + args.a100 + args.a100 + string(x)).size() > 0`,
	`[args.s].map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).size() > 0`,
	`["x"].map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).map(a, a+a).size() > 0`,
	`args.ints.all(x, bytes(args.s) + bytes("b") != b"")`,
	`args.ints.all(x, string(bytes(args.s)) != "")`,
	`args.over == "" || true`,
	`args.more.all(x, true)`,
	// Conversions.
	`args.ints.all(x, double(args.digits) > 1.0)`,
	`args.ints.all(x, double(args.half) < 1.0)`,
	`args.ints.all(x, int(args.digits) > 1)`,
	`args.nums.map(x, string(x * 1.1e-300)).size() > 0`,
	`args.ints.all(x, string(now + duration(string(x) + "s")) != "")`,
	`args.ints.all(x, timestamp("2020-01-01T00:00:00Z") < now)`,
	`args.ints.all(x, timestamp("2020-01-" + "01T00:00:00Z") < now)`,
	`args.ints.all(x, duration("1h" + "1ns") < duration("2h"))`,
	`args.ints.all(x, now.getHours("America/Argentina/ComodRivadavia") >= 0)`,
	`args.ints.all(x, now.getHours(args.k) >= 0)`,
	`args.ints.all(x, type(args) == map)`,
	`args.ints.all(x, dyn(x) == dyn(x) && dyn(x) != dyn(args.ints))`,
	// Keys.
	`args.ints.all(x, !(args.s in args.dict))`,
	`args.longs.map(s, args.longs.map(l, {s: l, l + "": s})).size() > 0`,
	`args.ints.all(x, {args.s: 1}[args.s] == 1)`,
	`args.ints.all(x, args.dict["key999"] == "v")`,
	// Regular expressions.
	`args.s.matches("(a*)*b")`,
	`args.a100.matches("(a?){50}a{50}$")`,
	`args.a100.matches("(x+x+)+y")`,
	`args.ints.all(x, args.a100.matches("(a|aa)+$"))`,
	`args.ints.all(x, args.a100.matches("(.*)(.*)(.*)(.*)(.*)[^a]"))`,
	`args.a100.matches("(a{1,30}){1,30}$")`,
	`args.a100.matches("(((a{10}){10}){10}){10}")`,
	`args.a100.matches("a{1000}{1000}")`,
	`args.ints.all(x, args.k.matches("^(([a-z])+.)+[A-Z]([a-z])+$"))`,
	`args.ints.all(x, args.s.matches(args.s))`,
	`args.s.matches("[\\p{L}\\p{N}]{1,100}x")`,
	`args.wide.matches("(?i)([\\pL\\pN]*)*[^\\pL]$")`,
	chain("args.w480.matches('([\\\\pL]{0,99})*\\\\pN$')", "||", 60),
	chain("args.w100.matches('(a{1,20}){1,22}[^a]$')", "||", 60),
	chain("args.s.matches('[^b]*[^b]*[^b]*[^b]*[^b]*[^b]*[^b]*[^b]*[^b]*[^b]*[^b]*b')", "||", 40),
	// Large programs.
	chain("args.s == args.s2", "||", 180),
	chain("args.ints.all(x, x >= 0)", "&&", 120),
	chain("args.a100.matches('(a|b|ab)*c')", "||", 110),
	"[" + chain("args.s", ",", 500) + "].size() > 0",
	strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200),
	strings.Repeat("!", 2000) + "true",
	strings.Repeat("[", 300) + strings.Repeat("]", 300) + " == []",
	strings.Repeat("args.s == '' ? true : ", 180) + "false",
	`google.protobuf.Struct{fields: {"a": google.protobuf.Value{number_value: 1.0}}} == google.protobuf.Struct{}`,
}

func chain(part, op string, n int) string {
	return strings.TrimSuffix(strings.Repeat(part+" "+op+" ", n), " "+op+" ")
}

func TestBombs(t *testing.T) {
	in := bombInput(t)
	env := NewEnv(nil)
	for _, source := range bombs {
		c, err := env.Compile(source, When)
		if err != nil {
			t.Logf("refused                 %.60s: %.60s", source, strings.SplitN(err.Error(), "\n", 2)[0])
			continue
		}
		took, alloc, err := measure(c, in)
		t.Logf("%8v %7d B %6d units  %.70s: %v", took.Round(time.Microsecond), alloc, in.Spent(), source, err)
		assert.LessOrEqual(t, took, slow*maxTime, source)
		assert.LessOrEqual(t, alloc, uint64(slow*maxAlloc), source)
	}
}

func bombInput(t testing.TB) *Input {
	args := new(value.Tree)
	require.Equal(t, value.OK, args.SetGo(bombArgs(), value.Limits{Bytes: 1 << 20, Depth: 32}))
	return &Input{Args: args, Context: args, Tool: "t", Agent: "a", Now: time.Unix(1e9, 0)}
}

// measure takes the best of five: the others were disturbed.
func measure(c *Condition, in *Input) (best time.Duration, alloc uint64, err error) {
	best, alloc = time.Hour, math.MaxUint64
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err = c.eval(in)
		best = min(best, time.Since(start))
		runtime.ReadMemStats(&after)
		alloc = min(alloc, after.TotalAlloc-before.TotalAlloc)
	}
	return best, alloc, err
}
