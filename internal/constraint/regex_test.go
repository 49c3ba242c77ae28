package constraint

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bound on one match is exact, and does not overflow.
func TestRegexWorkAtItsBound(t *testing.T) {
	r := compileRegex(t, `\b(x{1,20})z`, false)
	var steps int
	at := maxMatch / r.instructions
	require.Equal(t, differs, r.match(strings.Repeat("x", at), &steps))
	require.Equal(t, at*r.instructions, steps)
	require.Equal(t, tooLarge, r.match(strings.Repeat("x", at+1), &steps))
	require.Equal(t, at*r.instructions, steps, "what is not matched is no work")

	steps = MaxSteps - r.instructions
	require.Equal(t, differs, r.match("x", &steps))
	require.Equal(t, exhausted, r.match("x", &steps))
}

// The tables of one load are bounded; an expression without one says the same.
func TestTablesAreBounded(t *testing.T) {
	env := &Env{tables: maxTables + 1}
	r, err := env.regex(regexKey{text: "^ab+$"})
	require.NoError(t, err)
	require.Nil(t, r.dfa)
	require.True(t, r.matches("abb"))
	require.False(t, r.matches("abc"))

	env = &Env{}
	_, err = env.regex(regexKey{text: "^ab+$"})
	require.NoError(t, err)
	require.Positive(t, env.tables)
	before := env.tables
	_, err = env.regex(regexKey{text: "^ab+$"})
	require.NoError(t, err)
	require.Equal(t, before, env.tables, "one table for equal expressions")
}
