// Package pattern matches names against exact names and prefixes.
//
// A pattern is an exact name, or a prefix that ends in one "*"; "*" alone is
// the empty prefix and matches everything. An [Index] finds what matches a
// name without looking at the patterns that do not.
package pattern

import (
	"slices"
	"strings"
)

// Split returns the pattern without its "*", and whether it had one.
func Split(p string) (text string, prefix bool) { return strings.CutSuffix(p, "*") }

// Match reports whether p matches name byte for byte.
func Match(p, name string) bool {
	text, prefix := Split(p)
	if prefix {
		return strings.HasPrefix(name, text)
	}
	return text == name
}

// Index holds a value for each of a set of patterns. It is built with Put and
// Build, and is immutable and safe for concurrent use after that.
type Index[V any] struct {
	exact    map[string]*V
	pending  map[string]*V // prefixes, until Build sorts them
	prefixes []Prefix[V]   // sorted by text
}

// Prefix is a prefix of an Index, with its value.
type Prefix[V any] struct {
	Value  *V
	text   string
	parent int32 // index of the longest prefix of text that is in the index, or -1
}

// Put returns the place of the value for pattern p, made if it is not there.
func (x *Index[V]) Put(p string) *V {
	text, prefix := Split(p)
	m := &x.exact
	if prefix {
		m = &x.pending
	}
	if v := (*m)[text]; v != nil {
		return v
	}
	if *m == nil {
		*m = make(map[string]*V)
	}
	v := new(V)
	(*m)[text] = v
	return v
}

// Build ends the building: it sorts the prefixes and links each to the next shorter one. In sorted order the
// prefixes of a text come before it, and whatever stands between begins with
// them too, so one walk with a stack finds every parent.
func (x *Index[V]) Build() {
	x.prefixes = make([]Prefix[V], 0, len(x.pending))
	for text, v := range x.pending {
		x.prefixes = append(x.prefixes, Prefix[V]{Value: v, text: text})
	}
	x.pending = nil
	slices.SortFunc(x.prefixes, func(a, b Prefix[V]) int { return strings.Compare(a.text, b.text) })
	var open []int32
	for i := range x.prefixes {
		p := &x.prefixes[i]
		for len(open) > 0 && !strings.HasPrefix(p.text, x.prefixes[open[len(open)-1]].text) {
			open = open[:len(open)-1]
		}
		p.parent = -1
		if len(open) > 0 {
			p.parent = open[len(open)-1]
		}
		open = append(open, int32(i))
	}
}

// Exact returns the value of the exact pattern name, or nil.
func (x *Index[V]) Exact(name string) *V { return x.exact[name] }

// Longest returns the longest prefix of the index that name begins with, or
// nil. Parent leads on to the shorter ones.
func (x *Index[V]) Longest(name string) *Prefix[V] {
	// The last text that is not after name: any prefix of name is it, or is
	// a prefix of it.
	lo, hi := 0, len(x.prefixes)
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); x.prefixes[mid].text <= name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	for i := int32(lo) - 1; i >= 0; i = x.prefixes[i].parent {
		if p := &x.prefixes[i]; strings.HasPrefix(name, p.text) {
			return p
		}
	}
	return nil
}

// Parent returns the next shorter prefix that the same names begin with, or
// nil.
func (x *Index[V]) Parent(p *Prefix[V]) *Prefix[V] {
	if p.parent < 0 {
		return nil
	}
	return &x.prefixes[p.parent]
}

// All calls f for the value of every pattern of a built index, in no
// particular order.
func (x *Index[V]) All(f func(*V)) {
	for _, v := range x.exact {
		f(v)
	}
	for i := range x.prefixes {
		f(x.prefixes[i].Value)
	}
}

// HasUpper reports whether name holds an ASCII upper-case letter.
func HasUpper(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}

// Lower returns s in ASCII lower case; other characters stay.
func Lower(s string) string {
	if !HasUpper(s) {
		return s
	}
	return string(AppendLower(nil, s))
}

// AppendLower appends s in ASCII lower case to dst.
func AppendLower(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
