package approval_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/approval/approvaltest"
)

func TestStores(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		approvaltest.Run(t, func(*testing.T) approval.Store { return new(approval.Memory) }, nil)
	})
	t.Run("dir", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "deep", "tickets")
		same := func(t *testing.T) approval.Store { return newDir(t, path) }
		approvaltest.Run(t, same, same)
	})
}

// A directory that others may write to is refused, and what is made is for the
// owner only.
func TestDirPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has other permissions")
	}
	path := filepath.Join(t.TempDir(), "tickets")
	b, _ := newBook(t, newDir(t, path))
	id := approved(t, b, 1).ID
	require.NoError(t, b.Use(ctx, id, binding(1)))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	files, err := os.ReadDir(path)
	require.NoError(t, err)
	require.Len(t, files, 3, "%v", files) // nothing that is half written
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
	}
	for _, mode := range []os.FileMode{0o720, 0o702, 0o777, 0o770} {
		require.NoError(t, os.Chmod(path, mode))
		_, err := approval.OpenDir(path)
		require.ErrorContains(t, err, "writable for others")
	}
	for _, mode := range []os.FileMode{0o700, 0o755} {
		require.NoError(t, os.Chmod(path, mode))
		newDir(t, path)
	}
	file := filepath.Join(path, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = approval.OpenDir(file)
	require.Error(t, err)
}

// What is no regular file is not opened, and nothing outside the directory is
// reached.
func TestDirReadsFilesOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tickets")
	d := newDir(t, path)
	outside := filepath.Join(filepath.Dir(path), "outside")
	require.NoError(t, os.WriteFile(outside, []byte("x"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(path, "directory"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(path, "large"), make([]byte, 256<<10+1), 0o600))
	names := []string{"directory", "large"}
	if runtime.GOOS != "windows" {
		require.NoError(t, os.Symlink(outside, filepath.Join(path, "symlink")))
		require.NoError(t, os.Symlink("large", filepath.Join(path, "inside")))
		names = append(names, "symlink", "inside")
	}
	for _, name := range names {
		_, err := d.Read(ctx, name)
		require.ErrorIs(t, err, approval.ErrForged, name)
	}
	for _, name := range []string{"", ".", "..", "../outside", "a/b", `a\b`, ".lock", "a\x00", "é", outside} {
		_, err := d.Read(ctx, name)
		require.ErrorIs(t, err, approval.ErrInvalid, name)
		require.ErrorIs(t, d.Create(ctx, name, nil), approval.ErrInvalid, name)
		require.ErrorIs(t, d.Remove(ctx, name), approval.ErrInvalid, name)
	}
	require.FileExists(t, outside)
}

// What a writer that was killed has left goes after an hour.
func TestDirTidies(t *testing.T) {
	path := t.TempDir()
	require.NoError(t, os.Chmod(path, 0o700))
	for name, age := range map[string]time.Duration{"tmp-old": 61 * time.Minute, "tmp-new": time.Minute, "other": 48 * time.Hour} {
		file := filepath.Join(path, name)
		require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
		at := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(file, at, at))
	}
	names, err := newDir(t, path).List(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"other"}, names)
	require.NoFileExists(t, filepath.Join(path, "tmp-old"))
	require.FileExists(t, filepath.Join(path, "tmp-new"))
}
