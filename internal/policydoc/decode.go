package policydoc

import (
	"encoding"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"reflect"
	"strings"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/internal/nearest"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// decoder fills Go values from the tree of a source. What it cannot fill it
// notes and leaves zero; it never stops early.
type decoder struct {
	*source
	texts *texts
}

// decode fills a set from the source.
func (s *source) decode(texts *texts) *rules.PolicySet {
	set := new(rules.PolicySet)
	d := decoder{source: s, texts: texts}
	v := reflect.ValueOf(set).Elem()
	if s.form.shape = s.shapeOf(); s.form.shape == document {
		d.value(value.Root, v, setInfo, nil)
		return set
	}
	s.form.rows = make(map[string][]int)
	rows := s.rowList()
	kinds := make([]string, len(rows))
	for n, i := range rows {
		kinds[n] = s.rowKind(i)
		s.form.rows[kinds[n]] = append(s.form.rows[kinds[n]], n)
	}
	if len(rows) == 0 {
		set.Policies = []rules.Policy{}
	}
	for name, numbers := range s.form.rows {
		list := v.Field(setInfo.fields[setInfo.byName[name]].index)
		list.Grow(len(numbers))
		list.SetLen(len(numbers))
		for k, n := range numbers {
			d.value(rows[n], list.Index(k), rowInfo[name], nil)
		}
	}
	return set
}

// members yields the nodes of the members of object i.
func (s *source) members(i int32) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		t := &s.tree
		for c := t.First(i); c < t.Nodes[i].End; c = t.Nodes[c].End {
			if !yield(c) {
				return
			}
		}
	}
}

// serviceOnly are members that the managed service knows and this library
// cannot decide.
var serviceOnly = map[string]string{
	"outputRules": "output rules are decided by the service only",
}

// unknown notes that member i of parent has a name that nothing reads. What it was
// probably meant to be is in doubt as well.
func (s *source) unknown(parent, i int32, known []string) {
	if s.full() {
		return
	}
	name := s.tree.Nodes[i].Key
	hint, ok := serviceOnly[name]
	if !ok {
		hint, ok = otherForm(name, known)
	}
	if !ok {
		hint = nearest.Hint(name, known)
	}
	s.wrong(i, "", fmt.Sprintf("there is no field %q here", name), hint)
	if meant := nearest.Word(name, known); meant != "" && s.tree.Member(parent, meant) == value.None {
		steps := s.pathOf(i)
		steps[len(steps)-1].Name = meant
		s.doubt(docpath.Join(steps))
	}
}

func (d *decoder) structure(i int32, v reflect.Value, info *typeInfo) {
	t := &d.tree
	var seen uint64
	for c, end := t.First(i), t.Nodes[i].End; c < end; c = t.Nodes[c].End {
		k, ok := info.byName[t.Nodes[c].Key]
		if !ok {
			d.unknown(i, c, info.names)
			continue
		}
		seen |= 1 << k
		f := &info.fields[k]
		if t.Nodes[c].Kind == value.Null && f.nullable {
			continue
		}
		d.value(c, v.Field(f.index), f.info, f)
	}
	for k := range info.fields {
		f := &info.fields[k]
		if f.required && seen&(1<<k) == 0 && !d.doubted(i, f.name) {
			d.wrong(i, f.name, f.name+" is missing", "")
		}
	}
}

// value fills v from node i. f is the member that v is, or nil.
func (d *decoder) value(i int32, v reflect.Value, info *typeInfo, f *field) {
	n := &d.tree.Nodes[i]
	switch {
	case info.kind == pointerKind:
		if n.Kind == value.Null {
			d.mismatch(i, info)
			return
		}
		p := reflect.New(info.elem.typ)
		d.value(i, p.Elem(), info.elem, f)
		v.Set(p)
	case info.kind == structKind && n.Kind == value.Object:
		d.structure(i, v, info)
	case info.kind == sliceKind && n.Kind == value.Array:
		d.slice(i, v, info)
	case info.kind == mapKind && n.Kind == value.Object:
		d.object(i, v, info)
	case info.kind == stringKind && n.Kind == value.String:
		if n.Text == "" && f != nil && !f.empty {
			d.wrong(i, "", "the text is empty", "leave the field out, or give a text")
			return
		}
		v.SetString(d.text(n.Text, f))
	case info.kind == boolKind && n.Kind == value.Bool:
		v.SetBool(n.Bits == 1)
	case info.kind == intKind && n.Kind == value.Number:
		d.integer(i, v, f)
	case info.kind == numberKind && n.Kind == value.Number:
		v.SetString(d.number(n))
	case info.kind == scalarKind:
		d.scalar(i, v)
	case info.kind == rawKind:
		v.SetBytes(d.tree.AppendJSON(nil, i))
	case info.kind == textKind && n.Kind == value.String:
		err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Text))
		if err != nil {
			d.wrong(i, "", strings.TrimPrefix(err.Error(), "rules: "), "")
		}
	default:
		d.mismatch(i, info)
	}
}

