package condition

import (
	"errors"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/useveto/veto-go/internal/value"
)

// node is a container of a value tree as a CEL value. Its children become CEL
// values when they are read, and no sooner; nodes live in the scratch space
// of the Input.
type node struct {
	in   *Input
	tree *value.Tree
	i    int32
}

// val reads node i. A string or list that is too long becomes an error, which
// fails what goes on to use it.
func (in *Input) val(t *value.Tree, i int32) ref.Val {
	n := &t.Nodes[i]
	switch n.Kind {
	case value.Null:
		return types.NullValue
	case value.Bool:
		return types.Bool(n.Bits != 0)
	case value.Number:
		return in.number(n)
	case value.String:
		if len(n.Text) > MaxString {
			return newErr(errLongString)
		}
		return types.String(n.Text)
	case value.Array:
		if n.Len > MaxList {
			return newErr(errLongList)
		}
		return (*list)(in.node(t, i))
	case value.Object:
		return (*dict)(in.node(t, i))
	default:
		return newErr(errAbsent)
	}
}

// node allocates in chunks: a pointer that was handed out stays valid until
// the next evaluation begins.
func (in *Input) node(t *value.Tree, i int32) *node {
	if len(in.nodes) == cap(in.nodes) {
		in.nodes = make([]node, 0, 32)
	}
	in.nodes = append(in.nodes, node{in, t, i})
	return &in.nodes[len(in.nodes)-1]
}

// adapter hands CEL values through; there are no others.
type adapter struct{}

// NativeToValue implements types.Adapter.
func (adapter) NativeToValue(v any) ref.Val {
	if v, ok := v.(ref.Val); ok {
		return v
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// errConvert: nothing here asks for a Go value.
var errConvert = errors.New("values of a call are not converted")
