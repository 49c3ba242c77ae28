package jsondiff

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
)

// testCase is a document and the bounds under which ours reads it.
type testCase struct {
	doc []byte
	lim value.Limits
}

// newCase makes the random document of a seed. Most begin as valid JSON and
// are then spoiled in a few places; some come from the calls of testdata, some
// from the hand-made list of seeds.
func newCase(seed, n uint64) testCase {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, n))}
	var doc []byte
	switch k := g.IntN(10); {
	case k == 0:
		lines := realCalls()
		doc = []byte(lines[g.IntN(len(lines))])
	case k == 1:
		doc = []byte(seeds[g.IntN(len(seeds))])
	default:
		g.value(0)
		doc = []byte(g.out.String())
	}
	for range g.mutations() {
		doc = g.mutate(doc)
	}
	return testCase{doc, g.limits(len(doc))}
}

// limits are mostly the usual ones; the size bound sometimes, and the depth
// bound often, is one that the document is close to.
func (g *generator) limits(size int) value.Limits {
	lim := value.DefaultLimits
	if g.one(20) {
		lim.Bytes = max(0, size+g.IntN(5)-2)
	}
	if g.one(8) {
		lim.Depth = g.IntN(6)
	}
	return lim
}

// realCalls are the lines of testdata.
var realCalls = sync.OnceValue(func() []string {
	data, err := os.ReadFile("testdata/calls.jsonl")
	if err != nil {
		panic(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
})

// generator writes random JSON that is valid, apart from its keys, which are
// often the same or nearly the same as an earlier one.
type generator struct {
	*rand.Rand
	out strings.Builder
}

// one is true once in n times.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

func (g *generator) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g *generator) space() {
	for g.one(6) {
		g.out.WriteByte(" \t\r\n"[g.IntN(4)])
	}
}

func (g *generator) value(depth int) {
	g.space()
	k := g.IntN(12)
	if depth == 0 && !g.one(8) {
		k %= 5 // mostly a container
	}
	switch {
	case k < 3 && depth < 6:
		g.object(depth)
	case k < 5 && depth < 6:
		g.array(depth)
	case k < 7:
		g.number()
	case k < 8:
		g.out.WriteString(g.pick("true", "false", "null"))
	default:
		g.string(g.text())
	}
	g.space()
}

// length is mostly short.
func (g *generator) length() int {
	if g.one(30) {
		return g.IntN(40)
	}
	return g.IntN(5)
}

func (g *generator) array(depth int) {
	g.out.WriteByte('[')
	for i := range g.length() {
		if i > 0 {
			g.out.WriteByte(',')
		}
		g.value(depth + 1)
	}
	g.out.WriteByte(']')
}

func (g *generator) object(depth int) {
	var keys []string
	g.out.WriteByte('{')
	g.space()
	for i := range g.length() {
		if i > 0 {
			g.out.WriteByte(',')
			g.space()
		}
		key := g.text() + strconv.Itoa(i)
		switch {
		case g.one(60) && i > 0:
			key = keys[g.IntN(i)]
		case g.one(30) && i > 0:
			key = g.otherCase(keys[g.IntN(i)])
		case g.one(4):
			key = g.pick("kiss", "KISS", "\u212Aiss", "ki\u017Fs", "path", "Path", "é", "É", "σ", "ς", "Σ", "ß", "ẞ", "ı", "i", "İ", "µ", "μ", "𐐀", "𐐨", "")
		}
		keys = append(keys, key)
		g.string(key)
		g.space()
		g.out.WriteByte(':')
		g.value(depth + 1)
	}
	g.out.WriteByte('}')
}

// otherCase changes the case of some letters, also to those outside of ASCII
// that fold onto it.
func (g *generator) otherCase(s string) string {
	return strings.Map(func(c rune) rune {
		others := map[rune]string{'k': "K\u212A", 's': "S\u017F", 'é': "É", 'σ': "Σς"}[c]
		switch {
		case g.one(2):
			return c
		case others != "":
			r := []rune(others)
			return r[g.IntN(len(r))]
		case 'a' <= c && c <= 'z':
			return c - 'a' + 'A'
		default:
			return c
		}
	}, s)
}

func (g *generator) text() string {
	alphabet := []rune("aaabcdefgks kK éσ\"\\/\b\f\n\r\t\x00\x1f\x7f<&\u0080ß€\u2028\u212A\u017F\uD7FF\uE000\uFFFD\uFFFF😀\U0010FFFF")
	if g.one(2) {
		alphabet = alphabet[:14]
	}
	var b strings.Builder
	n := g.IntN(10)
	if g.one(10) {
		n = g.IntN(60)
	}
	for range n {
		b.WriteRune(alphabet[g.IntN(len(alphabet))])
	}
	return b.String()
}

// string writes s as JSON, each character in one of the ways that there are.
func (g *generator) string(s string) {
	g.out.WriteByte('"')
	escape := g.one(3)
	for _, c := range s {
		short := strings.IndexRune("\"\\/\b\f\n\r\t", c)
		must := c < ' ' || c == '"' || c == '\\'
		switch {
		case !must && !(escape && g.one(3)):
			g.out.WriteRune(c)
		case short >= 0 && g.one(2):
			g.out.WriteByte('\\')
			g.out.WriteByte(`"\/bfnrt`[short])
		case c > 0xFFFF:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&g.out, `\u%04x\u%04X`, high, low)
		default:
			fmt.Fprintf(&g.out, g.pick(`\u%04x`, `\u%04X`), c)
		}
	}
	g.out.WriteByte('"')
}

func (g *generator) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(g.IntN(10))
	}
	return string(b)
}

// number writes numbers of every form, some of them past a bound.
func (g *generator) number() {
	if g.one(3) {
		g.out.WriteByte('-')
	}
	whole := strconv.Itoa(g.IntN(1 << g.IntN(62)))
	switch g.IntN(60) {
	case 0:
		whole = "1" + g.digits(397+g.IntN(5))
	case 1:
		whole = "1" + g.digits(305+g.IntN(6))
	case 2, 3, 4:
		whole = "9" + g.digits(15+g.IntN(8))
	case 5: // about the largest finite float64
		whole = g.pick("17976931348623157", "17976931348623158", "179769313486231580793", "179769313486231580794", "18") +
			g.pick("e292", "e291", "E+288", "E+289", "e307")
		g.out.WriteString(whole)
		return
	}
	g.out.WriteString(whole)
	if g.one(4) {
		n := 1 + g.IntN(6)
		if g.one(20) {
			n = 395 + g.IntN(8)
		}
		g.out.WriteString("." + g.digits(n))
	}
	if g.one(6) {
		e := strconv.Itoa(g.IntN(40))
		if g.one(5) {
			e = g.pick("308", "307", "309", "400", "9998", "9999", "10000", "99999999999999999999", "0000", "00005", g.digits(400))
		}
		g.out.WriteString(g.pick("e", "E") + g.pick("", "", "-", "+") + e)
	}
}

// TestGenerator: a document can be made again from its number, and without
// mutations most are valid.
func TestGenerator(t *testing.T) {
	for n := range uint64(100) {
		require.Equal(t, newCase(1, n), newCase(1, n))
	}
	for _, line := range realCalls() {

		_, err := read([]byte(line))
		require.NoError(t, err)
	}
	valid := 0
	for n := range uint64(1000) {
		g := &generator{Rand: rand.New(rand.NewPCG(1, n))}
		g.value(0)
		if _, err := read([]byte(g.out.String())); err == nil {
			valid++
		}
	}
	require.Greater(t, valid, 800) // the others have a key twice
}
