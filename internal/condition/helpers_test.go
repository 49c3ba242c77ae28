package condition

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
)

// now is 2024-02-29T23:30:15.5Z, a Thursday.
var now = time.Date(2024, 2, 29, 23, 30, 15, 500_000_000, time.UTC)

// testOptions are simple stand-ins for the functions from outside.
func testOptions() *EnvOptions {
	return &EnvOptions{
		Lists: func(name string) (func(string) bool, bool) {
			return func(v string) bool { return v == "ann" }, name == "staff"
		},
		Within: func(path string, dirs ...string) bool { return strings.HasPrefix(path, dirs[0]+"/") },
		Host: func(url string) (string, bool) {
			host, ok := strings.CutPrefix(url, "https://")
			return host, ok
		},
		EmailDomain: func(address string) (string, bool) {
			_, domain, ok := strings.Cut(address, "@")
			return domain, ok
		},
	}
}

func tree(t testing.TB, json string) *value.Tree {
	t.Helper()
	tr := new(value.Tree)
	problem, _ := tr.SetJSON([]byte(json), value.Limits{Bytes: 1 << 20, Depth: 32})
	require.Equal(t, value.OK, problem, json)
	return tr
}

func input(t testing.TB, args string) *Input {
	t.Helper()
	return &Input{
		Args: tree(t, args), Context: tree(t, `{"region":"eu"}`),
		Tool: "mail.send", Agent: "agt_1", Project: "acme", Session: "s1", User: "ann", Now: now,
	}
}

func compile(t testing.TB, source string) *Condition {
	t.Helper()
	c, err := NewEnv(testOptions()).Compile(source, When)
	require.NoError(t, err)
	return c
}

// answer evaluates a condition and returns "true", "false" or the reason of
// its failure.
func answer(t testing.TB, c *Condition, in *Input) string {
	t.Helper()
	ok, err := c.Eval(in)
	switch {
	case err != nil:
		require.False(t, ok)
		var e *EvalError
		require.ErrorAs(t, err, &e)
		return e.Reason
	case ok:
		return "true"
	default:
		return "false"
	}
}
