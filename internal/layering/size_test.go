package layering

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	maxLines    = 500 // of a Go file
	maxExported = 45  // identifiers of the root package, methods aside
)

func TestFilesAreShort(t *testing.T) {
	goFiles(t, func(name string) {
		if n := strings.Count(read(t, name), "\n"); n > maxLines {
			t.Errorf("%s has %d lines, and may have %d: split it", name, n, maxLines)
		}
	})
}

func TestRootPackageIsSmall(t *testing.T) {
	var names []string
	goFiles(t, func(name string) {
		if path.Dir(name) != "." || strings.HasSuffix(name, "_test.go") {
			return
		}
		for _, d := range parse(t, name).Decls {
			names = append(names, exported(d)...)
		}
	})
	slices.Sort(names)
	t.Logf("the root exports %d identifiers: %s", len(names), strings.Join(names, " "))
	require.Contains(t, names, "Authorizer")
	require.LessOrEqual(t, len(names), maxExported)
}

// exported returns the exported identifiers that d declares.
func exported(d ast.Decl) []string {
	var all []*ast.Ident
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			all = append(all, d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				all = append(all, s.Name)
			case *ast.ValueSpec:
				all = append(all, s.Names...)
			}
		}
	}
	var names []string
	for _, id := range all {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	return names
}
