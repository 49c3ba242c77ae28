package guard

import (
	"encoding/base64"
	"strconv"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/internal/fold"
	"github.com/useveto/veto-go/internal/value"
)

// check returns where there is what encoding/json would take otherwise than the
// decision takes it, nil for nowhere.
func (s *shape) check(t *value.Tree, i int32) *place {
	n := &t.Nodes[i]
	switch n.Kind {
	case value.Number:
		if s.float != 0 && !holds(n, s.float) {
			return &place{fault: rounded, offset: n.Pos}
		}
	case value.String:
		switch {
		case s.number, s.bytes && s.element != nil:
			return &place{fault: unquoted, offset: n.Pos}
		case s.bytes && !isBase64(n.Text):
			return &place{fault: otherBytes, offset: n.Pos}
		}
	case value.Array:
		switch {
		case s.bytes && s.element == nil:
			return &place{fault: otherBytes, offset: n.Pos}
		case s.fixed && int(n.Len) != s.length:
			return &place{fault: otherLength, offset: n.Pos}
		}
		for c, e := t.First(i), 0; c < n.End && s.element != nil; c, e = t.Nodes[c].End, e+1 {
			if wrong := s.element.check(t, c); wrong != nil {
				return wrong.below(strconv.Itoa(e))
			}
		}
	case value.Object:
		for c := t.First(i); c < n.End; c = t.Nodes[c].End {
			if wrong := s.member(t, c); wrong != nil {
				return wrong
			}
		}
	}
	return nil
}

// member checks node c of t, which is a member of an object.
func (s *shape) member(t *value.Tree, c int32) *place {
	if s.element != nil {
		return s.element.check(t, c).below("*") // the key is the call's
	}
	if s.fields == nil {
		return nil
	}
	key := t.Nodes[c].Key
	fields := s.fields[key]
	if fields == nil {
		if name, near := s.folded[fold.String(key)]; near {
			return (&place{fault: nearKey, offset: t.Nodes[c].Pos}).below(name)
		}
	}
	for _, field := range fields {
		if wrong := field.check(t, c); wrong != nil {
			return wrong.below(key)
		}
	}
	return nil
}

// holds reports whether a float of so many bits is written as the number n.
func holds(n *value.Node, bits int) bool {
	if n.Form == value.IntForm {
		most := int64(1) << 53
		if bits == 32 {
			most = 1 << 24
		}
		if v := int64(n.Bits); -most <= v && v <= most {
			return true
		}
	}
	text := string(n.AppendNumber(nil))
	f, err := strconv.ParseFloat(text, bits)
	return err == nil && decimal.Compare(text, strconv.FormatFloat(f, 'g', -1, bits)) == 0
}

// isBase64 reports whether text is as encoding/json writes some bytes. It reads
// them from others too: with line breaks, or with bits that are in no byte.
func isBase64(text string) bool {
	data, err := base64.StdEncoding.DecodeString(text)
	return err == nil && base64.StdEncoding.EncodeToString(data) == text
}
