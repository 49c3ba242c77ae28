package audit

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
)

// A sink that keeps the record of a huge call keeps a few bytes of it: this
// looks at memory that no exported name shows.
func TestClone_KeepsNoHiddenMemory(t *testing.T) {
	tree := new(value.Tree)
	require.Equal(t, value.OK, tree.SetGo(map[string]any{"a": strings.Repeat("x", 60_000)}, value.DefaultLimits))
	r := Record{Parameters: Capture(tree, nil, NewDigestKey(nil))}
	c := r.Clone()
	require.Less(t, cap(c.Parameters.text), 256)
	require.Nil(t, c.Parameters.tree)
}
