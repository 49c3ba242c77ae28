package guard

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// shape is what encoding/json makes of the values of a type.
type shape struct {
	object  bool                // they are objects
	fields  map[string][]*shape // of a struct by their names, each with all that it could be
	folded  map[string]string   // of a struct: those names by their folding
	owners  map[string]string   // of a struct: the fields by those names
	speaks  bool                // they speak for themselves: there may be other fields
	element *shape              // of arrays, slices and maps
	fixed   bool                // they are arrays
	length  int                 // of so many elements, where fixed
	bytes   bool                // they are slices of bytes, in base64, or of what speaks for itself, in arrays
	number  bool                // they are a json.Number, which encoding/json reads from a string, too
	float   int                 // bits that encoding/json keeps of a number; 0 for all of it
}

// names returns the parameters; nil where they are not known.
func (s *shape) names() []string {
	if s.fields == nil || s.speaks {
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
	loose   string // what encoding/json reads as the same from what is not to a decision

	speaks func(reflect.Type) bool // which types speak for themselves
	seen   map[visit]*shape        // types may hold themselves
	inside bool                    // of a type that speaks for what is in it
}

type visit struct {
	t      reflect.Type
	inside bool
}

// surveyOf surveys t. Of types that speak for themselves only they know all: to
// who reads JSON those are the ones that read themselves.
func surveyOf(t reflect.Type, speaks func(reflect.Type) bool) (*survey, *shape) {
	v := &survey{speaks: speaks, seen: make(map[visit]*shape)}
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
	case v.speaks(t):
		v.speaking(s, t)
		return s
	}
	switch t.Kind() {
	case reflect.Array:
		s.fixed, s.length = true, t.Len()
		s.element = v.of(t.Elem())
	case reflect.Slice:
		if s.bytes = t.Elem().Kind() == reflect.Uint8; !s.bytes || speaks(t.Elem()) {
			s.element = v.of(t.Elem())
		}
	case reflect.Map:
		if s.object = t.Key().Kind() == reflect.String; !s.object || readsItself(t.Key()) {
			keep(&v.loose, fmt.Sprintf("several keys of %s in JSON may be one key to the tool, so that it may get another value than is decided on; let the keys be strings", t))
		}
		s.element = v.of(t.Elem())
	case reflect.String:
		s.number = t == numberType
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

// speaking surveys a type that speaks for itself. What most such types do is to
// read themselves as what they are, only by another name; so it is looked at as
// if they did.
func (v *survey) speaking(s *shape, t reflect.Type) {
	s.object = t.Kind() == reflect.Struct || t.Kind() == reflect.Map
	s.speaks = true
	was := v.inside
	v.inside = true
	switch t.Kind() {
	case reflect.Struct:
		v.structFields(s, t)
	case reflect.Slice, reflect.Map:
		s.element = v.of(t.Elem())
	}
	v.inside = was
}