func (d *decoder) mismatch(i int32, info *typeInfo) {
	n := &d.tree.Nodes[i]
	hint := ""
	if n.Kind == value.Null {
		hint = "leave the field out where it does not apply"
	}
	d.wrong(i, "", fmt.Sprintf("this must be %s, not %s", info.wants(), article(n.Kind)), hint)
}

func article(k value.Kind) string {
	switch k {
	case value.Null:
		return "null"
	case value.Array, value.Object:
		return "an " + k.String()
	default:
		return "a " + k.String()
	}
}

func (d *decoder) slice(i int32, v reflect.Value, info *typeInfo) {
	t := &d.tree
	n := int(t.Nodes[i].Len)
	if n == 0 {
		v.Set(reflect.MakeSlice(info.typ, 0, 0)) // present: not nil
		return
	}
	v.Grow(n)
	v.SetLen(n)
	k := 0
	for c, end := t.First(i), t.Nodes[i].End; c < end; c = t.Nodes[c].End {
		d.value(c, v.Index(k), info.elem, nil)
		k++
	}
}

func (d *decoder) object(i int32, v reflect.Value, info *typeInfo) {
	t := &d.tree
	m := reflect.MakeMapWithSize(info.typ, int(t.Nodes[i].Len))
	elem := reflect.New(info.elem.typ).Elem()
	key := reflect.New(info.typ.Key()).Elem()
	for c, end := t.First(i), t.Nodes[i].End; c < end; c = t.Nodes[c].End {
		elem.SetZero()
		d.value(c, elem, info.elem, nil)
		key.SetString(d.text(t.Nodes[c].Key, nil))
		m.SetMapIndex(key, elem)
	}
	v.Set(m)
}

func (d *decoder) integer(i int32, v reflect.Value, f *field) {
	n := &d.tree.Nodes[i]
	whole, exact, side := int64(0), true, 0
	if n.Form == value.IntForm {
		whole = int64(n.Bits)
	} else {
		whole, exact, side = decimal.Floor(string(n.AppendNumber(nil)))
	}
	switch {
	case side != 0, whole > math.MaxInt32, whole < math.MinInt32:
		d.wrong(i, "", "the number is out of range", "")
	case !exact:
		d.wrong(i, "", "this must be an integer", "")
	case whole == 0 && f != nil && !f.zero && f.info.kind == intKind:
		// In Go 0 stands for absence.
		d.wrong(i, "", "0 is out of range", "leave the field out for its default")
	default:
		v.SetInt(whole)
	}
}

func (d *decoder) number(n *value.Node) string {
	var stack [32]byte
	return d.texts.share(string(n.AppendNumber(stack[:0])))
}

func (d *decoder) scalar(i int32, v reflect.Value) {
	n := &d.tree.Nodes[i]
	var s rules.Scalar
	switch n.Kind {
	case value.String:
		s.Value = d.text(n.Text, nil)
	case value.Number:
		s.Value = json.Number(d.number(n))
	case value.Bool:
		s.Value = n.Bits == 1
	default:
		d.mismatch(i, &typeInfo{kind: scalarKind})
		return
	}
	v.Set(reflect.ValueOf(s))
}

// text copies a text out of the document, whose memory must not be kept.
func (d *decoder) text(s string, f *field) string {
	if f != nil && f.unique {
		return strings.Clone(s)
	}
	return d.texts.share(s)
}
