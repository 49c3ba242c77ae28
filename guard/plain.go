package guard

import (
	"cmp"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"unsafe"

	"github.com/useveto/veto-go/internal/value"
)

// plain reports whether t is a struct that can be decided on as it is, without
// a detour by its JSON: of fields that are text, numbers and booleans. Most
// arguments are.
func plain(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	names := make(map[string]bool)
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if !f.IsExported() && !f.Anonymous || tag == "-" {
			continue
		}
		_, options, _ := strings.Cut(tag, ",")
		if f.Anonymous || options != "" && options != "omitempty" || f.Type == numberType || !value.FieldKind(f.Type.Kind()) {
			return false
		}
		name, _ := nameOf(f)
		name = cmp.Or(name, f.Name)
		if _, ok := value.NameSize(name); names[name] || !ok {
			return false // encoding/json takes neither, or writes it otherwise
		}
		names[name] = true
	}
	return true
}

var numberType = reflect.TypeFor[json.Number]()

// fieldsOf returns the fields of a plain struct.
func fieldsOf(t reflect.Type) (fields []value.Field) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, kept := nameOf(f)
		if !f.IsExported() || !kept {
			continue
		}
		if name == "" {
			name = f.Name
		}
		size, _ := value.NameSize(name)
		_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, value.Field{Name: name, NameSize: size, Offset: f.Offset, Kind: f.Type.Kind(), OmitEmpty: options != ""})
	}
	return fields
}

// lender holds a struct while it is decided on, for one call after another.
type lender[In any] struct {
	in   In
	as   value.Struct
	pool *sync.Pool
}

func (l *lender[In]) giveBack() {
	var none In
	l.in = none
	l.pool.Put(l)
}

func plainCodec[In any](t reflect.Type) codec[In] {
	fields := fieldsOf(t)
	pool := new(sync.Pool)
	pool.New = func() any {
		l := &lender[In]{pool: pool}
		l.as = value.Struct{Fields: fields, At: unsafe.Pointer(&l.in)}
		return l
	}
	return func(in In, _ *json.RawMessage) (frozen[In], error) {
		l := pool.Get().(*lender[In])
		l.in = in
		return frozen[In]{params: &l.as, value: in, lent: l}, nil
	}
}
