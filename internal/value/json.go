package value

import (
	"bytes"
	"math"
	"strings"
	"unsafe"

	"github.com/useveto/veto-go/internal/decimal"
)

// SetJSON fills the tree from JSON bytes. On a Problem the position is the
// byte offset of what is wrong, and the tree is empty.
//
// It is a strict reader of RFC 8259: one value of any type, in valid UTF-8
// without lone surrogates, raw or escaped, with no two members of one object
// under the same or an equally folding key, and numbers within the bounds of
// decimal.Scan. The input counts as it is against lim.Bytes, white space and
// all. NUL is a character like any other, when it is escaped.
//
// Strings without escapes share memory with data, which must not change while
// the tree is in use. Node.Pos is the offset of the value, or of its key
// where it is a member. With the memory of earlier use nothing is allocated
// but the strings that have escapes. Time is linear in len(data).
func (t *Tree) SetJSON(data []byte, lim Limits) (Problem, int) {
	t.Reset()
	p, pos := t.readJSON("", data, lim)
	if p != OK {
		t.Reset()
		return p, pos
	}
	t.size = len(data)
	return OK, pos
}

// appendJSON appends the value that data holds, as [Tree.SetJSON] reads it,
// under a key.
func (t *Tree) appendJSON(key string, data []byte, lim Limits) Problem {
	p, _ := t.readJSON(key, data, lim)
	return p
}

// largeText is the size from which the nodes of a text are counted first.
const largeText = 64 << 10

func (t *Tree) readJSON(key string, data []byte, lim Limits) (Problem, int) {
	if len(data) > lim.Bytes || len(data) > math.MaxInt32 {
		return TooLarge, 0
	}
	if cap(t.Nodes) == 0 && len(data) > largeText {
		// A document: every value but the first of its container follows a
		// comma, and a value takes eight bytes or more on average.
		n := 1 + bytes.Count(data, []byte(",")) + bytes.Count(data, []byte("{")) + bytes.Count(data, []byte("["))
		t.Nodes = make([]Node, 0, min(n, len(data)/8))
	}
	r := reader{Tree: t, data: data, src: unsafe.String(unsafe.SliceData(data), len(data)), lim: lim}
	p := r.document(key)
	return p, r.pos
}

// reader reads one JSON text. It needs no stack: while a container is open,
// its End holds the index of the container around it.
type reader struct {
	*Tree
	data []byte
	src  string // the same bytes
	pos  int
	lim  Limits
}

// document reads values, one round of the loop for each, opening and closing
// containers as they come.
func (r *reader) document(key string) Problem {
	open, depth := None, 0
	c := r.space()
	pos := r.pos // of the value, or of its key
	for {
		i := r.add(key, pos, open)
		switch c {
		case '{', '[':
			if depth >= r.lim.Depth {
				return TooDeep
			}
			depth++
			n := &r.Nodes[i]
			n.Kind, n.End = Array, open
			if c == '{' {
				n.Kind = Object
			}
			open = i
			r.pos++
			if c = r.space(); c == brackets[n.Kind][1] {
				break // empty: closed below
			}
			pos, key = r.pos, ""
			if n.Kind == Object {
				var p Problem
				if key, c, p = r.key(c); p != OK {
					return p
				}
			}
			continue
		case '"':
			text, p := r.string()
			if p != OK {
				return p
			}
			n := &r.Nodes[i]
			n.Kind, n.Text = String, text
		case 't', 'f', 'n':
			if !r.literal(&r.Nodes[i]) {
				return NotJSON
			}
		default:
			if p := r.number(&r.Nodes[i]); p != OK {
				return p
			}
		}

		// After a value: a comma, or the ends of containers.
		for {
			c = r.space()
			if open == None {
				if r.pos < len(r.data) {
					return TrailingData
				}
				return OK
			}
			o := &r.Nodes[open]
			if c == ',' {
				r.pos++
				c = r.space()
				pos, key = r.pos, ""
				if o.Kind == Object {
					var p Problem
					if key, c, p = r.key(c); p != OK {
						return p
					}
				}
				break
			}
			if c != brackets[o.Kind][1] {
				return NotJSON
			}
			r.pos++
			around := o.End
			o.End = int32(len(r.Nodes))
			if o.Kind == Object {
				if p := r.seal(open); p != OK {
					r.pos = int(r.clash(open))
					return p
				}
			}
			open, depth = around, depth-1
		}
	}
}

