package condition

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var searchFor = flag.Int("bombs", 400, "how many random expressions TestSearch tries")

// generator writes random expressions that use every function there is. They
// have the right types, so that most of them compile.
type generator struct {
	*rand.Rand
	vars []string // the loop variables in scope: integers
}

func (g *generator) pick(of ...string) string { return of[g.IntN(len(of))] }

// expand replaces in a template $b, $i, $d, $s, $I, $S by an expression of
// type bool, int, double, string, list of ints, list of strings.
func (g *generator) expand(depth int, of ...string) string {
	var b strings.Builder
	template := g.pick(of...)
	for i := 0; i < len(template); i++ {
		if template[i] != '$' {
			b.WriteByte(template[i])
			continue
		}
		i++
		switch template[i] {
		case 'b':
			b.WriteString(g.boolean(depth - 1))
		case 'i':
			b.WriteString(g.integer(depth - 1))
		case 'd':
			b.WriteString(g.double(depth - 1))
		case 's':
			b.WriteString(g.text(depth - 1))
		case 'I':
			b.WriteString(g.ints(depth - 1))
		case 'S':
			b.WriteString(g.texts(depth - 1))
		case 'L': // a loop: the body sees the variable
			v := fmt.Sprint("x", len(g.vars))
			rest := strings.ReplaceAll(template[i+1:], "$v", v)
			b.WriteString(g.pick("args.ints", g.ints(depth-1)))
			g.vars = append(g.vars, v)
			b.WriteString(g.expand(depth, rest))
			g.vars = g.vars[:len(g.vars)-1]
			return b.String()
		}
	}
	return b.String()
}

func (g *generator) boolean(depth int) string {
	if depth <= 0 {
		return g.pick("true", "false", "has(args.s)", "args.dict.key5 == 'v'", "args.ints == args.big")
	}
	return g.expand(depth,
		"$i < $i", "$i == $i", "$d >= $d", "$s == $s", "$s <= $s", "$I == $I", "$S != $S", "($b && $b)", "($b || $b)", "!($b)",
		"($b ? $b : $b)", "$s.contains($s)", "$s.startsWith($s)", "$s.endsWith($s)", "$i in $I", "$s in $S", "$s in args.dict",
		`$s.matches("(a|aa)+$")`, `$s.matches("([a-z0-9]+)*b")`, `$s.matches("(?i)^[^b]*(k|.)?[\\pL]*$")`,
		"$L.all($v, $b)", "$L.exists($v, $b)", "$L.exists_one($v, $b)", "{$s: $i} == {$s: $i}", "[$s, $s] == [$s]",
		"args == {'a': $i}", "bytes($s) == bytes($s)", "args.dicts == [$I]", "now.getHours('Asia/Tokyo') == $i", "{'k': $I}.k == $I",
		"type($s) == string", "timestamp($i) < now", "duration('1s') == now - now", "args.dict.all(k, k != $s)")
}

func (g *generator) integer(depth int) string {
	if depth <= 0 {
		if len(g.vars) > 0 && g.IntN(3) > 0 {
			return g.vars[g.IntN(len(g.vars))]
		}
		return g.pick("1", "2", "7", "999", "-1", "args.ints[5]", "args.big[999]")
	}
	return g.expand(depth, "$i", "$i", "($i + $i)", "($i - $i)", "($i * $i)", "($i % 7)", "size($s)", "size($I)", "size($S)", "int($d)",
		"$s.indexOf($s)", "$s.lastIndexOf($s)", "$s.indexOf($s, $i)", "args.ints[($i) % 1000]", "now.getMinutes()", "size(bytes($s))", "int(string($i))")
}

func (g *generator) double(depth int) string {
	if depth <= 0 {
		return g.pick("0.5", "1e300", "args.nums[7]")
	}
	return g.expand(depth, "$d", "double($i)", "($d * $d)", "($d / 3.0)", "double(string($d))")
}

func (g *generator) text(depth int) string {
	if depth <= 0 {
		return g.pick("'a'", "'ab'", "''", "args.s", "args.s2", "args.wide", "args.k", "args.a100", "args.longs[3]", "args.texts[9]", "tool")
	}
	return g.expand(depth, "$s", "$s", "($s + $s)", "string($i)", "string($d)", "$s.lowerAscii()", "$s.upperAscii()", "$s.reverse()", "$s.trim()",
		"$s.replace($s, $s)", "$s.replace($s, $s, $i)", "$s.substring($i)", "$s.substring(1, $i)", "$s.charAt($i)", "$S.join()", "$S.join($s)",
		"string(now)", "string(bytes($s))", "string(duration(string($i) + 's'))", "args.texts[$i % 1000]")
}

func (g *generator) ints(depth int) string {
	if depth <= 0 {
		return g.pick("args.ints", "args.big", "[1, 2]", "args.lists[3]")
	}
	return g.expand(depth, "$I", "($I + $I)", "[$i, $i, $i]", "$L.map($v, $i)", "$L.filter($v, $b)", "$L.map($v, $b, $i)")
}

func (g *generator) texts(depth int) string {
	if depth <= 0 {
		return g.pick("args.texts", "args.longs", "['a', 'b']")
	}
	return g.expand(depth, "$S", "$s.split($s)", "$s.split('')", "$s.split($s, $i)", "[$s, $s]", "$L.map($v, $s)", "($S + $S)")
}

