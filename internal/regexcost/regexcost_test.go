package regexcost

import (
	"regexp/syntax"
	"testing"

	"github.com/stretchr/testify/require"
)

func parse(t *testing.T, s string) *syntax.Regexp {
	t.Helper()
	re, err := syntax.Parse(s, syntax.Perl)
	require.NoError(t, err)
	return re
}

// An estimate below the true number would let an expression through to the
// compiler that takes seconds there.
func TestEstimateIsAnUpperBound(t *testing.T) {
	for _, s := range []string{"a", "a|b|cd", "a*", "(a+)?", "a{3,7}", "(ab|c){2,}", "[a-z]+@x$", "(?i)straße", `\bx\B`, "(((a{2}){2}){2}){2}", "(|a)*", "(?:){5}"} {
		prog, err := syntax.Compile(parse(t, s).Simplify())
		require.NoError(t, err)
		require.LessOrEqual(t, len(prog.Inst), estimate(parse(t, s))+4, s)
	}
}

func TestBounds(t *testing.T) {
	for _, s := range []string{"a", `\pL{10}`, "(a{1,10}){1,20}", "[^a]{900}"} {
		_, err := Program(parse(t, s))
		require.NoError(t, err, s)
	}
	for _, s := range []string{"(a{1,30}){1,30}$", "(a{1,20}b{1,20}){1,25}", `0[\pL]{480}b`} {
		_, err := Program(parse(t, s))
		require.Error(t, err, s)
	}
}
