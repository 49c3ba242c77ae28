package pattern

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"file.*", "file.", true},
		{"file.*", "file", false},
		{"file.*", "file.read", true},
		{"file.read", "file.read", true},
		{"file.read", "file.Read", false},
		{"*", "", true},
		{"*", "anything", true},
	} {
		require.Equal(t, c.want, Match(c.pattern, c.name), "%q %q", c.pattern, c.name)
	}
}

// The index answers as a scan of all patterns does.
func TestIndexAgainstScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	word := func(n int) string {
		b := make([]byte, rng.IntN(n))
		for i := range b {
			b[i] = "ab."[rng.IntN(3)]
		}
		return string(b)
	}
	for range 2000 {
		var x Index[string]
		var patterns []string
		for range rng.IntN(12) {
			p := word(5)
			if rng.IntN(2) == 0 {
				p += "*"
			}
			if !slices.Contains(patterns, p) {
				patterns = append(patterns, p)
			}
			*x.Put(p) = p
		}
		x.Build()
		for range 20 {
			name := word(7)
			var want, got []string
			for _, p := range patterns {
				if Match(p, name) {
					want = append(want, p)
				}
			}
			if v := x.Exact(name); v != nil {
				got = append(got, *v)
			}
			for p := x.Longest(name); p != nil; p = x.Parent(p) {
				got = append(got, *p.Value)
			}
			slices.Sort(want)
			slices.Sort(got)
			require.Equal(t, want, got, "%q in %q", name, strings.Join(patterns, " "))
		}
	}
}
