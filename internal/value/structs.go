package value

import (
	"math"
	"reflect"
	"unsafe"
)

// Struct is a struct that a tree is filled with, without a detour by its JSON:
// Fields are those of its type, no two of which have names that fold together,
// and At is where it is.
type Struct struct {
	Fields []Field
	At     unsafe.Pointer
}

// Field is a field of a struct: a boolean, a string or a number that
// encoding/json writes as that.
type Field struct {
	Name      string
	NameSize  int // of the name as JSON, quotes included; see NameSize
	Offset    uintptr
	Kind      reflect.Kind
	OmitEmpty bool
}

// NameSize returns the bytes that a name takes as JSON, and whether it is valid
// UTF-8.
func NameSize(name string) (int, bool) { return stringSize(name) }

// FieldKind reports whether a Field can be of kind k.
func FieldKind(k reflect.Kind) bool {
	return reflect.Bool <= k && k <= reflect.Uint64 || k == reflect.Float32 || k == reflect.Float64 || k == reflect.String
}

// structure appends a struct as the root.
func (f *filler) structure(s *Struct) Problem {
	i, p := f.open("", Object, 0, 0)
	if p != OK {
		return p
	}
	children := int32(0)
	for k := range s.Fields {
		field := &s.Fields[k]
		had := len(f.Nodes)
		if p := f.field(field, unsafe.Add(s.At, field.Offset)); p != OK {
			return p
		}
		if len(f.Nodes) == had {
			continue
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

// field appends the field at p, unless it is to be left out.
func (f *filler) field(field *Field, p unsafe.Pointer) Problem {
	var n int64
	switch field.Kind {
	case reflect.String:
		if v := *(*string)(p); v != "" || !field.OmitEmpty {
			return f.text(field.Name, v)
		}
		return OK
	case reflect.Bool:
		if v := *(*bool)(p); v || !field.OmitEmpty {
			return f.boolean(field.Name, v)
		}
		return OK
	case reflect.Float32, reflect.Float64:
		return f.floatField(field, p)
	case reflect.Uint:
		return f.unsigned(field, uint64(*(*uint)(p)))
	case reflect.Uint64:
		return f.unsigned(field, *(*uint64)(p))
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
	if n == 0 && field.OmitEmpty {
		return OK
	}
	return f.integer(field.Name, n)
}

func (f *filler) unsigned(field *Field, v uint64) Problem {
	switch {
	case v == 0 && field.OmitEmpty:
		return OK
	case v > math.MaxInt64:
		return f.bits(field.Name, Number, UintForm, v, 20)
	default:
		return f.integer(field.Name, int64(v))
	}
}

func (f *filler) floatField(field *Field, p unsafe.Pointer) Problem {
	v, form := 0.0, Float64Form
	if field.Kind == reflect.Float32 {
		v, form = float64(*(*float32)(p)), Float32Form
	} else {
		v = *(*float64)(p)
	}
	if v == 0 && field.OmitEmpty {
		return OK
	}
	return f.float(field.Name, v, form)
}
