package guard

import (
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/internal/value"
)

// owner makes values their own: what they share with others becomes a copy.
type owner struct {
	left int // elements that may still be copied
}

// own makes the value at p its own. Values that are too large for any decision,
// or that hold themselves, are refused.
func own(l *value.Layout, p unsafe.Pointer) error {
	// An element takes at least two bytes of JSON, so more cannot be decided on.
	o := owner{left: evaluator.MaxParameterBytes / 2}
	return o.own(l, p, 0)
}

func (o *owner) own(l *value.Layout, p unsafe.Pointer, depth int) error {
	if !l.Shares {
		return nil
	}
	if depth > maxDepth {
		return errDeep
	}
	switch l.Kind {
	case reflect.Struct:
		return o.fields(l, p, depth)
	case reflect.Slice:
		return o.slice(l, p, depth)
	case reflect.Array:
		return o.elements(l, p, depth)
	case reflect.Pointer:
		return o.pointer(l, p, depth)
	case reflect.Map:
		return o.members(l, p, depth)
	default:
		return errForeign
	}
}

// takes counts n elements.
func (o *owner) takes(n int) error {
	if o.left -= n; o.left < 0 {
		return errLarge
	}
	return nil
}

func (o *owner) fields(l *value.Layout, p unsafe.Pointer, depth int) error {
	if l.As == value.AsTime {
		t := (*time.Time)(p)
		*t = t.Round(0) // without a reading of the monotonic clock
		return nil
	}
	for i := range l.Fields {
		field := &l.Fields[i]
		if !field.Layout.Shares && !clears(field) {
			continue
		}
		at := unsafe.Add(p, field.Offset)
		if (field.OmitEmpty || field.OmitZero) && field.Omitted(at) {
			field.Layout.Value(at).SetZero() // empty, and perhaps not nil
			continue
		}
		if err := o.own(field.Layout, at, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (o *owner) pointer(l *value.Layout, p unsafe.Pointer, depth int) error {
	at := (*unsafe.Pointer)(p)
	if *at == nil {
		return nil
	}
	if err := o.takes(1); err != nil {
		return err
	}
	c := reflect.New(l.Elem.Type)
	c.Elem().Set(l.Elem.Value(*at))
	*at = c.UnsafePointer()
	return o.own(l.Elem, *at, depth+1)
}

func (o *owner) slice(l *value.Layout, p unsafe.Pointer, depth int) error {
	n := value.Len(p)
	if err := o.takes(n); err != nil {
		return err
	}
	switch {
	case l.As == value.AsBytes:
		s := (*[]byte)(p)
		*s = slices.Clone(*s)
	case l.Elem.Kind == reflect.String:
		s := (*[]string)(p)
		*s = slices.Clone(*s)
	default:
		s := l.Value(p)
		if s.IsNil() {
			return nil
		}
		c := reflect.MakeSlice(l.Type, n, n)
		reflect.Copy(c, s)
		s.Set(c)
		return o.elements(l, p, depth)
	}
	return nil
}

// elements makes the elements of an array or a slice their own.
func (o *owner) elements(l *value.Layout, p unsafe.Pointer, depth int) error {
	if !l.Elem.Shares {
		return nil
	}
	first, n := l.Elements(p)
	size := l.Elem.Type.Size()
	for i := range n {
		if err := o.own(l.Elem, unsafe.Add(first, uintptr(i)*size), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (o *owner) members(l *value.Layout, p unsafe.Pointer, depth int) error {
	m := l.Value(p)
	if m.IsNil() {
		return nil
	}
	if err := o.takes(m.Len()); err != nil {
		return err
	}
	c := reflect.MakeMapWithSize(l.Type, m.Len())
	member := reflect.New(l.Elem.Type)
	for all := m.MapRange(); all.Next(); {
		member.Elem().SetIterValue(all)
		if err := o.own(l.Elem, member.UnsafePointer(), depth+1); err != nil {
			return err
		}
		c.SetMapIndex(all.Key(), member.Elem())
	}
	m.Set(c)
	return nil
}
