package guard

import (
	"reflect"
	"slices"
	"strings"

	"github.com/useveto/veto-go/internal/shape"
	"github.com/useveto/veto-go/internal/value"
)

// layoutOf returns how values of t lie in memory; nil where they hold something
// that is to be seen by way of its JSON only: what writes itself, an interface,
// or a field with an option that is not looked at here. No two fields of t have
// names that fold together, and none is hidden.
func layoutOf(t reflect.Type) *value.Layout {
	b := layouts{seen: make(map[reflect.Type]*value.Layout)}
	l := b.of(t)
	if b.none {
		return nil
	}
	return l
}

// layouts makes the layouts of types, which may hold themselves.
type layouts struct {
	seen map[reflect.Type]*value.Layout
	none bool // one of them has none
}

func (b *layouts) of(t reflect.Type) *value.Layout {
	if l := b.seen[t]; l != nil || b.none {
		return l
	}
	// What is asked for while it is being made is in itself, by a reference.
	l := &value.Layout{Type: t, Kind: t.Kind(), Shares: true}
	b.seen[t] = l
	switch {
	case t == shape.Time:
		l.As = value.AsTime // which may have a reading of the clock that is in no JSON
		return l
	case t == shape.Number:
		l.As, l.Shares = value.AsNumber, false
		return l
	case shape.Speaks(t):
		b.none = true
		return l
	}
	switch kind := t.Kind(); {
	case value.Scalar(kind):
		l.Shares = false
	case kind == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !shape.Speaks(t.Elem()):
		l.As = value.AsBytes
	case kind == reflect.Slice, kind == reflect.Pointer, kind == reflect.Map && t.Key().Kind() == reflect.String && !shape.Speaks(t.Key()):
		l.Elem = b.of(t.Elem())
	case kind == reflect.Array:
		l.Elem = b.of(t.Elem())
		l.Shares = b.none || l.Elem.Shares
	case kind == reflect.Struct:
		b.fields(l, t, 0)
		l.Shares = slices.ContainsFunc(l.Fields, func(f value.Field) bool { return f.Layout.Shares || clears(&f) })
	default:
		b.none = true
	}
	return l
}

// fields adds the fields of t, which lies so far into the struct of l, with
// those of embedded structs.
func (b *layouts) fields(l *value.Layout, t reflect.Type, base uintptr) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, kept := shape.NameOf(f)
		embeds := f.Anonymous && shape.Pointed(f.Type).Kind() == reflect.Struct
		switch {
		case !kept || !f.IsExported() && !embeds:
			continue // of no size
		case embeds && name == "" && f.Type.Kind() == reflect.Pointer:
			b.none = true
		case embeds && name == "":
			b.fields(l, f.Type, base+f.Offset)
		default:
			b.field(l, f, name, base)
		}
		if b.none {
			return
		}
	}
}

func (b *layouts) field(l *value.Layout, f reflect.StructField, name string, base uintptr) {
	if name == "" {
		name = f.Name
	}
	size, ok := value.NameSize(name)
	field := value.Field{Name: name, NameSize: size, Offset: base + f.Offset, Layout: b.of(f.Type)}
	_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "omitempty":
			field.OmitEmpty = true
		case "omitzero":
			field.OmitZero = true
			ok = ok && (f.Type == shape.Time || !saysZero(f.Type))
		case "string":
			ok = false
		}
	}
	if !ok || b.none {
		b.none = true
		return
	}
	l.Fields = append(l.Fields, field)
}

// clears reports whether a field may be left out of the JSON that is not zero.
func clears(field *value.Field) bool {
	switch field.Layout.Kind {
	case reflect.Float32, reflect.Float64: // -0
		return field.OmitEmpty
	default:
		return false
	}
}

// saysZero reports whether values of t say themselves whether they are zero.
func saysZero(t reflect.Type) bool {
	return t.Implements(zeroer) || reflect.PointerTo(t).Implements(zeroer)
}

var zeroer = reflect.TypeFor[interface{ IsZero() bool }]()
