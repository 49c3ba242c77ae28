package value

import (
	"bytes"
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"unicode/utf8"
	"unsafe"

	"github.com/useveto/veto-go/internal/decimal"
)

// SetGo fills the tree from what a caller passes as parameters: nil, a map
// with string keys, raw JSON (json.RawMessage or a pointer to one, []byte or
// string), or any
// other value that encoding/json can write as an object. Nil, zero bytes and
// the literal null leave the tree empty: there are no parameters.
//
// The value counts as its compact JSON against lim.Bytes; raw JSON counts the
// bytes as they are. On a Problem the tree is empty. It allocates nothing
// for maps and slices of the kinds that encoding/json decodes into.
func (t *Tree) SetGo(v any, lim Limits) Problem {
	t.Reset()
	p := t.setGo(v, lim)
	if p != OK {
		t.Reset()
	}
	return p
}

func (t *Tree) setGo(v any, lim Limits) Problem {
	switch v := v.(type) {
	case nil:
		return OK
	case map[string]any:
		if v == nil {
			return OK
		}
	case json.RawMessage:
		return t.setRaw(v, lim)
	case []byte:
		return t.setRaw(v, lim)
	case string:
		return t.setRaw(unsafe.Slice(unsafe.StringData(v), len(v)), lim)
	case *json.RawMessage: // which is passed without allocating
		if v == nil {
			return OK
		}
		return t.setRaw(*v, lim)
	case *Memory:
		f := filler{Tree: t, lim: lim}
		return f.whole(f.memory("", v.Layout, v.At, 0))
	case *Refused:
		return v.problem()
	}
	f := filler{Tree: t, lim: lim}
	return f.whole(f.add("", v, 0))
}

// whole says whether what was added makes parameters.
func (f *filler) whole(p Problem) Problem {
	if p != OK {
		return p
	}
	t := f.Tree
	switch t.Nodes[Root].Kind {
	case Object:
	case Null:
		t.Reset()
		return OK
	default:
		return NotObject
	}
	// Only the length of floats was estimated; where that decides, measure.
	if t.size > f.lim.Bytes && t.Size() > f.lim.Bytes {
		return TooLarge
	}
	return OK
}

func (t *Tree) setRaw(data []byte, lim Limits) Problem {
	if len(data) == 0 {
		return OK
	}
	if p, _ := t.SetJSON(data, lim); p != OK {
		return p
	}
	t.size = len(data)
	switch t.Nodes[Root].Kind {
	case Object:
		return OK
	case Null:
		t.Reset()
		return OK
	default:
		return NotObject
	}
}

// Size returns the bytes of compact JSON that the tree counts as; raw JSON
// counts as it stands. It takes time, and memory, only where there are
// fractions.
func (t *Tree) Size() int {
	if t.slack == 0 || t.Empty() {
		return t.size
	}
	return len(t.AppendJSON(nil, Root))
}

// filler appends Go values to a tree.
type filler struct {
	*Tree
	lim Limits
}

// floatSize is the most characters that a finite float64 takes.
const floatSize = 25

// add appends v, which sits below depth containers.
func (f *filler) add(key string, v any, depth int) Problem {
	switch v := v.(type) {
	case string:
		return f.text(key, v)
	case float64:
		return f.float(key, v, Float64Form)
	case bool:
		return f.boolean(key, v)
	case nil:
		return f.null(key)
	case map[string]any:
		if v == nil {
			return f.null(key)
		}
		i, p := f.open(key, Object, len(v), depth)
		if p != OK {
			return p
		}
		for k, e := range v {
			if p := f.pair(k, e, depth); p != OK {
				return p
			}
		}
		return f.close(i)
	case []any:
		if v == nil {
			return f.null(key)
		}
		i, p := f.open(key, Array, len(v), depth)
		if p != OK {
			return p
		}
		for _, e := range v {
			if p := f.add("", e, depth+1); p != OK {
				return p
			}
		}
		return f.close(i)
	case int:
		return f.integer(key, int64(v))
	case int64:
		return f.integer(key, v)
	case json.Number:
		return f.number(key, string(v))
	case json.RawMessage:
		return f.raw(key, v, depth)
	default:
		return f.reflected(key, v, depth)
	}
}

