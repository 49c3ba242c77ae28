package dirnames

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	home, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	in := func(name string) string { return filepath.Join(home, filepath.FromSlash(name)) }
	for _, dir := range []string{"real/agent", "secure/tickets"} {
		require.NoError(t, os.MkdirAll(in(dir), 0o700))
	}
	for name, target := range map[string]string{
		"agent":              in("real/agent"),
		"real/agent/tickets": "../../secure/tickets",
		"again":              "agent",
		"ahead":              "not/there",
	} {
		if err := os.Symlink(filepath.FromSlash(target), in(name)); err != nil {
			t.Skip("this system makes no symbolic links: ", err)
		}
	}
	for name, want := range map[string][]string{
		"secure/tickets":            {"secure/tickets"},
		"secure/./tickets//":        {"secure/tickets"},
		"secure/none/x":             {"secure/none/x"},
		"agent":                     {"agent", "real/agent"},
		"agent/tickets":             {"agent/tickets", "real/agent/tickets", "secure/tickets"},
		"again/tickets/x":           {"again/tickets/x", "agent/tickets/x", "real/agent/tickets/x", "secure/tickets/x"},
		"agent/../x":                {"x", "real/x"}, // the parent of where the link leads
		"real/../secure/tickets/..": {"secure"},
		"ahead/x":                   {"ahead/x", "not/there/x"},
	} {
		for i := range want {
			want[i] = in(want[i])
		}
		got, err := Of(home + string(filepath.Separator) + filepath.FromSlash(name))
		require.NoError(t, err)
		require.Equal(t, want, got, name)
		if real, err := filepath.EvalSymlinks(home + "/" + name); err == nil {
			require.Equal(t, real, got[len(got)-1], name)
		}
	}
	t.Chdir(home)
	got, err := Of("agent/tickets")
	require.NoError(t, err)
	require.Equal(t, []string{in("agent/tickets"), in("real/agent/tickets"), in("secure/tickets")}, got)
	got, err = Of("")
	require.NoError(t, err)
	require.Equal(t, []string{home}, got)

	require.NoError(t, os.Symlink("loop", in("loop")))
	_, err = Of(in("loop/x"))
	require.ErrorContains(t, err, "symbolic links")
}
