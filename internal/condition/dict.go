package condition

import (
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/useveto/veto-go/internal/value"
)

// dict is a JSON object as a CEL map.
type dict node

var (
	_ traits.Mapper   = (*dict)(nil)
	_ traits.Foldable = (*dict)(nil)
)

func (d *dict) at() *value.Node { return &d.tree.Nodes[d.i] }

// FindStringKey is looked for by the attributes of cel-go.
func (d *dict) FindStringKey(key string) (any, bool) {
	d.in.spend(len(key) / 4) // to hash it
	c := d.tree.Member(d.i, key)
	if c == value.None {
		return nil, false
	}
	return d.in.val(d.tree, c), true
}

// Find implements traits.Mapper.
func (d *dict) Find(key ref.Val) (ref.Val, bool) {
	s, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	v, ok := d.FindStringKey(string(s))
	if !ok {
		return nil, false
	}
	return v.(ref.Val), true
}

// Get implements traits.Indexer.
func (d *dict) Get(key ref.Val) ref.Val {
	if v, ok := d.Find(key); ok {
		return v
	}
	return newErr(errAbsent)
}

// Contains implements traits.Container.
func (d *dict) Contains(key ref.Val) ref.Val {
	s, ok := key.(types.String)
	if !ok {
		return types.False
	}
	d.in.spend(len(s) / 4)
	return types.Bool(d.tree.Member(d.i, string(s)) != value.None)
}

// Fold implements traits.Foldable. There are only loops over the keys.
func (d *dict) Fold(f traits.Folder) {
	for _, c := range d.sorted() {
		if !f.FoldEntry(types.String(d.tree.Nodes[c].Key), nil) {
			return
		}
	}
}

// Iterator implements traits.Iterable.
func (d *dict) Iterator() traits.Iterator { return &keys{in: d, at: d.sorted()} }

// sorted returns the members in the order of their keys. A Go map has no
// order, and where one member decides and another fails, the answer depends
// on which comes first.
func (d *dict) sorted() []int32 {
	n := int(d.at().Len)
	if n > MaxList {
		panic(errLongList)
	}
	members, bytes := make([]int32, 0, n), 0
	for c := d.tree.First(d.i); c < d.at().End; c = d.tree.Nodes[c].End {
		if len(d.tree.Nodes[c].Key) > MaxString {
			panic(errLongString)
		}
		bytes += len(d.tree.Nodes[c].Key)
		members = append(members, c)
	}
	d.in.spend(4*n + bytes/32)
	slices.SortFunc(members, func(a, b int32) int {
		return strings.Compare(d.tree.Nodes[a].Key, d.tree.Nodes[b].Key)
	})
	return members
}

// Size implements traits.Sizer.
func (d *dict) Size() ref.Val { return types.Int(d.at().Len) }

// Equal implements ref.Val.
func (d *dict) Equal(v ref.Val) ref.Val { return equal(&meter{t: &d.in.tracker}, d, v) }

// ConvertToNative implements ref.Val.
func (d *dict) ConvertToNative(reflect.Type) (any, error) { return nil, errConvert }

// ConvertToType implements ref.Val.
func (d *dict) ConvertToType(t ref.Type) ref.Val {
	switch t {
	case types.MapType:
		return d
	case types.TypeType:
		return types.MapType
	}
	return newErr(errType)
}

// Type implements ref.Val.
func (d *dict) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (d *dict) Value() any { return nil }

// keys iterates over the keys of a dict.
type keys struct {
	ref.Val
	in *dict
	at []int32
}

// HasNext implements traits.Iterator.
func (k *keys) HasNext() ref.Val { return types.Bool(len(k.at) > 0) }

// Next implements traits.Iterator.
func (k *keys) Next() ref.Val {
	c := k.at[0]
	k.at = k.at[1:]
	return types.String(k.in.tree.Nodes[c].Key)
}

// Type implements ref.Val.
func (*keys) Type() ref.Type { return types.IteratorType }
