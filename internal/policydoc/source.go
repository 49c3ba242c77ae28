package policydoc

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// MaxBytes is the size of the largest document.
const MaxBytes = 64 << 20

// maxDepth is more than any document of the format needs, the parameters of
// examples included.
const maxDepth = 64

// source is one document: the lines of its text and the tree that was read from it.
type source struct {
	name   string
	number int // among the files of a load
	tree   value.Tree
	lines  lines
	form   form

	faults []Fault
	// doubtful are the paths of the members that the decoder could not fill.
	// What the validator says of those follows from that, and is left out.
	doubtful map[string]bool
	// children of large containers, for finding faults
	children map[int32][]int32
}

// read fills the tree of a source, or notes why it cannot. The tree and
// everything that is cut from it share memory with data.
func read(number int, name string, data []byte) *source {
	s := &source{name: name, number: number}
	if len(data) > MaxBytes {
		s.syntax(0, "the document has more than "+strconv.Itoa(MaxBytes>>20)+" MiB", "")
		return s
	}
	// Some editors begin a file with a byte order mark.
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	text := unsafe.String(unsafe.SliceData(data), len(data))
	s.lines.text = text
	switch i := invalidUTF8(text); {
	case strings.TrimSpace(text) == "":
		s.syntax(0, "the document is empty", "a document that allows nothing says so with policies: []")
	case i >= 0:
		s.syntax(i, "the text is not valid UTF-8", "")
	case isJSON(name, text):
		lim := value.Limits{Bytes: MaxBytes, Depth: maxDepth}
		if p, at := s.tree.SetJSON(data, lim); p != value.OK {
			s.syntax(at, problemTexts[p], "")
		}
	default:
		s.readYAML(text)
	}
	return s
}

func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			return i
		}
	}
	return -1
}

// isJSON goes by the name, and where that says nothing by the first byte.
func isJSON(name, text string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return true
	case ".yaml", ".yml":
		return false
	}
	first := strings.TrimLeft(text, " \t\r\n")
	return first != "" && (first[0] == '{' || first[0] == '[')
}

// problemTexts says of a document what value says of parameters.
var problemTexts = [...]string{
	value.NotJSON:      "this is not valid JSON",
	value.TooLarge:     "the document is too large",
	value.TooDeep:      "this is nested too deep",
	value.BadUTF8:      "the text is not valid UTF-8",
	value.DuplicateKey: "this key is there twice in one object",
	value.FoldedKey:    "this key differs from another of the same object in case only",
	value.NumberRange:  "the number is out of range",
	value.TrailingData: "something follows the end of the document",
}

// syntax notes a fault of the text itself.
func (s *source) syntax(offset int, message, hint string) {
	s.note(offset, rules.Fault{Message: message, Hint: hint})
}

// maxFaults is the most faults of one document that are kept: a document can
// have millions, each larger than what it is about.
const maxFaults = 10_000

func (s *source) full() bool { return len(s.faults) >= maxFaults }

func (s *source) note(offset int, f rules.Fault) {
	if s.full() {
		return
	}
	s.faults = append(s.faults, s.place(offset, f))
	if s.full() {
		s.faults[maxFaults-1] = s.place(len(s.lines.text), rules.Fault{Message: "there are more faults than are listed"})
	}
}

func (s *source) place(offset int, f rules.Fault) Fault {
	line, column := s.lines.at(offset)
	return Fault{File: s.name, Line: line, Column: column, Fault: f, file: s.number, offset: offset}
}

// unreadable reports whether there is no tree.
func (s *source) unreadable() bool { return s.tree.Empty() }

// kids returns the children of container i.
func (s *source) kids(i int32) []int32 {
	if kids, ok := s.children[i]; ok {
		return kids
	}
	t := &s.tree
	kids := make([]int32, 0, t.Nodes[i].Len)
	for c := t.First(i); c < t.Nodes[i].End; c = t.Nodes[c].End {
		kids = append(kids, c)
	}
	if s.children == nil {
		s.children = make(map[int32][]int32)
	}
	s.children[i] = kids
	return kids
}

