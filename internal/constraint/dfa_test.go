package constraint

import (
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func compileRegex(t testing.TB, text string, whole bool) *Regex {
	t.Helper()
	r, err := (&Env{}).regex(regexKey{text: text, whole: whole})
	require.NoError(t, err)
	return r
}

// What the table says is what package regexp says.
func TestDFAAgainstRegexp(t *testing.T) {
	texts := []string{
		"", "a", "b", "ab", "ba", "aab", "a\n", "\na", "a\nb", "ann@example.com", "ann@example.com\n",
		"ann@example.com.evil.org", "evil@example.com.attacker.io", "x@xexample.com", "A", "AB", strings.Repeat("a", 41) + "@example.com",
		"/home/a", "/home/../etc", " a", "a ", "\x00", "a\x7f", "1.5", "é", "aé", "éa", "\u212A",
	}
	for _, text := range []string{
		"a", "^a", "a$", "^a$", "^$", "", "a*", "^a*$", "(a|b)*", "^(ab|a)+$", `^[a-z.]{1,40}@example\.com$`, "[^example.com]",
		`.*@[^x.com$].*`, `\Aa\z`, "a.b", "(?s)a.b", "(?i)ab", "(?i)k", `^/home/[a-z]+$`, "a{2,3}", "(a?){10}a{10}", `[^\n]*b`, "(^a|b$)", "(^|b)a", "a($|b)",
		"^^a$$", "$^", "($)(^)", "a|^$", `x*`, "^x*$|b", `^\s*$`, `\d+\.\d`, `[[:^alpha:]]`,
	} {
		if _, err := syntax.Parse(text, syntax.Perl); err != nil {
			t.Fatal(err)
		}
		for _, whole := range []bool{false, true} {
			r := compileRegex(t, text, whole)
			require.NotNil(t, r.dfa, text)
			for _, s := range texts {
				require.Equal(t, r.re.MatchString(s), r.matches(s), "%q whole=%v on %q", text, whole, s)
			}
		}
	}
	for _, text := range []string{`\ba`, `a\B`, `(?m)^a`, `(?m)a$`, "a{500}"} {
		require.Nil(t, compileRegex(t, text, false).dfa, text)
	}
}

// The same for expressions and texts that nobody chose.
func TestDFAAgainstRegexpRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	atoms := []string{"a", "b", "[ab]", "[^a]", ".", "^", "$", "(?i:a)", `\n`, "(?s:.)", "x"}
	var expr func(depth int) string
	expr = func(depth int) string {
		if depth == 0 {
			return atoms[rng.IntN(len(atoms))]
		}
		a, b := expr(depth-1), expr(depth-1)
		switch rng.IntN(6) {
		case 0:
			return "(" + a + "|" + b + ")"
		case 1:
			return "(" + a + ")*"
		case 2:
			return "(" + a + ")?" + b
		case 3:
			return "(" + a + "){1,3}"
		default:
			return a + b
		}
	}
	tables := 0
	for range 3000 {
		text := expr(rng.IntN(4))
		r := compileRegex(t, text, rng.IntN(2) == 0)
		if r.dfa != nil {
			tables++
		}
		for range 20 {
			s := make([]byte, rng.IntN(8))
			for i := range s {
				s[i] = "abABx\n"[rng.IntN(6)]
			}
			require.Equal(t, r.re.MatchString(string(s)), r.matches(string(s)), "%q on %q", text, s)
		}
	}
	require.Greater(t, tables, 2500)
}

func FuzzRegex(f *testing.F) {
	f.Add("^[a-z]+$", "abc")
	f.Add("(a|b)*c", "ababc")
	f.Add(`\Aa?\z`, "")
	f.Fuzz(func(t *testing.T, text, s string) {
		if len(text) > 256 || len(s) > 1000 {
			return
		}
		if re, err := syntax.Parse(text, syntax.Perl); err != nil || strings.ContainsAny(text, "{") {
			_ = re
			return
		}
		r, err := (&Env{}).regex(regexKey{text: text})
		if err != nil {
			return
		}
		if got, want := r.matches(s), r.re.MatchString(s); got != want {
			t.Fatalf("%q on %q: the table says %v, regexp %v", text, s, got, want)
		}
	})
}