// TestSearch looks for expressions that take too long or too much, and checks
// what has an answer against cel-go itself. Try more with -bombs=100000.
func TestSearch(t *testing.T) {
	in, bare := bombInput(t), newBare(t, bombArgs())
	env := NewEnv(nil)
	var worst struct {
		took, compile time.Duration
		alloc         uint64

		slowest, largest string
	}
	answered, compared := 0, 0
	tries := *searchFor
	if slow > 1 {
		tries /= 4
	}
	for i := range tries {
		g := &generator{Rand: rand.New(rand.NewPCG(1, uint64(i)))}
		source := g.boolean(2 + i%4)
		if i%2 == 0 {
			source = "args.ints.all(i, (" + source + ") || i >= 0)"
		}
		start := time.Now()
		c, err := env.compile(source, When)
		worst.compile = max(worst.compile, time.Since(start))
		if err != nil {
			continue
		}
		start = time.Now()
		got, err := c.eval(in)
		took := time.Since(start)
		if err == nil {
			answered++
			if want, ok := bare.eval(source, in.Spent()); ok {
				compared++
				assert.Equal(t, want, got, source)
			}
		}
		if took < maxTime/4 && i%8 != 0 {
			continue
		}
		took, alloc, _ := measure(c, in)
		if took > worst.took {
			worst.took, worst.slowest = took, source
		}
		if alloc > worst.alloc {
			worst.alloc, worst.largest = alloc, source
		}
		assert.LessOrEqual(t, took, slow*maxTime, source)
		assert.LessOrEqual(t, alloc, uint64(slow*maxAlloc), source)
	}
	t.Logf("worst of %d: %v, %d B, %v to compile; %d have an answer, %d of them compared\n%s\n%s",
		tries, worst.took, worst.alloc, worst.compile, answered, compared, worst.slowest, worst.largest)
	assert.Greater(t, answered, tries/10, "the generator is no good")
	assert.Greater(t, compared, answered/2)
}

// bareCEL evaluates with cel-go as it comes, and the twins of the functions on
// strings.
type bareCEL struct {
	env  *cel.Env
	vars map[string]any
}

func newBare(t *testing.T, args map[string]any) *bareCEL {
	env, err := cel.NewEnv(append(twinFunctions(), cel.Variable("args", object), cel.Variable("tool", cel.StringType),
		cel.Variable("now", cel.TimestampType), cel.CrossTypeNumericComparisons(true))...)
	require.NoError(t, err)
	return &bareCEL{env, map[string]any{"args": args, "tool": "t", "now": time.Unix(1e9, 0)}}
}

// eval has no answer where cel-go has none, or was slow to find it: what cost
// us little can cost cel-go very much.
func (b *bareCEL) eval(source string, spent int) (answer, ok bool) {
	if spent > Budget/4 {
		return false, false
	}
	checked, issues := b.env.Compile(source)
	if issues.Err() != nil {
		return false, false
	}
	prog, err := b.env.Program(checked, cel.CostLimit(2_000_000))
	if err != nil {
		return false, false
	}
	v, _, err := prog.Eval(b.vars)
	if err != nil {
		return false, false
	}
	answer, ok = v.Value().(bool)
	return answer, ok
}

// TestStringFunctions compares each with its twin, on random texts of
// characters of one, two and four bytes.
func TestStringFunctions(t *testing.T) {
	env, bare := NewEnv(nil), newBare(t, nil)
	r := rand.New(rand.NewPCG(2, 2))
	word := func(most int) string {
		var b strings.Builder
		for range r.IntN(most + 1) {
			b.WriteString([]string{"a", "b", "B", "\u00e9", "\U0001f600", " "}[r.IntN(6)])
		}
		return fmt.Sprintf("%q", b.String())
	}
	number := func() string { return fmt.Sprint(r.IntN(11) - 2) }
	for _, f := range []string{
		"$s.charAt($n)", "$s.indexOf($p)", "$s.indexOf($p, $n)", "$s.lastIndexOf($p)", "$s.lastIndexOf($p, $n)", "$s.lowerAscii()",
		"$s.upperAscii()", "$s.replace($p, $s)", "$s.replace($p, $s, $n)", "$s.split($p)", "$s.split($p, $n)", "$s.substring($n)",
		"$s.substring($n, $n)", "$s.trim()", "$s.reverse()", "[$s, $p, $s].join()", "[$s, $p].join($p)", "size($s)",
	} {
		for range 150 {
			expr := f
			for strings.Contains(expr, "$") {
				for mark, text := range map[string]string{"$s": word(6), "$p": word(2), "$n": number()} {
					expr = strings.Replace(expr, mark, text, 1)
				}
			}
			// The value of the expression, by comparing ours with theirs.
			checked, issues := bare.env.Compile(expr)
			require.NoError(t, issues.Err(), expr)
			prog, err := bare.env.Program(checked)
			require.NoError(t, err)
			v, _, err := prog.Eval(bare.vars)
			c, ourErr := env.compile("["+expr+"] == args.want", When)
			require.NoError(t, ourErr, expr)
			in := &Input{Args: tree(t, `{"want": null}`)}
			if err != nil {
				assert.Equal(t, errRange.text, answer(t, c, in), expr)
				continue
			}
			want, err := json.Marshal(nativeOf(v))
			require.NoError(t, err)
			in.Args = tree(t, fmt.Sprintf(`{"want": [%s]}`, want))
			assert.Equal(t, "true", answer(t, c, in), "%s is %s", expr, want)
		}
	}
}

func nativeOf(v ref.Val) any {
	l, ok := v.(traits.Lister)
	if !ok {
		return v.Value()
	}
	out := []any{}
	for it := l.Iterator(); it.HasNext() == types.True; {
		out = append(out, it.Next().Value())
	}
	return out
}
