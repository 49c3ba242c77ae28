package layering

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryDirectoryHasOnePackageDoc: a directory with Go code has one comment
// that says what the package is for, or what the command does.
func TestEveryDirectoryHasOnePackageDoc(t *testing.T) {
	docs := make(map[string][]string)
	goFiles(t, func(name string) {
		dir := path.Dir(name)
		if _, seen := docs[dir]; !seen {
			docs[dir] = nil
		}
		if strings.HasSuffix(name, "_test.go") {
			return
		}
		f := parse(t, name)
		if f.Doc == nil {
			return
		}
		docs[dir] = append(docs[dir], name)
		want := "Package " + f.Name.Name + " "
		if f.Name.Name == "main" {
			want = "Command "
		}
		require.True(t, strings.HasPrefix(f.Doc.Text(), want), "%s: the package comment does not begin %q", name, want)
	})
	require.Contains(t, docs, ".")
	for dir, files := range docs {
		require.Len(t, files, 1, "package comments of %s: %q", dir, files)
	}
}
