package veto_test

import (
	"os"
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

// A directory that is reached by symbolic links is protected under every name
// that they give it, not only under the one in the configuration.
func TestAttack_E3a_LinkedDirectoriesAreProtected(t *testing.T) {
	home, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	if home[0] != '/' {
		t.Skip("paths of policies begin with a slash, and those of this system do not")
	}
	in := func(name string) string { return filepath.Join(home, name) }
	for _, dir := range []string{"/data/agent", "/disk/tickets", "/disk/log"} {
		require.NoError(t, os.MkdirAll(in(dir), 0o700))
	}
	require.NoError(t, os.Symlink(in("/data/agent"), in("/agent")))
	require.NoError(t, os.Symlink("../../disk/tickets", in("/data/agent/tickets")))
	require.NoError(t, os.Symlink(in("/disk/log"), in("/log")))
	t.Chdir(in("/agent"))
	dir, err := approval.OpenDir("tickets") // and the program moves on
	require.NoError(t, err)
	defer dir.Close()
	t.Chdir(home)
	key, err := approval.NewKey(make([]byte, 32))
	require.NoError(t, err)
	book, err := approval.New(dir, key, nil)
	require.NoError(t, err)
	a := newAuthorizer(t, set(
		constraint([]string{"write"}, map[string]rules.Constraint{"path": {Within: []string{home}}}),
		rules.Rule{Type: rules.ToolAllowlist, Tools: []string{"read"}, When: `within(args.path, "` + home + `")`},
	), &veto.Options{Approvals: book, ProtectedDirs: []string{"log"}})
	for _, tool := range []string{"write", "read"} {
		for path, want := range map[string]bool{
			"/agent/a": true, "/data/agent/a": true, "/disk/a": true,
			"/data/agent/tickets/x": false, "/disk/tickets/x": false,
			"/log/x": false, "/disk/log/x": false,
		} {
			_, err := a.Authorize(ctx, "bot", tool, map[string]any{"path": in(path)})
			require.Equal(t, want, err == nil, "%s %s", tool, path)
		}
	}
	require.Contains(t, book.Dirs(), in("/disk/tickets"))
	require.NoError(t, os.Symlink("loop", in("/loop")))
	_, err = veto.New(&veto.PolicySet{}, &veto.Options{ProtectedDirs: []string{in("/loop")}})
	require.ErrorContains(t, err, "ProtectedDirs")
}
