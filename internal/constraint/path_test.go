package constraint

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// Nothing of the library's own is within anything, in a constraint or in CEL,
// which is given Protected.Within.
func TestProtected(t *testing.T) {
	env := &Env{Protected: Protected{"/var/lib/veto", "/Users/ann/tickets"}}
	set, faults := Compile(map[string]rules.Constraint{"p": {Within: []string{"/"}}}, env)
	require.Empty(t, faults)
	for p, want := range map[string]Verdict{
		"/var/lib/veto": Violated, "/var/lib/veto/": Violated, "/var/lib/veto/log.1": Violated, "//var/./lib//veto/x": Violated,
		"/VAR/lib/Veto/log": Violated, "/users/ANN/tickets/1": Violated,
		"/var/lib/vetoed": Pass, "/var/lib": Pass, "/var/lib/veto.d/x": Pass, "/Users/ann": Pass, "/": Pass,
	} {
		require.Equal(t, want, eval(t, set, `{"p":"`+p+`"}`, true).Verdict, p)
		require.Equal(t, want == Pass, env.Protected.Within(p, "/"), p)
		require.True(t, Within(p, "/"), p)
	}
	require.False(t, env.Protected.Within("/var/lib/veto/x", "/var/lib/veto/x"), "naming it does not help")
}
