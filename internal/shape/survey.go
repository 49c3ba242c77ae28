package shape

import (
	"fmt"
	"reflect"
)

// survey is a survey that is being made.
type survey struct {
	Survey
	way  Way
	seen map[visit]*Shape // types may hold themselves
	made []*Shape
	in   place
	at   string // the field that is looked at, for findings
}

// place is where something is.
type place uint8

const (
	plain  place = iota
	inside       // of a type that speaks for what is in it
	part         // of one, as that into which it may read itself
)

type visit struct {
	t  reflect.Type
	in place
}

// maxPointers is how many pointers to pointers are followed: there are types
// that point to themselves.
const maxPointers = 64

func (v *survey) make() *Shape {
	s := &Shape{}
	v.made = append(v.made, s)
	return s
}

// speaks reports whether values of t speak for themselves.
func (v *survey) speaks(t reflect.Type) bool {
	return ReadsItself(t) || v.way == Both && WritesItself(t)
}

func (v *survey) of(t reflect.Type) *Shape {
	for n := 0; t.Kind() == reflect.Pointer; n++ {
		if t = t.Elem(); n > maxPointers {
			v.finds(&v.Foreign, t)
			return v.make()
		}
	}
	key := visit{t, v.in}
	if s := v.seen[key]; s != nil {
		return s
	}
	s := v.make()
	v.seen[key] = s
	switch {
	case t == Time:
		return s
	case t == duration && v.way == ReadExactly && v.in == plain:
		s.number = true // what reads exactly reads it from "1h", too
		return s
	case v.speaks(t):
		v.oneWay(t)
		v.speaking(s, t)
		return s
	}
	switch t.Kind() {
	case reflect.Slice:
		if s.bytes = t.Elem().Kind() == reflect.Uint8; !s.bytes || Speaks(t.Elem()) {
			s.element = v.of(t.Elem())
		}
	case reflect.Map:
		s.object = t.Key().Kind() == reflect.String
		if (!s.object || ReadsItself(t.Key())) && v.in != part {
			keep(&v.Loose, fmt.Sprintf("several keys of %s in JSON may be one key to the tool, so that it may get another value than is decided on; let the keys be strings", t))
		}
		s.integers = integers(t)
		s.members = v.of(t.Elem())
	case reflect.String:
		s.number = t == Number
	case reflect.Struct:
		s.object = true
		s.exact = v.way == ReadExactly && v.in == plain
		v.structFields(s, t)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			v.finds(&v.Foreign, t) // nothing is read into it
		} else {
			s.float, s.element, s.members = 64, s, s
		}
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		v.finds(&v.Foreign, t)
	default:
		v.flat(s, t)
	}
	return s
}

// integers reports whether the keys of a map are read as integers.
func integers(t reflect.Type) bool {
	return t.Key().Kind() != reflect.String && !ReadsItself(t.Key())
}

// flat surveys what is the same whether it reads itself or not.
func (v *survey) flat(s *Shape, t reflect.Type) {
	switch t.Kind() {
	case reflect.Array:
		s.fixed, s.length = true, t.Len()
		s.element = v.of(t.Elem())
	case reflect.Float32, reflect.Float64:
		s.float = t.Bits()
	}
}

// speaking surveys a type that speaks for itself. What most such types do is to
// read themselves as what they are, only by another name, or into something
// that they hold; so it is looked at as if they did, in all of these ways.
func (v *survey) speaking(s *Shape, t reflect.Type) {
	s.object = t.Kind() == reflect.Struct || t.Kind() == reflect.Map
	s.speaks = true
	was := v.in
	v.in = max(was, inside)
	isBytes := t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
	switch t.Kind() {
	case reflect.Struct:
		v.structFields(s, t)
	case reflect.Map:
		s.integers = integers(t)
		s.members = v.of(t.Elem())
	case reflect.Slice:
		if isBytes {
			s.bytes = t != raw
			s.maybe = s.bytes
		} else {
			s.element = v.of(t.Elem())
		}
	default:
		v.flat(s, t)
	}
	v.in = part
	switch t.Kind() {
	case reflect.Struct:
		v.partsOf(s, t, make(map[reflect.Type]bool))
	case reflect.Slice, reflect.Map, reflect.Array:
		if !isBytes {
			v.part(s, t.Elem())
		}
	}
	v.in = was
}

// partsOf adds what t, which reads itself, may read itself into: the fields,
// also of what it embeds, but for those to which a tag gives a name. Those are
// meant to be members of it.
func (v *survey) partsOf(s *Shape, t reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	for i := range t.NumField() {
		f := t.Field(i)
		if name, kept := NameOf(f); kept && name != "" && f.IsExported() {
			continue
		}
		v.part(s, f.Type)
		if inner := Pointed(f.Type); f.Anonymous && inner.Kind() == reflect.Struct && inner != Time && !ReadsItself(inner) {
			v.partsOf(s, inner, seen)
		}
	}
}

// part adds t, if not all is the same to it.
func (v *survey) part(s *Shape, t reflect.Type) {
	for n := 0; t.Kind() == reflect.Pointer && n < maxPointers; n++ {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !Speaks(t.Elem()) && !v.speaks(t):
		p := v.make()
		p.bytes, p.maybe = true, true
		s.parts = append(s.parts, p)
	case t.Kind() == reflect.String && t != Number, t.Kind() <= reflect.Uintptr, t == Time, t == raw:
	default:
		s.parts = append(s.parts, v.of(t))
	}
}

// oneWay finds types that are written as a text which they do not read, or
// read one which they do not write. What is a string, or bytes, may be read all
// the same.
func (v *survey) oneWay(t reflect.Type) {
	if v.way != Both || t.Kind() == reflect.String || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 || isOne(t, jsonMethods) {
		return
	}
	has, lacks := "MarshalText", "UnmarshalText"
	switch writes := WritesItself(t); {
	case writes == ReadsItself(t):
		return
	case !writes:
		has, lacks = lacks, has
	}
	v.finds(&v.OneWay, fmt.Sprintf("%s%s has the method %s and not %s", v.at, t, has, lacks))
}

// finds keeps the first finding.
func (v *survey) finds(what *string, finding any) {
	if v.in == plain {
		keep(what, finding)
	}
}

func keep(what *string, finding any) {
	if *what == "" {
		*what = fmt.Sprint(finding)
	}
}