// pair appends one member of an object that sits below depth containers. The
// most frequent kinds of it are looked at here, without a further call.
func (f *filler) pair(k string, v any, depth int) Problem {
	size := len(k) + 3
	if len(k) > 8 || special(word(k)) != 0 {
		var ok bool
		if size, ok = stringSize(k); !ok {
			return BadUTF8
		}
		size++
	}
	f.size += size
	switch v := v.(type) {
	case string:
		size := len(v) + 2
		if len(v) > 8 || special(word(v)) != 0 {
			var ok bool
			if size, ok = stringSize(v); !ok {
				return BadUTF8
			}
		}
		if f.size += size; f.size-f.slack > f.lim.Bytes {
			return TooLarge
		}
		n := f.node(k, String)
		n.Text = v
		n.End = int32(len(f.Nodes))
		return OK
	case bool:
		return f.boolean(k, v)
	case int64:
		return f.integer(k, v)
	case int:
		return f.integer(k, int64(v))
	default:
		return f.add(k, v, depth+1)
	}
}

// leaf appends a node without children, to be filled in by the caller, or
// returns nil where it does not fit: it takes size bytes.
func (f *filler) leaf(key string, kind Kind, size int) *Node {
	if f.size += size; f.size-f.slack > f.lim.Bytes {
		return nil
	}
	n := f.node(key, kind)
	n.End = int32(len(f.Nodes))
	return n
}

// node appends a node. Its memory is clear, see Reset.
func (t *Tree) node(key string, kind Kind) *Node {
	i := len(t.Nodes)
	if i == cap(t.Nodes) {
		t.Nodes = append(t.Nodes, Node{})
	} else {
		t.Nodes = t.Nodes[:i+1]
	}
	n := &t.Nodes[i]
	n.Key, n.Kind = key, kind
	return n
}

func (f *filler) null(key string) Problem {
	if f.leaf(key, Null, len("null")) == nil {
		return TooLarge
	}
	return OK
}

func (f *filler) text(key, v string) Problem {
	size, ok := stringSize(v)
	if !ok {
		return BadUTF8
	}
	n := f.leaf(key, String, size)
	if n == nil {
		return TooLarge
	}
	n.Text = v
	return OK
}

func (f *filler) bits(key string, kind Kind, form Form, bits uint64, size int) Problem {
	n := f.leaf(key, kind, size)
	if n == nil {
		return TooLarge
	}
	n.Form, n.Bits = form, bits
	return OK
}

func (f *filler) open(key string, kind Kind, children, depth int) (int32, Problem) {
	if depth >= f.lim.Depth {
		return None, TooDeep
	}
	i := int32(len(f.Nodes))
	// Brackets, and a comma between children; a child takes at least a byte.
	size := 2
	if children > 1 {
		size += children - 1
	}
	if f.size += size; f.size-f.slack+children > f.lim.Bytes {
		return None, TooLarge
	}
	f.node(key, kind).Len = int32(children)
	return i, OK
}

func (f *filler) close(i int32) Problem {
	n := &f.Nodes[i]
	n.End = int32(len(f.Nodes))
	if n.Kind == Object {
		return f.seal(i)
	}
	return OK
}

func (f *filler) boolean(key string, v bool) Problem {
	if v {
		return f.bits(key, Bool, 0, 1, len("true"))
	}
	return f.bits(key, Bool, 0, 0, len("false"))
}

func (f *filler) integer(key string, v int64) Problem {
	return f.bits(key, Number, IntForm, uint64(v), intSize(v))
}

func (f *filler) float(key string, v float64, form Form) Problem {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return NotFinite
	}
	most := 1e15
	if form == Float32Form {
		most = 1 << 24 // past that, fewer digits than those of the integer may do
	}
	if math.Abs(v) < most && v == math.Trunc(v) && (v != 0 || !math.Signbit(v)) {
		return f.integer(key, int64(v)) // the same text, and cheaper to compare
	}
	f.slack += floatSize - 1
	return f.bits(key, Number, form, math.Float64bits(v), floatSize)
}

func (f *filler) number(key, text string) Problem {
	if !decimal.Valid(text) {
		return NumberRange
	}
	n := f.leaf(key, Number, len(text))
	if n == nil {
		return TooLarge
	}
	n.Text = text
	return OK
}

// raw appends JSON text that stands inside a Go value.
func (f *filler) raw(key string, data []byte, depth int) Problem {
	if len(data) == 0 {
		return f.null(key)
	}
	if f.size += len(data); f.size-f.slack > f.lim.Bytes {
		return TooLarge
	}
	return f.appendJSON(key, data, Limits{Bytes: f.lim.Bytes, Depth: f.lim.Depth - depth})
}

