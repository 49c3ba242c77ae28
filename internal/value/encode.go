package value

import (
	"slices"
	"strings"
)

// AppendJSON appends node i as compact JSON, members in the order of the
// tree. It escapes what JSON demands and nothing else, and writes numbers as
// [Node.AppendNumber] does.
func (t *Tree) AppendJSON(dst []byte, i int32) []byte {
	n := &t.Nodes[i]
	switch n.Kind {
	case Bool:
		return appendBool(dst, n)
	case Number:
		return n.AppendNumber(dst)
	case String:
		return appendString(dst, n.Text)
	case Array, Object:
		return t.appendContainer(dst, i)
	default:
		return append(dst, "null"...)
	}
}

func (t *Tree) appendContainer(dst []byte, i int32) []byte {
	n := &t.Nodes[i]
	dst = append(dst, brackets[n.Kind][0])
	for c := i + 1; c < n.End; c = t.Nodes[c].End {
		if c > i+1 {
			dst = append(dst, ',')
		}
		if n.Kind == Object {
			dst = append(appendString(dst, t.Nodes[c].Key), ':')
		}
		dst = t.AppendJSON(dst, c)
	}
	return append(dst, brackets[n.Kind][1])
}

// AppendCanonical appends node i as the one JSON text that stands for its
// value: as [Tree.AppendJSON], but with members sorted by the bytes of their
// keys and numbers in canonical form (see decimal.Canonical), so that equal
// values have equal digests whatever Go or JSON form they came in.
func (t *Tree) AppendCanonical(dst []byte, i int32) []byte {
	n := &t.Nodes[i]
	switch n.Kind {
	case Number:
		return n.appendCanonicalNumber(dst)
	case Array:
		dst = append(dst, '[')
		for c := i + 1; c < n.End; c = t.Nodes[c].End {
			if c > i+1 {
				dst = append(dst, ',')
			}
			dst = t.AppendCanonical(dst, c)
		}
		return append(dst, ']')
	case Object:
		return t.appendSorted(dst, i)
	default:
		return t.AppendJSON(dst, i)
	}
}

func (t *Tree) appendSorted(dst []byte, i int32) []byte {
	n := &t.Nodes[i]
	var buf [16]int32
	members := buf[:0]
	for c := i + 1; c < n.End; c = t.Nodes[c].End {
		members = append(members, c)
	}
	slices.SortFunc(members, func(a, b int32) int {
		return strings.Compare(t.Nodes[a].Key, t.Nodes[b].Key)
	})
	dst = append(dst, '{')
	for k, c := range members {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, t.Nodes[c].Key), ':')
		dst = t.AppendCanonical(dst, c)
	}
	return append(dst, '}')
}

var brackets = [...]string{Array: "[]", Object: "{}"}

func appendBool(dst []byte, n *Node) []byte {
	if n.Bits != 0 {
		return append(dst, "true"...)
	}
	return append(dst, "false"...)
}

// appendString appends s, which is valid UTF-8, as a JSON string.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, hex[c>>4], hex[c&0xF])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
