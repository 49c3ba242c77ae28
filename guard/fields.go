package guard

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

var (
	timeType = reflect.TypeFor[time.Time]()

	writers = []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()}
	readers = []reflect.Type{reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()}
)

// speaks reports whether values of t say themselves how they are written or
// read.
func speaks(t reflect.Type) bool { return isOne(t, writers) || readsItself(t) }

// readsItself reports whether values of t say themselves how they are read.
func readsItself(t reflect.Type) bool { return isOne(t, readers) }

func isOne(t reflect.Type, interfaces []reflect.Type) bool {
	return t.Kind() != reflect.Interface && slices.ContainsFunc(interfaces, reflect.PointerTo(t).Implements)
}

// finds keeps the first finding.
func (v *survey) finds(what *string, finding any) {
	if !v.inside {
		keep(what, finding)
	}
}

func keep(what *string, finding any) {
	if *what == "" {
		*what = fmt.Sprint(finding)
	}
}

// structFields adds the fields of t to s, with those of embedded structs.
// Which of several with one name encoding/json takes, if any, is not found out
// here: all of them are added, and that there are several is a finding.
func (v *survey) structFields(s *shape, t reflect.Type) {
	s.fields, s.folded, s.owners = make(map[string][]*shape), make(map[string]string), make(map[string]string)
	v.embedded(s, t, make(map[reflect.Type]bool))
}

func (v *survey) embedded(s *shape, t reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] {
		if t.NumField() > 0 {
			v.finds(&v.twice, fmt.Sprintf("%s is embedded more than once", t))
		}
		return
	}
	seen[t] = true
	for i := range t.NumField() {
		f := t.Field(i)
		name, kept := nameOf(f)
		inner := pointed(f.Type)
		embeds := f.Anonymous && inner.Kind() == reflect.Struct
		switch {
		case !kept || !f.IsExported() && !embeds:
			if f.Type.Size() > 0 {
				v.finds(&v.hidden, fmt.Sprintf("the field %s of %s", f.Name, t))
			}
		case embeds && name == "":
			v.embedded(s, inner, seen)
		case name == "":
			v.field(s, t, f.Name, f)
		default:
			v.field(s, t, name, f)
		}
	}
}

func (v *survey) field(s *shape, t reflect.Type, name string, f reflect.StructField) {
	folded := fold.String(name)
	own := t.String() + "." + f.Name
	if other, taken := s.owners[name]; taken {
		v.finds(&v.twice, fmt.Sprintf("the fields %s and %s are both %q in JSON", other, own, name))
	}
	s.owners[name] = own
	if other, taken := s.folded[folded]; taken && other != name {
		v.finds(&v.clash, fmt.Sprintf("the parameters %q and %q of %s", other, name, t))
	}
	s.folded[folded] = name
	if _, options, _ := strings.Cut(f.Tag.Get("json"), ","); slices.Contains(strings.Split(options, ","), "string") {
		keep(&v.loose, fmt.Sprintf(`the field %s of %s has the option "string" and is decoded twice, so that the tool may get another value than is decided on; remove the option, and let the field be a string or a json.Number`, f.Name, t))
	}
	s.fields[name] = append(s.fields[name], v.of(f.Type))
}

// nameOf returns the name that the tag of a field gives it, "" for none, and
// whether the field is in the JSON by its tag.
func nameOf(f reflect.StructField) (name string, kept bool) {
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
