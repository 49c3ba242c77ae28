package constraint

import (
	"sync/atomic"

	"github.com/useveto/veto-go/internal/fold"
)

// List is a named list of strings. Its content can be replaced while it is in
// use; it is safe for concurrent use.
type List struct {
	content atomic.Pointer[listContent]
}

type listContent struct {
	exact   map[string]struct{}
	folded  map[string]struct{}
	longest int // bytes of the longest folded value
}

// NewList returns a list of values, which it copies.
func NewList(values []string) *List {
	l := new(List)
	l.Replace(values)
	return l
}

// Replace makes values, which it copies, the content of the list.
func (l *List) Replace(values []string) {
	c := &listContent{
		exact:  make(map[string]struct{}, len(values)),
		folded: make(map[string]struct{}, len(values)),
	}
	for _, v := range values {
		c.exact[v] = struct{}{}
		f := fold.Append(nil, v)
		c.folded[string(f)] = struct{}{}
		c.longest = max(c.longest, len(f))
	}
	l.content.Store(c)
}

// Contains reports whether s is in the list, byte for byte.
func (l *List) Contains(s string) bool {
	_, ok := l.content.Load().exact[s]
	return ok
}

// ContainsFold is Contains under Unicode simple folding.
func (l *List) ContainsFold(s string) bool {
	c := l.content.Load()
	// Folding makes a character at most three times as short.
	if len(s) > 3*c.longest {
		return false
	}
	var stack [256]byte
	_, ok := c.folded[string(fold.Append(stack[:0], s))]
	return ok
}
