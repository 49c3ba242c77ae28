package layering

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// maxModules is the most modules that a program links which imports nothing
// but the root package, ours counted.
const maxModules = 14

func TestProgramLinksFewModules(t *testing.T) {
	var modules []string
	for _, p := range list(t, "-deps", modulePath) {
		if p.Module != nil && !slices.Contains(modules, p.Module.Path) {
			modules = append(modules, p.Module.Path)
		}
	}
	slices.Sort(modules)
	t.Logf("%d modules: %q", len(modules), modules)
	require.Contains(t, modules, modulePath)
	require.LessOrEqual(t, len(modules), maxModules)
}

// TestRootModuleStandsAlone: a module that requires one of its own nested
// modules cannot be released, and one with a replace cannot be installed by
// "go install module@version".
func TestRootModuleStandsAlone(t *testing.T) {
	var mod struct {
		Module  struct{ Path string }
		Require []struct{ Path, Version string }
		Replace []json.RawMessage
		Exclude []json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(goTool(t, "mod", "edit", "-json")), &mod))
	require.Equal(t, modulePath, mod.Module.Path)
	require.NotEmpty(t, mod.Require)
	for _, r := range mod.Require {
		require.False(t, r.Path == modulePath || len(r.Path) > len(modulePath) && r.Path[:len(modulePath)+1] == modulePath+"/", r.Path)
	}
	require.Empty(t, mod.Replace)
	require.Empty(t, mod.Exclude)
}
