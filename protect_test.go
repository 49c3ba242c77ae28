package veto_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/rules"
)

// The library's own directories are within nothing, whether a constraint or a
// condition asks.
func TestAttack_E3a_OwnDirectoriesAreProtected(t *testing.T) {
	home := t.TempDir()
	if home[0] != '/' {
		t.Skip("paths of policies begin with a slash, and those of this system do not")
	}
	dir, err := approval.OpenDir(filepath.Join(home, "tickets"))
	require.NoError(t, err)
	defer dir.Close()
	key, err := approval.NewKey(make([]byte, 32))
	require.NoError(t, err)
	book, err := approval.New(dir, key, nil)
	require.NoError(t, err)
	a := newAuthorizer(t, set(
		constraint([]string{"write"}, map[string]rules.Constraint{"path": {Within: []string{home}}}),
		rules.Rule{Type: rules.ToolAllowlist, Tools: []string{"read"}, When: `within(args.path, "` + home + `")`},
	), &veto.Options{Approvals: book, ProtectedDirs: []string{filepath.Join(home, "log")}})
	for _, tool := range []string{"write", "read"} {
		for path, want := range map[string]bool{
			"/a": true, "/logs": true, "/tickets.txt": true,
			"/log": false, "/log/a": false, "/LOG/a": false, "/tickets": false, "/tickets/x": false, "/tickets/./x": false, "//tickets/x": false,
		} {
			_, err := a.Authorize(ctx, "bot", tool, map[string]any{"path": home + path})
			require.Equal(t, want, err == nil, "%s %s", tool, path)
		}
	}
}
