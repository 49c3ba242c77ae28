package layering

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// layers are the packages that others build on, from the ground up. A package
// knows those of lower layers only, and of its own layer only its own tree.
var layers = map[string]int{
	"rules":     0,
	"evaluator": 1,
	"audit":     1,
	"approval":  1,
	"":          2, // the root
	"remote":    3,
	"guard":     3,
	"vetotest":  3,
	"adapters":  4,
	"cmd":       4,
	"examples":  4,
}

// tree returns the first directory of a package of the module, and whether
// it is in one of the layers. Packages under internal are in none: they count
// as part of whoever imports them.
func tree(importPath string) (top string, layered bool) {
	rest, ours := strings.CutPrefix(importPath, modulePath)
	if !ours || rest != "" && rest[0] != '/' {
		return "", false
	}
	top, _, _ = strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	_, layered = layers[top]
	return top, layered
}

func TestImportsFormOneLine(t *testing.T) {
	for _, p := range list(t, "./...") {
		top, layered := tree(p.ImportPath)
		if !layered {
			require.Equal(t, "internal", top, "%s is in no layer: say here where it belongs", p.ImportPath)
			continue
		}
		// Deps is transitive, so that an internal package is no detour.
		for _, dep := range p.Deps {
			below, layered := tree(dep)
			if !layered || below == top {
				continue
			}
			require.Less(t, layers[below], layers[top], "%s must not know %s", p.ImportPath, dep)
		}
	}
}

// TestOnlyRemoteKnowsTheNetwork: the library cannot phone home. Nothing of
// ours outside remote imports net or net/http, nor a package of the standard
// library that does. Modules of others may.
func TestOnlyRemoteKnowsTheNetwork(t *testing.T) {
	importers := make(map[string][]string) // of packages of the standard library
	for _, p := range list(t, "./...") {
		if top, _ := tree(p.ImportPath); top == "remote" {
			continue
		}
		for _, i := range p.Imports {
			if first, _, _ := strings.Cut(i, "/"); !strings.Contains(first, ".") && i != "C" {
				importers[i] = append(importers[i], p.ImportPath)
			}
		}
	}
	require.NotEmpty(t, importers)
	for _, std := range list(t, slices.Sorted(maps.Keys(importers))...) {
		require.True(t, std.Standard, std.ImportPath)
		if std.ImportPath == "net" || slices.Contains(std.Deps, "net") {
			t.Errorf("%s reaches the network, and is imported by %q", std.ImportPath, importers[std.ImportPath])
		}
	}
}

// TestExamplesNeedOnlyTheRoot: what a reader copies must build with what the
// README says to install.
func TestExamplesNeedOnlyTheRoot(t *testing.T) {
	for _, p := range list(t, "./examples/...") {
		for _, i := range p.Imports {
			first, _, _ := strings.Cut(i, "/")
			ours := i == modulePath || strings.HasPrefix(i, modulePath+"/") && !strings.Contains(i, "/internal/")
			require.True(t, ours || !strings.Contains(first, "."), "%s imports %s", p.ImportPath, i)
		}
	}
}
