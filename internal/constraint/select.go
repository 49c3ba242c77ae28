package constraint

import (
	"strings"

	"github.com/useveto/veto-go/internal/value"
)

// Selector finds the one value that a parameter's name without "*" selects.
type Selector struct {
	name    string
	pointer []step
}

// NewSelector reads a name that validation has accepted.
func NewSelector(name string) Selector {
	if strings.HasPrefix(name, "/") {
		return Selector{pointer: parsePointer(name)}
	}
	return Selector{name: name}
}

// Find returns the index of the value, or value.None where there is none, or
// where the way to it leads through something else than objects and arrays.
func (s *Selector) Find(t *value.Tree) int32 {
	if t.Empty() {
		return value.None
	}
	if s.pointer == nil {
		return t.Member(value.Root, s.name)
	}
	i := value.Root
	for _, st := range s.pointer {
		switch t.Nodes[i].Kind {
		case value.Object:
			i = t.Member(i, st.key)
		case value.Array:
			i = element(t, i, st.index)
		default:
			return value.None
		}
		if i == value.None {
			return value.None
		}
	}
	return i
}

// element returns the index of element n of array i, or value.None.
func element(t *value.Tree, i int32, n int) int32 {
	if n < 0 || n >= int(t.Nodes[i].Len) {
		return value.None
	}
	c := t.First(i)
	for range n {
		c = t.Nodes[c].End
	}
	return c
}
