package veto_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
)

// A finding of a file has its place in the file.
func TestLintFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policies.yaml")
	document := "policies:\n  - id: p\n    agentId: a\n    rules:\n      - {type: tool_allowlist, tools: ['*']}\n"
	require.NoError(t, os.WriteFile(path, []byte(document), 0o600))
	findings, err := veto.LintFile(path, []veto.ToolSignature{{Name: "x"}})
	require.NoError(t, err)
	require.Len(t, findings, 2)
	require.Equal(t, "allow-all", findings[1].Check)
	require.Equal(t, 5, findings[1].Fault.Line)
	require.Contains(t, findings[1].String(), "policies.yaml:5:")
	require.Equal(t, "tool-without-rule", findings[0].Check)

	set, err := veto.LoadFile(path)
	require.NoError(t, err)
	require.Equal(t, "warning", veto.Lint(set, nil)[0].Severity)
	_, err = veto.LintFile(filepath.Join(t.TempDir(), "none.yaml"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("policies: 5\n"), 0o600))
	_, err = veto.LintFile(path, nil)
	var load *veto.LoadError
	require.ErrorAs(t, err, &load)
}
