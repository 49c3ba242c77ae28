package value

import (
	"encoding/base64"
	"reflect"
	"time"
	"unsafe"
)

// Memory is a Go value that a tree is filled with as it lies in memory, without
// a detour by its JSON: At is where it is, and Layout is that of its type. The
// tree shares its strings, and nothing else.
type Memory struct {
	Layout *Layout
	At     unsafe.Pointer
}

// Layout says how the values of a type lie in memory, and what encoding/json
// writes for them. The type is one of strings, numbers, booleans and times, and
// of structs, pointers, arrays, slices and maps of those.
type Layout struct {
	Type reflect.Type
	Kind reflect.Kind
	As   As
	// Shares says that a copy of a value is not its own: it shares memory, or
	// may have something that is in no JSON.
	Shares bool
	Elem   *Layout // of a pointer, an array, a slice or a map
	Fields []Field // of a struct, no two with names that fold together
}

// As says what a type is to encoding/json beside its kind.
type As uint8

// The types that are written otherwise than others of their kind.
const (
	AsKind   As = iota
	AsTime      // time.Time
	AsNumber    // json.Number
	AsBytes     // a slice of bytes
)

// Field is a field of a struct.
type Field struct {
	Name      string
	NameSize  int // of the name as JSON, quotes included; see NameSize
	Offset    uintptr
	OmitEmpty bool
	OmitZero  bool
	Layout    *Layout
}

// NameSize returns the bytes that a name takes as JSON, and whether it is valid
// UTF-8.
func NameSize(name string) (int, bool) { return stringSize(name) }

// Scalar reports whether values of kind k are strings, numbers or booleans that
// a Layout can be of.
func Scalar(k reflect.Kind) bool {
	return reflect.Bool <= k && k <= reflect.Uint64 || k == reflect.Float32 || k == reflect.Float64 || k == reflect.String
}

// Value returns the value at p, to be looked at and set.
func (l *Layout) Value(p unsafe.Pointer) reflect.Value { return reflect.NewAt(l.Type, p).Elem() }

// Len returns the elements of the slice at p.
func Len(p unsafe.Pointer) int { return len(*(*[]struct{})(p)) }

// Elements returns where the elements of the array or slice at p begin, and how
// many there are.
func (l *Layout) Elements(p unsafe.Pointer) (first unsafe.Pointer, n int) {
	if l.Kind == reflect.Array {
		return p, l.Type.Len()
	}
	s := *(*[]struct{})(p)
	return unsafe.Pointer(unsafe.SliceData(s)), len(s)
}

// Omitted reports whether encoding/json leaves out the field at p.
func (field *Field) Omitted(p unsafe.Pointer) bool {
	l := field.Layout
	return field.OmitEmpty && l.empty(p) || field.OmitZero && l.zero(p)
}

func (l *Layout) empty(p unsafe.Pointer) bool {
	switch l.Kind {
	case reflect.String:
		return *(*string)(p) == ""
	case reflect.Slice:
		return Len(p) == 0
	case reflect.Map:
		return l.Value(p).Len() == 0
	case reflect.Array:
		return l.Type.Len() == 0
	case reflect.Struct:
		return false
	case reflect.Float32:
		return *(*float32)(p) == 0
	case reflect.Float64:
		return *(*float64)(p) == 0
	default:
		return l.Value(p).IsZero()
	}
}

func (l *Layout) zero(p unsafe.Pointer) bool {
	if l.As == AsTime {
		return (*time.Time)(p).IsZero()
	}
	return l.Value(p).IsZero()
}