// reflected appends a value of a type that encoding/json would not have made.
// One that says itself how it is written is asked; the rest go by their kind.
func (f *filler) reflected(key string, v any, depth int) Problem {
	switch v.(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return f.marshalled(key, v, depth)
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.String:
		return f.add(key, rv.String(), depth)
	case reflect.Bool:
		return f.boolean(key, rv.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return f.integer(key, rv.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		u := rv.Uint()
		if u <= math.MaxInt64 {
			return f.integer(key, int64(u))
		}
		return f.bits(key, Number, UintForm, u, 20)
	case reflect.Float32:
		return f.float(key, rv.Float(), Float32Form)
	case reflect.Float64:
		return f.float(key, rv.Float(), Float64Form)
	case reflect.Map:
		if rv.Type().Key().Kind() != reflect.String {
			return f.marshalled(key, v, depth)
		}
		if rv.IsNil() {
			return f.add(key, nil, depth)
		}
		i, p := f.open(key, Object, rv.Len(), depth)
		if p != OK {
			return p
		}
		for iter := rv.MapRange(); iter.Next(); {
			if _, ok := iter.Key().Interface().(encoding.TextMarshaler); ok {
				return Unencodable
			}
			if p := f.pair(iter.Key().String(), iter.Value().Interface(), depth); p != OK {
				return p
			}
		}
		return f.close(i)
	case reflect.Slice, reflect.Array:
		if rv.Kind() == reflect.Slice && rv.IsNil() {
			return f.add(key, nil, depth)
		}
		if elem := rv.Type().Elem(); elem.Kind() == reflect.Uint8 || speaksByPointer(elem) {
			// Bytes are written as base64; and the elements of a slice can be
			// asked by their address, which a copy of them has not.
			return f.marshalled(key, v, depth)
		}
		i, p := f.open(key, Array, rv.Len(), depth)
		if p != OK {
			return p
		}
		for e := range rv.Len() {
			if p := f.add("", rv.Index(e).Interface(), depth+1); p != OK {
				return p
			}
		}
		return f.close(i)
	default:
		return f.marshalled(key, v, depth)
	}
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// speaksByPointer reports whether encoding/json might ask the elements of a
// slice of t, or what is in them, how they are written.
func speaksByPointer(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Map, reflect.Pointer:
		return false // what is in there has no address in the slice
	case reflect.Struct, reflect.Array, reflect.Slice:
		return true
	default:
		p := reflect.PointerTo(t)
		return p.Implements(marshaler) || p.Implements(textMarshaler)
	}
}

// marshalled appends what encoding/json writes for v.
func (f *filler) marshalled(key string, v any, depth int) (p Problem) {
	defer func() {
		if recover() != nil { // a MarshalJSON of the caller's
			p = Unencodable
		}
	}()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return Unencodable
	}
	// The encoder replaces invalid UTF-8, which the tool would still see, by
	// U+FFFD; some write it as an escape and some as it is.
	if bytes.Contains(buf.Bytes(), []byte(`\ufffd`)) || bytes.Contains(buf.Bytes(), []byte("\uFFFD")) {
		return BadUTF8
	}
	return f.raw(key, bytes.TrimSuffix(buf.Bytes(), []byte("\n")), depth)
}

// stringSize returns how many bytes s takes as a JSON string, quotes
// included, and whether it is valid UTF-8.
func stringSize(s string) (int, bool) {
	if plain(unsafe.Slice(unsafe.StringData(s), len(s)), 0) == len(s) {
		return len(s) + 2, true
	}
	size, ascii := len(s)+2, true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			ascii = false
		case c == '"' || c == '\\':
			size++
		case c < 0x20:
			size += escapeSize[c]
		}
	}
	return size, ascii || utf8.ValidString(s)
}

// escapeSize is how much longer a control character becomes when escaped.
var escapeSize = [0x20]int{}

func init() {
	for c := range escapeSize {
		escapeSize[c] = len(`\u0000`) - 1
	}
	for _, c := range "\b\f\n\r\t" {
		escapeSize[c] = len(`\n`) - 1
	}
}

func intSize(v int64) int {
	size := 1
	if v < 0 {
		size++
	}
	for v /= 10; v != 0; v /= 10 {
		size++
	}
	return size
}
