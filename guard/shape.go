package guard

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/useveto/veto-go/internal/fold"
	"github.com/useveto/veto-go/internal/value"
)

// shape is what encoding/json makes of a type, as far as a guard must know.
type shape struct {
	object  bool              // its JSON is an object
	flat    bool              // it holds no reference: a copy of it is a copy of all of it
	hidden  string            // what is not in its JSON
	clash   string            // two fields whose names differ in case only
	fields  map[string]*shape // of a struct, by the names in JSON
	folded  map[string]string // of a struct: those names by their folding
	element *shape            // of arrays, slices and maps
}

// names returns the parameters; nil where they are not known.
func (s *shape) names() []string {
	if s.fields == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.fields))
}

var (
	marshaler   = reflect.TypeFor[json.Marshaler]()
	unmarshaler = reflect.TypeFor[json.Unmarshaler]()
	toText      = reflect.TypeFor[encoding.TextMarshaler]()
	timeType    = reflect.TypeFor[time.Time]()
)

// shapeOf returns the shape of t, of which every decision could be made.
func shapeOf(t reflect.Type) (*shape, error) {
	s := shaper{}.of(t)
	if s.clash != "" {
		return nil, fmt.Errorf("%s of %s differ in case only, so every decision refuses them", s.clash, t)
	}
	return s, nil
}

// shaper remembers types that are being looked at, which may hold themselves.
type shaper map[reflect.Type]*shape

func (sh shaper) of(t reflect.Type) *shape {
	if s := sh[t]; s != nil {
		return s
	}
	s := &shape{}
	sh[t] = s
	if t == timeType {
		s.flat = true
		return s
	}
	if speaks(t) {
		// Whatever it writes; it may be an object.
		s.object = t.Kind() == reflect.Struct || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer
		return s
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		s.flat = true
	case reflect.Array:
		s.element = sh.of(t.Elem())
		s.flat = s.element.flat
	case reflect.Slice:
		s.element = sh.of(t.Elem())
	case reflect.Pointer:
		e := sh.of(t.Elem())
		s.object, s.fields, s.folded, s.element, s.hidden, s.clash = e.object, e.fields, e.folded, e.element, e.hidden, e.clash
	case reflect.Map:
		s.object = t.Key().Kind() == reflect.String
		s.element = sh.of(t.Elem())
	case reflect.Struct:
		s.object, s.flat = true, true
		s.fields, s.folded = make(map[string]*shape), make(map[string]string)
		sh.structFields(s, t)
	}
	return s
}

func speaks(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(marshaler) || p.Implements(unmarshaler) || p.Implements(toText)
}

func (sh shaper) structFields(s *shape, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && tag == "" {
			e := f.Type
			if e.Kind() == reflect.Pointer {
				e, s.flat = e.Elem(), false
			}
			if e.Kind() == reflect.Struct && !speaks(e) {
				sh.structFields(s, e)
				continue
			}
		}
		if !f.IsExported() || tag == "-" && options == "" && !strings.Contains(f.Tag.Get("json"), ",") {
			if s.hidden == "" {
				s.hidden = "the field " + f.Name
			}
			// A copy of the struct copies it; whether that is all of it matters.
			s.flat = s.flat && sh.of(f.Type).flat
			continue
		}
		name := tag
		if name == "" {
			name = f.Name
		}
		e := sh.of(f.Type)
		s.flat = s.flat && e.flat
		if s.hidden == "" && e.hidden != "" {
			s.hidden = e.hidden
		}
		if s.clash == "" {
			s.clash = e.clash
		}
		folded := fold.String(name)
		if other, taken := s.folded[folded]; taken && other != name && s.clash == "" {
			s.clash = fmt.Sprintf("the parameters %q and %q", other, name)
		}
		if s.fields[name] == nil {
			s.fields[name] = e
			s.folded[folded] = name
		}
	}
}

// check reports a key of node i of t that encoding/json would take for a field
// although it is not the field's name.
func (s *shape) check(t *value.Tree, i int32) bool {
	n := &t.Nodes[i]
	switch n.Kind {
	case value.Object:
		for c := t.First(i); c < n.End; c = t.Nodes[c].End {
			next := s.element
			if s.fields != nil {
				if next = s.fields[t.Nodes[c].Key]; next == nil {
					if _, near := s.folded[fold.String(t.Nodes[c].Key)]; near {
						return false
					}
				}
			}
			if next != nil && !next.check(t, c) {
				return false
			}
		}
	case value.Array:
		if s.element == nil {
			return true
		}
		for c := t.First(i); c < n.End; c = t.Nodes[c].End {
			if !s.element.check(t, c) {
				return false
			}
		}
	}
	return true
}