// memory appends the value at p, which sits below depth containers.
func (f *filler) memory(key string, l *Layout, p unsafe.Pointer, depth int) Problem {
	var n int64
	switch l.Kind {
	case reflect.String:
		if l.As == AsNumber {
			return f.jsonNumber(key, *(*string)(p))
		}
		return f.text(key, *(*string)(p))
	case reflect.Struct:
		if l.As == AsTime {
			return f.time(key, (*time.Time)(p))
		}
		return f.structure(key, l, p, depth)
	case reflect.Slice:
		if first, _ := l.Elements(p); first == nil {
			return f.null(key)
		}
		if l.As == AsBytes {
			return f.base64(key, *(*[]byte)(p))
		}
		return f.elements(key, l, p, depth)
	case reflect.Array:
		return f.elements(key, l, p, depth)
	case reflect.Pointer:
		if p = *(*unsafe.Pointer)(p); p == nil {
			return f.null(key)
		}
		return f.memory(key, l.Elem, p, depth)
	case reflect.Map:
		return f.members(key, l, p, depth)
	case reflect.Bool:
		return f.boolean(key, *(*bool)(p))
	case reflect.Float32:
		return f.float(key, float64(*(*float32)(p)), Float32Form)
	case reflect.Float64:
		return f.float(key, *(*float64)(p), Float64Form)
	case reflect.Uint:
		return f.unsigned(key, uint64(*(*uint)(p)))
	case reflect.Uint64:
		return f.unsigned(key, *(*uint64)(p))
	case reflect.Int:
		n = int64(*(*int)(p))
	case reflect.Int8:
		n = int64(*(*int8)(p))
	case reflect.Int16:
		n = int64(*(*int16)(p))
	case reflect.Int32:
		n = int64(*(*int32)(p))
	case reflect.Int64:
		n = *(*int64)(p)
	case reflect.Uint8:
		n = int64(*(*uint8)(p))
	case reflect.Uint16:
		n = int64(*(*uint16)(p))
	case reflect.Uint32:
		n = int64(*(*uint32)(p))
	default:
		return Unencodable
	}
	return f.integer(key, n)
}

// structure appends a struct.
func (f *filler) structure(key string, l *Layout, p unsafe.Pointer, depth int) Problem {
	i, problem := f.open(key, Object, 0, depth)
	if problem != OK {
		return problem
	}
	children := int32(0)
	for k := range l.Fields {
		field := &l.Fields[k]
		at := unsafe.Add(p, field.Offset)
		if (field.OmitEmpty || field.OmitZero) && field.Omitted(at) {
			continue
		}
		if l := field.Layout; l.Kind == reflect.String && l.As == AsKind { // as most are
			problem = f.text(field.Name, *(*string)(at))
		} else {
			problem = f.memory(field.Name, l, at, depth+1)
		}
		if problem != OK {
			return problem
		}
		f.size += field.NameSize + len(":,")
		children++
	}
	if children > 0 {
		f.size-- // commas are between
	}
	if f.size-f.slack > f.lim.Bytes {
		return TooLarge
	}
	n := &f.Nodes[i]
	n.Len, n.End = children, int32(len(f.Nodes))
	if children > smallObject {
		return f.seal(i)
	}
	return OK
}

// elements appends an array or a slice.
func (f *filler) elements(key string, l *Layout, p unsafe.Pointer, depth int) Problem {
	first, n := l.Elements(p)
	i, problem := f.open(key, Array, n, depth)
	if problem != OK {
		return problem
	}
	size := l.Elem.Type.Size()
	for e := range n {
		if problem := f.memory("", l.Elem, unsafe.Add(first, uintptr(e)*size), depth+1); problem != OK {
			return problem
		}
	}
	return f.close(i)
}

// members appends a map.
func (f *filler) members(key string, l *Layout, p unsafe.Pointer, depth int) Problem {
	m := l.Value(p)
	if m.IsNil() {
		return f.null(key)
	}
	i, problem := f.open(key, Object, m.Len(), depth)
	if problem != OK {
		return problem
	}
	member := reflect.New(l.Elem.Type)
	for all := m.MapRange(); all.Next(); {
		name := all.Key().String()
		size, ok := stringSize(name)
		if !ok {
			return BadUTF8
		}
		f.size += size + len(":")
		member.Elem().SetIterValue(all)
		if problem := f.memory(name, l.Elem, member.UnsafePointer(), depth+1); problem != OK {
			return problem
		}
	}
	return f.close(i)
}

func (f *filler) unsigned(key string, v uint64) Problem {
	if n := int64(v); n >= 0 {
		return f.integer(key, n)
	}
	return f.bits(key, Number, UintForm, v, 20)
}

// jsonNumber appends a json.Number, of which none is 0.
func (f *filler) jsonNumber(key, text string) Problem {
	if text == "" {
		text = "0"
	}
	return f.number(key, text)
}

// time appends a time. JSON cannot say a zone to the second: it would be
// another moment.
func (f *filler) time(key string, t *time.Time) Problem {
	if _, offset := t.Zone(); offset%60 != 0 {
		return Unencodable
	}
	text, err := t.MarshalText()
	if err != nil {
		return Unencodable
	}
	return f.text(key, unsafe.String(unsafe.SliceData(text), len(text)))
}

func (f *filler) base64(key string, data []byte) Problem {
	if f.size-f.slack+base64.StdEncoding.EncodedLen(len(data)) > f.lim.Bytes {
		return TooLarge
	}
	return f.text(key, base64.StdEncoding.EncodeToString(data))
}
