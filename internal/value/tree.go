package value

// Kind is the JSON type of a Node.
type Kind uint8

// The kinds. The zero Kind is no value at all.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"invalid", "null", "boolean", "number", "string", "array", "object"}

// String returns the JSON name of the kind.
func (k Kind) String() string { return kindNames[k] }

// Form says how a Number node holds its number.
type Form uint8

// The forms of a number. Every form stands for the decimal that encoding/json
// would write: the shortest text that reads back as the same float.
const (
	TextForm    Form = iota // Node.Text is the JSON text
	IntForm                 // Node.Bits is an int64
	UintForm                // Node.Bits is a uint64 above the int64 range
	Float64Form             // Node.Bits is math.Float64bits of a finite number
	Float32Form             // Node.Bits is math.Float64bits of float64(a finite float32)
)

// Node is one value of a Tree. Nodes stand in document order: a container is
// followed by its children, each with all that is below it.
type Node struct {
	Key  string // name of the member, where the parent is an object
	Text string // String: the value; Number in TextForm: its JSON text
	Bits uint64 // Bool: 0 or 1; Number: see Form; Object: internal
	End  int32  // index just past the last node below this one
	Len  int32  // Array and Object: number of children
	Pos  int32  // the byte offset, where the tree was read from a text
	Kind Kind
	Form Form
}

// Tree is a JSON value as a flat array of nodes; Nodes[0] is the root. An
// empty Nodes means that there is no value. The zero Tree is ready to use;
// a Tree is not safe for concurrent use while it is being filled.
//
// Strings in nodes share memory with what the tree was filled from: that must
// not change while the tree is in use.
type Tree struct {
	Nodes []Node

	text  []byte  // unescaped strings of the JSON reader
	table []int32 // member tables of large objects
	size  int     // bytes of compact JSON, at most
	slack int     // how far size may be above the true number
}

// Root is the index of the root node.
const Root int32 = 0

// None is the index that stands for no node.
const None int32 = -1

// Reset empties the tree and keeps its memory, unless it grew past what is
// worth keeping.
func (t *Tree) Reset() {
	const keepNodes, keepText = 4096, 64 << 10
	if cap(t.Nodes) > keepNodes {
		t.Nodes = nil
	} else {
		clear(t.Nodes) // node relies on it, and nothing of a call is kept alive
		t.Nodes = t.Nodes[:0]
	}
	// Strings of nodes that were handed out may still point into text, so
	// its memory is never written twice.
	t.text = nil
	if cap(t.table) > keepNodes {
		t.table = nil
	}
	t.table = t.table[:0]
	t.size, t.slack = 0, 0
}

// Empty reports whether the tree holds no value.
func (t *Tree) Empty() bool { return len(t.Nodes) == 0 }

// First returns the index of the first child of container i, or its End where
// it has none. Iterate with
//
//	for c := t.First(i); c < t.Nodes[i].End; c = t.Nodes[c].End { … }
func (t *Tree) First(i int32) int32 { return i + 1 }

// Member returns the index of the member key of object i, or None. The key
// matches byte for byte.
func (t *Tree) Member(i int32, key string) int32 {
	n := &t.Nodes[i]
	if n.Len > smallObject {
		return t.lookup(i, key)
	}
	for c := i + 1; c < n.End; c = t.Nodes[c].End {
		if t.Nodes[c].Key == key {
			return c
		}
	}
	return None
}
