package shape

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/useveto/veto-go/internal/fold"
)

// Types that are read in ways of their own.
var (
	Time   = reflect.TypeFor[time.Time]()
	Number = reflect.TypeFor[json.Number]()
	raw    = reflect.TypeFor[json.RawMessage]()

	duration = reflect.TypeFor[time.Duration]()
)

var (
	marshaler, unmarshaler = reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler]()

	jsonMethods = []reflect.Type{marshaler, unmarshaler}
	writers     = []reflect.Type{marshaler, reflect.TypeFor[encoding.TextMarshaler]()}
	readers     = []reflect.Type{unmarshaler, reflect.TypeFor[encoding.TextUnmarshaler]()}
)

// Speaks reports whether values of t say themselves how they are written or
// read.
func Speaks(t reflect.Type) bool { return WritesItself(t) || ReadsItself(t) }

// WritesItself reports whether values of t say themselves how they are written.
func WritesItself(t reflect.Type) bool { return isOne(t, writers) }

// ReadsItself reports whether values of t say themselves how they are read.
func ReadsItself(t reflect.Type) bool { return isOne(t, readers) }

func isOne(t reflect.Type, interfaces []reflect.Type) bool {
	return t.Kind() != reflect.Interface && slices.ContainsFunc(interfaces, reflect.PointerTo(t).Implements)
}

// structFields adds the fields of t to s, with those of embedded structs.
// Which of several with one name is taken, if any, is not found out here: all of
// them are added, and that there are several is a finding.
func (v *survey) structFields(s *Shape, t reflect.Type) {
	s.fields, s.folded, s.owners, s.named = make(map[string][]*Shape), make(map[string]string), make(map[string]string), make(map[string]bool)
	v.embedded(s, t, make(map[reflect.Type]bool))
}

func (v *survey) embedded(s *Shape, t reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] {
		if t.NumField() > 0 {
			v.finds(&v.Twice, fmt.Sprintf("%s is embedded more than once", t))
		}
		return
	}
	seen[t] = true
	for i := range t.NumField() {
		f := t.Field(i)
		name, kept := NameOf(f)
		inner := Pointed(f.Type)
		embeds := f.Anonymous && inner.Kind() == reflect.Struct
		switch {
		case !kept || !f.IsExported() && !embeds:
			if f.Type.Size() > 0 {
				v.finds(&v.Hidden, fmt.Sprintf("the field %s of %s", f.Name, t))
			}
		case embeds && name == "":
			v.embedded(s, inner, seen)
		case name == "":
			v.field(s, t, f.Name, f)
		default:
			s.named[name] = true
			v.field(s, t, name, f)
		}
	}
}

func (v *survey) field(s *Shape, t reflect.Type, name string, f reflect.StructField) {
	folded := fold.String(name)
	own := t.String() + "." + f.Name
	if other, taken := s.owners[name]; taken {
		v.finds(&v.Twice, fmt.Sprintf("the fields %s and %s are both %q in JSON", other, own, name))
	}
	s.owners[name] = own
	if other, taken := s.folded[folded]; taken && other != name {
		v.finds(&v.Clash, fmt.Sprintf("the parameters %q and %q of %s", other, name, t))
	}
	s.folded[folded] = name
	was := v.at
	v.at = fmt.Sprintf("the field %s of %s: ", f.Name, t)
	member := v.of(f.Type)
	v.at = was
	if _, options, _ := strings.Cut(f.Tag.Get("json"), ","); slices.Contains(strings.Split(options, ","), "string") {
		if v.in == part {
			member = v.make()
			member.twice = true
		} else {
			keep(&v.Loose, fmt.Sprintf(`the field %s of %s has the option "string" and is decoded twice, so that the tool may get another value than is decided on; remove the option, and let the field be a string or a json.Number`, f.Name, t))
		}
	}
	s.fields[name] = append(s.fields[name], member)
}

// NameOf returns the name that the tag of a field gives it, "" for none, and
// whether the field is in the JSON by its tag.
func NameOf(f reflect.StructField) (name string, kept bool) {
	tag := f.Tag.Get("json")
	name, _, _ = strings.Cut(tag, ",")
	for _, c := range name {
		// A name with another character is none to encoding/json.
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return "", true
		}
	}
	return name, tag != "-"
}

// Pointed returns what t points to, or else t.
func Pointed(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
