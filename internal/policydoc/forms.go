package policydoc

import (
	"fmt"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/internal/value"
)

// form is the shape of a document. Besides the format of this library there
// are those in which the managed service returns policies and agents: one, an
// array of them, and an array in an envelope.
type form struct {
	shape shape
	// rows says, of a shape other than document, which element became which
	// policy, tool policy or agent of the set, by member of the set.
	rows map[string][]int
}

type shape uint8

const (
	document shape = iota
	single
	array
	envelope
)

// rowMembers are the members of a set that can stand alone.
var rowMembers = [...]string{"policies", "toolPolicies", "agents"}

// shapeOf looks at the top of a document. A row has members that a document
// has not.
func (s *source) shapeOf() shape {
	top := &s.tree.Nodes[value.Root]
	if top.Kind == value.Array {
		return array
	}
	if top.Kind == value.Object {
		for _, name := range [...]string{"toolName", "agentId", "rules"} {
			if s.tree.Member(value.Root, name) != value.None {
				return single
			}
		}
		if s.tree.Member(value.Root, "data") != value.None {
			return envelope
		}
		if s.tree.Member(value.Root, "id") != value.None && s.tree.Member(value.Root, "status") != value.None {
			return single
		}
	}
	return document
}

// rowKind says what an element of a list is.
func (s *source) rowKind(i int32) string {
	if s.tree.Nodes[i].Kind == value.Object {
		has := func(name string) bool { return s.tree.Member(i, name) != value.None }
		switch {
		case has("toolName"):
			return "toolPolicies"
		case has("status") && !has("agentId") && !has("rules"):
			return "agents"
		}
	}
	return "policies"
}

// rowList returns the nodes of the rows of a document that is no document.
func (s *source) rowList() []int32 {
	switch s.form.shape {
	case single:
		return []int32{value.Root}
	case array:
		return s.kids(value.Root)
	}
	data := s.tree.Member(value.Root, "data")
	if s.tree.Nodes[data].Kind != value.Array {
		s.wrong(data, "", "data is no array", "")
		return nil
	}
	rows := s.kids(data)
	s.pagination(len(rows))
	return rows
}

// pagination checks that an envelope holds every row that there is. A page of
// a longer list would be fewer restrictions than were written.
func (s *source) pagination(rows int) {
	t := &s.tree
	known := []string{"data", "pagination"}
	for c := range s.members(value.Root) {
		if key := t.Nodes[c].Key; key != "data" && key != "pagination" {
			s.unknown(value.Root, c, known)
		}
	}
	at := t.Member(value.Root, "pagination")
	if at == value.None || t.Nodes[at].Kind != value.Object {
		s.wrong(value.Root, "pagination", "without pagination nothing says that the list is complete", "load the policies themselves, as an array")
		return
	}
	total := value.None
	known = []string{"limit", "offset", "count", "total", "hasMore"}
	for c := range s.members(at) {
		switch n := &t.Nodes[c]; n.Key {
		case "limit", "offset", "count":
		case "total":
			total = c
		case "hasMore":
			if n.Kind == value.Bool && n.Bits == 1 {
				s.wrong(c, "", "there are more rows than these", "load all pages as one array")
			}
		default:
			s.unknown(at, c, known)
		}
	}
	n, ok := int64(0), false
	if total != value.None && t.Nodes[total].Kind == value.Number {
		n, ok, _ = decimal.Floor(string(t.Nodes[total].AppendNumber(nil)))
	}
	switch {
	case !ok:
		s.wrong(at, "total", "without a total nothing says that the list is complete", "load the policies themselves, as an array")
	case n > int64(rows):
		s.wrong(total, "", fmt.Sprintf("the total is %d, and here are %d rows", n, rows), "load all pages as one array")
	}
}

// local translates a path of the set that this document alone would make into
// a path of the document.
func (f *form) local(steps []docpath.Step) []docpath.Step {
	if f.shape == document || len(steps) == 0 {
		return steps
	}
	top := []docpath.Step(nil)
	if f.shape == envelope {
		top = append(top, docpath.Step{Name: "data"})
	}
	rows := f.rows[steps[0].Name]
	if len(steps) < 2 || steps[1].Index >= len(rows) {
		return top
	}
	if f.shape == single {
		return steps[2:]
	}
	top = append(top, docpath.Step{Index: rows[steps[1].Index], Element: true})
	return append(top, steps[2:]...)
}

// rowSteps returns how many steps of a path of the document lead to the
// policy that the path is in, or 0 if it is in none.
func (f *form) rowSteps(steps []docpath.Step) int {
	n := 0
	switch f.shape {
	case document:
		if len(steps) == 0 || steps[0].Name != "policies" && steps[0].Name != "toolPolicies" {
			return 0
		}
		n = 2
	case array:
		n = 1
	case envelope:
		n = 2
	}
	if n == 0 || n > len(steps) || !steps[n-1].Element {
		return 0
	}
	return n
}
