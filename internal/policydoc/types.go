package policydoc

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/useveto/veto-go/rules"
)

// shape of a Go type, as the decoder and the schema need it.
type typeKind uint8

const (
	structKind typeKind = iota
	pointerKind
	sliceKind
	mapKind
	stringKind
	boolKind
	intKind
	numberKind // json.Number: the text is kept
	scalarKind // rules.Scalar
	rawKind    // json.RawMessage: compact text
	textKind   // a type that reads itself from a string
)

// typeInfo is what is known of a type. Each type has one.
type typeInfo struct {
	kind   typeKind
	typ    reflect.Type
	elem   *typeInfo // of pointers, slices and maps
	fields []field
	byName map[string]int
	names  []string
}

// field is a member of a struct.
type field struct {
	name     string
	index    int
	info     *typeInfo
	required bool // its absence is an error
	nullable bool // null is as good as absence
	empty    bool // "" is a value
	zero     bool // 0 is a value
	unique   bool // its texts are all different: not worth sharing
}

// nullable members, and those whose "" is a value.
var nullableNames = map[string]bool{"description": true, "projectId": true, "parameters": true}

var setInfo = describe(reflect.TypeFor[rules.PolicySet](), map[reflect.Type]*typeInfo{})

// rowInfo describes the elements of the members that can stand alone.
var rowInfo = func() map[string]*typeInfo {
	m := make(map[string]*typeInfo)
	for _, name := range rowMembers {
		m[name] = setInfo.fields[setInfo.byName[name]].info.elem
	}
	return m
}()

// describe returns the description of t, made if it is not in done.
func describe(t reflect.Type, done map[reflect.Type]*typeInfo) *typeInfo {
	if info := done[t]; info != nil {
		return info
	}
	info := &typeInfo{typ: t}
	done[t] = info
	switch {
	case t == reflect.TypeFor[json.Number]():
		info.kind = numberKind
	case t == reflect.TypeFor[json.RawMessage]():
		info.kind = rawKind
	case t == reflect.TypeFor[rules.Scalar]():
		info.kind = scalarKind
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		info.kind = textKind
	default:
		info.composite(done)
	}
	return info
}

func (info *typeInfo) composite(done map[reflect.Type]*typeInfo) {
	switch t := info.typ; t.Kind() {
	case reflect.Struct:
		info.kind = structKind
		info.byName = make(map[string]int)
		for i := range t.NumField() {
			f := t.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || name == "-" {
				panic("policydoc: " + t.String() + "." + f.Name + " has no JSON name")
			}
			info.byName[name] = len(info.fields)
			info.names = append(info.names, name)
			info.fields = append(info.fields, field{
				name: name, index: i, info: describe(f.Type, done),
				required: !strings.Contains(options, "omit"),
				nullable: nullableNames[name] && (f.Type.Kind() == reflect.Pointer || f.Type == reflect.TypeFor[json.RawMessage]()),
				empty:    name == "description",
				zero:     name == "priority" || !strings.Contains(options, "omit"),
				unique:   name == "id" || name == "name" || name == "description" || name == "createdAt" || name == "updatedAt",
			})
		}
	case reflect.Pointer:
		info.kind, info.elem = pointerKind, describe(t.Elem(), done)
	case reflect.Slice:
		info.kind, info.elem = sliceKind, describe(t.Elem(), done)
	case reflect.Map:
		info.kind, info.elem = mapKind, describe(t.Elem(), done)
	case reflect.String:
		info.kind = stringKind
	case reflect.Bool:
		info.kind = boolKind
	case reflect.Int:
		info.kind = intKind
	default:
		panic("policydoc: cannot read a " + t.String())
	}
}

// wants says in words what JSON a type is read from.
func (info *typeInfo) wants() string {
	switch info.kind {
	case structKind, mapKind:
		return "an object"
	case pointerKind:
		return info.elem.wants()
	case sliceKind:
		return "an array"
	case stringKind, textKind:
		return "a string"
	case boolKind:
		return "true or false"
	case intKind:
		return "an integer"
	case numberKind:
		return "a number"
	case scalarKind:
		return "a string, a number, true or false"
	default:
		return "JSON"
	}
}
