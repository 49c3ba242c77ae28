// Package docpath names places in a policy document, as in
// policies[3].rules[0].parameters["/to/*"].regex.
package docpath

import (
	"strconv"
	"strings"
)

// Path is a place in a document, linked to the place that contains it. The
// zero Path is the document itself. A Path is made on the way down and
// rendered only where something is wrong, so that a correct document costs no
// text at all.
type Path struct {
	up    *Path
	name  string
	index int
	kind  kind
}

type kind uint8

const (
	root kind = iota
	member
	element
)

// Member returns the member name of the object at p.
func (p *Path) Member(name string) Path { return Path{up: p, name: name, kind: member} }

// Element returns element i of the array at p.
func (p *Path) Element(i int) Path { return Path{up: p, index: i, kind: element} }

// String renders the path. A member whose name is not a plain word is quoted
// as a Go string, in brackets.
func (p *Path) String() string { return string(p.Append(nil)) }

// Append appends what String returns.
func (p *Path) Append(dst []byte) []byte {
	if p == nil || p.kind == root {
		return dst
	}
	dst = p.up.Append(dst)
	return Step{Name: p.name, Index: p.index, Element: p.kind == element}.append(dst)
}

// Step is one step of a path: a member of an object, or an element of an
// array.
type Step struct {
	Name    string
	Index   int
	Element bool
}

func (s Step) append(dst []byte) []byte {
	switch {
	case s.Element:
		dst = append(dst, '[')
		dst = strconv.AppendInt(dst, int64(s.Index), 10)
		return append(dst, ']')
	case plain(s.Name):
		if len(dst) > 0 {
			dst = append(dst, '.')
		}
		return append(dst, s.Name...)
	default:
		dst = append(dst, '[')
		dst = strconv.AppendQuote(dst, s.Name)
		return append(dst, ']')
	}
}

// Join renders steps as String renders a Path.
func Join(steps []Step) string {
	var dst []byte
	for _, s := range steps {
		dst = s.append(dst)
	}
	return string(dst)
}

// Parse reads what String wrote. Of a text that String did not write it
// returns the steps up to the first that it cannot read.
func Parse(path string) []Step {
	var steps []Step
	for path != "" {
		switch {
		case path[0] == '.':
			path = path[1:]
		case strings.HasPrefix(path, `["`):
			quoted, err := strconv.QuotedPrefix(path[1:])
			if err != nil {
				return steps
			}
			name, err := strconv.Unquote(quoted)
			rest := path[1+len(quoted):]
			if err != nil || !strings.HasPrefix(rest, "]") {
				return steps
			}
			steps = append(steps, Step{Name: name})
			path = rest[1:]
		case path[0] == '[':
			end := strings.IndexByte(path, ']')
			if end < 0 {
				return steps
			}
			i, err := strconv.Atoi(path[1:end])
			if err != nil {
				return steps
			}
			steps = append(steps, Step{Index: i, Element: true})
			path = path[end+1:]
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			steps = append(steps, Step{Name: path[:end]})
			path = path[end:]
		}
	}
	return steps
}

// plain reports whether name is written without quotes: a letter or "_",
// then letters, digits, "_" and "-".
func plain(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-'):
		default:
			return false
		}
	}
	return name != ""
}
