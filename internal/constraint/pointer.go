package constraint

import (
	"strings"
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/value"
)

// step is one segment of a JSON Pointer (RFC 6901).
type step struct {
	key   string
	index int  // of an array; -1 where key is no index
	every bool // "*": every element or value
	cost  int  // of finding it, in steps of Scope
}

// lookupCost is about what it takes to find a member: folding a character
// that is not ASCII is a matter of tables.
func lookupCost(key string) int {
	cost := len(key)
	for i := range len(key) {
		if key[i] >= utf8.RuneSelf {
			cost += 64
		}
	}
	return cost
}

// parsePointer reads a pointer that validation has accepted.
func parsePointer(s string) []step {
	var steps []step
	for part := range strings.SplitSeq(s[1:], "/") {
		// ~1 before ~0, so that ~01 is ~1 and not a slash.
		key := strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
		steps = append(steps, step{key: key, index: index(key), every: part == "*", cost: lookupCost(key) + max(index(key), 0)/4})
	}
	return steps
}

// index reads an array index: no sign, no leading zero.
func index(s string) int {
	if s == "" || len(s) > 9 || len(s) > 1 && s[0] == '0' {
		return -1
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = 10*n + int(s[i]-'0')
	}
	return n
}

// walk evaluates p on every value that the steps select below node i, and
// returns the worst verdict; of equals, the first counts.
func (p *parameter) walk(s *Scope, i int32, steps []step) Verdict {
	if len(steps) == 0 {
		return p.value(s, i)
	}
	t := s.Args
	n := &t.Nodes[i]
	st := &steps[0]
	// Looking for a member takes time by its key, which is hashed where there
	// are many members, and for an element by its index.
	if !s.step(1 + st.cost) {
		return Failed
	}
	if n.Kind != value.Object && n.Kind != value.Array {
		return Hard
	}
	if st.every {
		if n.Len == 0 {
			return p.absent()
		}
		worst := Pass
		for c := t.First(i); c < n.End; c = t.Nodes[c].End {
			if worst = worse(worst, p.walk(s, c, steps[1:])); worst == Failed {
				return worst
			}
		}
		return worst
	}
	if n.Kind == value.Object {
		c := t.Member(i, st.key)
		if c == value.None {
			return p.absent()
		}
		return p.walk(s, c, steps[1:])
	}
	c := element(t, i, st.index)
	if c == value.None {
		return Hard
	}
	return p.walk(s, c, steps[1:])
}