// find walks steps down the tree, as far as they lead.
func (s *source) find(steps []docpath.Step) (i int32) {
	t := &s.tree
	for _, step := range steps {
		next := value.None
		switch n := &t.Nodes[i]; {
		case n.Kind == value.Array && step.Element:
			if kids := s.kids(i); step.Index < len(kids) {
				next = kids[step.Index]
			}
		case n.Kind == value.Object && !step.Element:
			next = t.Member(i, step.Name)
		}
		if next == value.None {
			return i
		}
		i = next
	}
	return i
}

// pathOf returns the steps that lead to node i.
func (s *source) pathOf(i int32) []docpath.Step {
	var steps []docpath.Step
	t := &s.tree
	for at := value.Root; at != i; {
		kids := s.kids(at)
		// The last child that does not begin after i.
		k := len(kids) - 1
		for lo := 0; lo < k; {
			if mid := (lo + k + 1) / 2; kids[mid] <= i {
				lo = mid
			} else {
				k = mid - 1
			}
		}
		if t.Nodes[at].Kind == value.Array {
			steps = append(steps, docpath.Step{Index: k, Element: true})
		} else {
			steps = append(steps, docpath.Step{Name: t.Nodes[kids[k]].Key})
		}
		at = kids[k]
	}
	return steps
}

// wrong notes that node i is wrong, or its member name where that is given.
func (s *source) wrong(i int32, name, message, hint string) {
	if s.full() {
		return
	}
	steps := s.pathOf(i)
	f := rules.Fault{Message: message, Hint: hint}
	f.Policy, f.Rule = s.names(steps)
	if name != "" {
		steps = append(steps, docpath.Step{Name: name})
	}
	f.Path = docpath.Join(steps)
	s.doubt(f.Path)
	s.note(int(s.tree.Nodes[i].Pos), f)
}

func (s *source) doubt(path string) {
	if s.doubtful == nil {
		s.doubtful = make(map[string]bool)
	}
	s.doubtful[path] = true
}

// doubted reports whether the member name of the object i is doubtful.
func (s *source) doubted(i int32, name string) bool {
	if s.doubtful == nil {
		return false
	}
	return s.doubtful[docpath.Join(append(s.pathOf(i), docpath.Step{Name: name}))]
}

// follows reports whether what is wrong at steps follows from a fault that
// the decoder has noted, there or above.
func (s *source) follows(steps []docpath.Step) bool {
	if s.doubtful == nil {
		return false
	}
	for n := range len(steps) + 1 {
		if s.doubtful[docpath.Join(steps[:n])] {
			return true
		}
	}
	return false
}

// names returns the ids of the policy and of the rule that steps lead into.
func (s *source) names(steps []docpath.Step) (policy, rule string) {
	row := s.form.rowSteps(steps)
	if row == 0 {
		return "", ""
	}
	t := &s.tree
	at := s.find(steps[:row])
	text := func(i int32, member string) string {
		if t.Nodes[i].Kind != value.Object {
			return ""
		}
		if m := t.Member(i, member); m != value.None && t.Nodes[m].Kind == value.String {
			return strings.Clone(t.Nodes[m].Text)
		}
		return ""
	}
	if tool := text(at, "toolName"); tool != "" {
		p := rules.ToolPolicy{ToolName: tool}
		if project := text(at, "projectId"); project != "" {
			p.ProjectID = &project
		}
		return p.PolicyID(), ""
	}
	policy = text(at, "id")
	if len(steps) < row+2 || steps[row].Name != "rules" || !steps[row+1].Element {
		return policy, ""
	}
	list := s.find(steps[:row+1])
	var before rules.Policy
	for _, r := range s.kids(list)[:steps[row+1].Index+1] {
		before.Rules = append(before.Rules, rules.Rule{ID: text(r, "id"), Type: rules.RuleType(text(r, "type"))})
	}
	return policy, before.RuleID(len(before.Rules) - 1)
}
