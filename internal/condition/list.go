package condition

import (
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/useveto/veto-go/internal/value"
)

// list is a JSON array as a CEL list.
type list node

var (
	_ traits.Lister   = (*list)(nil)
	_ traits.Foldable = (*list)(nil)
)

func (l *list) at() *value.Node { return &l.tree.Nodes[l.i] }

// child returns the index of element i. It walks there, and is paid for it.
func (l *list) child(i int64) (int32, bool) {
	if i < 0 || i >= int64(l.at().Len) {
		return value.None, false
	}
	l.in.spend(int(i) / 16)
	c := l.tree.First(l.i)
	for ; i > 0; i-- {
		c = l.tree.Nodes[c].End
	}
	return c, true
}

// GetInt64Index is looked for by the attributes of cel-go.
func (l *list) GetInt64Index(i int64) (any, bool) {
	c, ok := l.child(i)
	if !ok {
		return nil, false
	}
	return l.in.val(l.tree, c), true
}

// Get implements traits.Indexer.
func (l *list) Get(index ref.Val) ref.Val {
	i, err := types.GetOrError(index)
	if err != nil {
		return newErr(errType)
	}
	if v, ok := l.GetInt64Index(int64(i)); ok {
		return v.(ref.Val)
	}
	return newErr(errAbsent)
}

// Fold implements traits.Foldable.
func (l *list) Fold(f traits.Folder) {
	i := 0
	for c := l.tree.First(l.i); c < l.at().End; c = l.tree.Nodes[c].End {
		if !f.FoldEntry(types.Int(i), l.in.val(l.tree, c)) {
			return
		}
		i++
	}
}

// Size implements traits.Sizer.
func (l *list) Size() ref.Val { return types.Int(l.at().Len) }

// Iterator implements traits.Iterable.
func (l *list) Iterator() traits.Iterator { return &elements{of: l, next: l.tree.First(l.i)} }

// Add implements traits.Adder.
func (l *list) Add(other ref.Val) ref.Val { return concat(l, other) }

// Contains implements traits.Container.
func (l *list) Contains(v ref.Val) ref.Val { return contains(&meter{t: &l.in.tracker}, v, l) }

// Equal implements ref.Val.
func (l *list) Equal(v ref.Val) ref.Val { return equal(&meter{t: &l.in.tracker}, l, v) }

// ConvertToNative implements ref.Val.
func (l *list) ConvertToNative(reflect.Type) (any, error) { return nil, errConvert }

// ConvertToType implements ref.Val.
func (l *list) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.ListType:
		return l
	case types.TypeType:
		return types.ListType
	}
	return newErr(errType)
}

// Type implements ref.Val.
func (l *list) Type() ref.Type { return types.ListType }

// Value implements ref.Val.
func (l *list) Value() any { return nil }

// elements iterates over a list.
type elements struct {
	ref.Val // no iterator is used as a value
	of      *list
	next    int32
}

// HasNext implements traits.Iterator.
func (e *elements) HasNext() ref.Val { return types.Bool(e.next < e.of.at().End) }

// Next implements traits.Iterator.
func (e *elements) Next() ref.Val {
	c := e.next
	e.next = e.of.tree.Nodes[c].End
	return e.of.in.val(e.of.tree, c)
}

// Type implements ref.Val.
func (*elements) Type() ref.Type { return types.IteratorType }
