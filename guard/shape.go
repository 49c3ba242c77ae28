package guard

import (
	"maps"
	"reflect"
	"slices"

	"github.com/useveto/veto-go/internal/fold"
)

// shape is what encoding/json makes of the values of a type.
type shape struct {
	object  bool                // they are objects
	fields  map[string][]*shape // of a struct by their names, each with all that it could be
	folded  map[string]string   // of a struct: those names by their folding
	owners  map[string]string   // of a struct: the fields by those names
	reads   bool                // they read themselves: there may be more fields
	element *shape              // of arrays, slices and maps
	float   int                 // bits that encoding/json keeps of a number; 0 for all of it
}

// names returns the parameters; nil where they are not known.
func (s *shape) names() []string {
	if s.fields == nil || s.reads {
		return nil
	}
	names := slices.AppendSeq([]string{}, maps.Keys(s.fields))
	slices.Sort(names)
	return names
}

// survey is what there is to know of a type and of all that it is made of.
type survey struct {
	hidden  string // a field that is not in the JSON
	foreign string // what JSON cannot be, or cannot be read into
	clash   string // two fields whose names differ in case only
	twice   string // two fields of one name, of which at most one is in the JSON

	seen   map[visit]*shape // types may hold themselves
	inside bool             // of a type that speaks for what is in it
}

type visit struct {
	t      reflect.Type
	inside bool
}

func surveyOf(t reflect.Type) (*survey, *shape) {
	v := &survey{seen: make(map[visit]*shape)}
	return v, v.of(t)
}

func (v *survey) of(t reflect.Type) *shape {
	for n := 0; t.Kind() == reflect.Pointer; n++ {
		if t = t.Elem(); n > maxDepth { // there are pointers to themselves
			v.finds(&v.foreign, t)
			return &shape{}
		}
	}
	key := visit{t, v.inside}
	if s := v.seen[key]; s != nil {
		return s
	}
	s := &shape{}
	v.seen[key] = s
	switch {
	case t == timeType:
		return s
	case speaks(t):
		v.reading(s, t)
		return s
	}
	switch t.Kind() {
	case reflect.Array, reflect.Slice:
		s.element = v.of(t.Elem())
	case reflect.Map:
		s.object = t.Key().Kind() == reflect.String
		s.element = v.of(t.Elem())
	case reflect.Struct:
		s.object = true
		v.structFields(s, t)
	case reflect.Float32, reflect.Float64:
		s.float = t.Bits()
	case reflect.Interface:
		s.float, s.element = 64, s
		if t.NumMethod() > 0 {
			v.finds(&v.foreign, t)
		}
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		v.finds(&v.foreign, t)
	}
	return s
}

// reading surveys a type that says itself how it is read. What it does most
// often is to read itself as the struct that it is, only by another name: so
// keys that are near a field's name are looked at where a tag gives the name.
func (v *survey) reading(s *shape, t reflect.Type) {
	s.object = t.Kind() == reflect.Struct || t.Kind() == reflect.Map
	s.reads = true
	if t.Kind() != reflect.Struct {
		return
	}
	was := v.inside
	v.inside = true
	v.structFields(s, t)
	v.inside = was
	for name := range s.fields {
		if !tagged(t, name) {
			delete(s.fields, name)
			delete(s.folded, fold.String(name))
		}
	}
}