// add appends a node, as yet of no kind, to the open container.
func (r *reader) add(key string, pos int, open int32) int32 {
	i := len(r.Nodes)
	if i < cap(r.Nodes) {
		r.Nodes = r.Nodes[:i+1]
	} else {
		r.Nodes = append(r.Nodes, Node{})
	}
	n := &r.Nodes[i]
	n.Key, n.Text = key, ""
	n.Bits = 0
	n.End, n.Len = int32(i)+1, 0
	n.Pos = int32(pos)
	n.Kind, n.Form = Invalid, TextForm
	if open != None {
		r.Nodes[open].Len++
	}
	return int32(i)
}

// space skips white space and returns the byte after it, or 0 at the end of
// the text (NUL is nowhere valid, so that is no confusion).
func (r *reader) space() byte {
	for ; r.pos < len(r.data); r.pos++ {
		if c := r.data[r.pos]; c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}

// key reads the name of a member, which begins with c, and the colon, and
// returns the first byte of the value.
func (r *reader) key(c byte) (string, byte, Problem) {
	if c != '"' {
		return "", 0, NotJSON
	}
	key, p := r.string()
	if p != OK {
		return "", 0, p
	}
	if r.space() != ':' {
		return "", 0, NotJSON
	}
	r.pos++
	return key, r.space(), OK
}

func (r *reader) literal(n *Node) bool {
	word := "null"
	switch n.Kind = Null; r.data[r.pos] {
	case 't':
		n.Kind, n.Bits, word = Bool, 1, "true"
	case 'f':
		n.Kind, word = Bool, "false"
	}
	if !strings.HasPrefix(r.src[r.pos:], word) {
		return false
	}
	r.pos += len(word)
	return true
}

// number reads a number: a small integer by itself, any other as its text.
func (r *reader) number(n *Node) Problem {
	n.Kind = Number
	i := r.pos
	neg := i < len(r.data) && r.data[i] == '-'
	if neg {
		i++
	}
	first, v := i, int64(0)
	for ; i < len(r.data) && r.data[i]-'0' <= 9 && i-first < 19; i++ {
		v = v*10 + int64(r.data[i]-'0')
	}
	plain := i > first && i-first <= 18 && r.delimited(i) &&
		(r.data[first] != '0' || i-first == 1 && !neg)
	if plain {
		if neg {
			v = -v
		}
		n.Form, n.Bits = IntForm, uint64(v)
		r.pos = i
		return OK
	}
	size, bounded := decimal.Scan(r.src[r.pos:])
	switch {
	case size == 0 || !r.delimited(r.pos+size):
		return NotJSON
	case !bounded:
		return NumberRange
	}
	n.Form, n.Text = TextForm, r.src[r.pos:r.pos+size]
	r.pos += size
	return OK
}

// delimited reports whether a number may end before offset i.
func (r *reader) delimited(i int) bool {
	if i == len(r.data) {
		return true
	}
	switch r.data[i] {
	case ' ', '\t', '\n', '\r', ',', ']', '}':
		return true
	default:
		return false
	}
}

// clash returns the offset of the second of two keys because of which object
// i was refused.
func (r *reader) clash(i int32) int32 {
	seen := make(map[uint64]int32)
	for c := i + 1; c < r.Nodes[i].End; c = r.Nodes[c].End {
		h := foldHash(r.Nodes[c].Key)
		if first, ok := seen[h]; !ok {
			seen[h] = c
		} else if sameKey(r.Nodes[first].Key, r.Nodes[c].Key) != OK {
			return r.Nodes[c].Pos
		}
	}
	return r.Nodes[i].Pos
}
