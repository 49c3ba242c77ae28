package policydoc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/useveto/veto-go/rules"
)

// Fault is one thing that is wrong with a policy document.
type Fault struct {
	// File is the name that the document was loaded under.
	File string
	// Line and Column count from 1, columns in characters; 0 where the fault
	// has no place in the text.
	Line   int
	Column int
	// Fault has its Path from the top of this file, also where several
	// files make one set.
	rules.Fault

	file, offset int // to sort by
}

// Error renders the fault on one line: file, line and column, path, policy
// and rule, message and hint.
func (f Fault) Error() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
		}
		b.WriteString(": ")
	}
	if f.Path != "" {
		b.WriteString(f.Path)
		b.WriteString(": ")
	}
	switch {
	case f.Rule != "" && f.Policy != "":
		fmt.Fprintf(&b, "policy %q, rule %q: ", f.Policy, f.Rule)
	case f.Policy != "":
		fmt.Fprintf(&b, "policy %q: ", f.Policy)
	}
	b.WriteString(f.Message)
	if f.Hint != "" {
		b.WriteString("; ")
		b.WriteString(f.Hint)
	}
	return b.String()
}

// sortFaults puts faults in the order of the files and of their text.
func sortFaults(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.offset, b.offset))
	})
}

// lines turns byte offsets into lines and columns. Faults come in any order;
// the table of lines is made for the first.
type lines struct {
	text   string
	starts []int // offsets of the lines
}

func (l *lines) at(offset int) (line, column int) {
	if l.starts == nil {
		l.starts = append(l.starts, 0)
		for i := 0; ; i++ {
			n := strings.IndexByte(l.text[i:], '\n')
			if n < 0 {
				break
			}
			i += n
			l.starts = append(l.starts, i+1)
		}
	}
	offset = min(max(offset, 0), len(l.text))
	line, found := slices.BinarySearch(l.starts, offset)
	if found {
		line++
	}
	return line, utf8.RuneCountInString(l.text[l.starts[line-1]:offset]) + 1
}
