package nearest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWord(t *testing.T) {
	types := []string{"tool_allowlist", "tool_denylist", "rate_limit", "time_based"}
	for word, want := range map[string]string{
		"rate_limt":     "rate_limit",
		"rateLimit":     "rate_limit",
		"RATE_LIMIT":    "rate_limit",
		"tool_alowlst":  "tool_allowlist",
		"tool_denlyist": "tool_denylist",
		"budget":        "",
		"":              "",
	} {
		require.Equal(t, want, Word(word, types), word)
	}
	require.Empty(t, Word(strings.Repeat("a", 65), []string{strings.Repeat("a", 64)}))
	require.Equal(t, `did you mean "min"?`, Hint("mni", []string{"max", "min"}))
	require.Empty(t, Hint("zzz", []string{"max", "min"}))
}

func TestDistance(t *testing.T) {
	require.Equal(t, 1, distance("ab", "ba"))
	require.Equal(t, 3, distance("kitten", "sitting"))
	require.Equal(t, 4, distance("", "abcd"))
	require.Equal(t, 0, distance("x", "x"))
}
