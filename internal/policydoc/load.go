package policydoc

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// File is a document and the name that faults give it.
type File struct {
	Name string
	Data []byte
}

// Check looks at a set that rules.Validate has passed, and returns what else
// is wrong with it.
type Check func(*rules.PolicySet) []rules.Fault

// Decode reads one document; it is Load of one file without a check.
func Decode(name string, data []byte) (*rules.PolicySet, []Fault) {
	return Load([]File{{name, data}}, nil)
}

// Load reads documents as one set, in their order, and validates the set. If
// that is well it asks check, which may be nil. It returns the set or what is
// wrong, everything that it found in the order of the files and their texts.
// Nothing of the files' data is kept, and it must not change meanwhile.
func Load(files []File, check Check) (*rules.PolicySet, []Fault) {
	return LoadWith(files, check, nil)
}

// LoadWith is Load with a second check for a set that has other faults: it
// finds what can be found all the same, in a set of which parts may lack.
func LoadWith(files []File, check, partial Check) (*rules.PolicySet, []Fault) {
	l := loader{texts: newTexts()}
	sets := make([]*rules.PolicySet, len(files))
	unreadable := false
	for i, f := range files {
		s := read(i, f.Name, f.Data)
		l.sources = append(l.sources, s)
		if s.unreadable() {
			unreadable = true
			sets[i] = new(rules.PolicySet)
		} else {
			sets[i] = s.decode(l.texts)
		}
	}
	l.merge(sets)
	l.presence(unreadable)
	faults := rules.Validate(l.set)
	for _, f := range faults {
		// A list may be in the file that could not be read.
		if !unreadable || !strings.HasSuffix(f.Path, ".inList") && !strings.HasSuffix(f.Path, ".notInList") {
			l.add(f)
		}
	}
	if l.faulty() {
		check = partial
	}
	if check != nil && !unreadable {
		for _, f := range check(l.set) {
			l.add(f)
		}
	}
	if l.faulty() {
		return nil, l.all()
	}
	return l.set, nil
}

// loader is one load: the documents, and the set that they make.
type loader struct {
	sources []*source
	texts   *texts
	set     *rules.PolicySet

	// begins says, for each member of the set that is an array, at which
	// element each source begins.
	begins  map[string][]int
	lists   map[string]int // which source defines a list
	version int            // which source gives the version
	first   map[string]int // the first place of each id, for faults
}

func (l *loader) faulty() bool {
	for _, s := range l.sources {
		if len(s.faults) > 0 {
			return true
		}
	}
	return false
}

func (l *loader) all() []Fault {
	var faults []Fault
	for _, s := range l.sources {
		faults = append(faults, s.faults...)
	}
	sortFaults(faults)
	return faults
}

// presence checks that somebody has said something. The set of nothing allows
// nothing, but a file of nothing is more likely a file that was cut off.
func (l *loader) presence(unreadable bool) {
	switch {
	case len(l.sources) == 0:
		l.sources = []*source{{}}
		l.sources[0].faults = []Fault{{Fault: rules.Fault{Message: "there are no policy documents"}}}
	case l.set.Agents == nil && l.set.Policies == nil && l.set.ToolPolicies == nil && !unreadable && !l.faulty():
		l.sources[0].syntax(0, "the document has neither agents nor policies nor toolPolicies", "policies: [] says that there are none")
	default:
		for _, s := range l.sources {
			if !s.unreadable() && s.tree.Nodes[value.Root].Kind == value.Object && s.tree.Nodes[value.Root].Len == 0 && len(l.sources) > 1 {
				s.syntax(0, "the document says nothing", "")
			}
		}
	}
}

// add notes a fault of the merged set in the document that it is about.
func (l *loader) add(f rules.Fault) {
	steps := docpath.Parse(f.Path)
	s, steps := l.origin(steps)
	if s.unreadable() || s.full() || s.follows(steps) {
		return
	}
	if other := l.other(docpath.Parse(f.Path)); other != "" {
		f.Hint = "the first is at " + other
	}
	f.Path = docpath.Join(steps)
	s.note(int(s.tree.Nodes[s.find(steps)].Pos), f)
}

// origin finds the document, and the place in it, of a place in the set.
func (l *loader) origin(steps []docpath.Step) (*source, []docpath.Step) {
	if len(steps) == 0 {
		return l.sources[0], nil
	}
	top := steps[0].Name
	if top == "lists" && len(steps) > 1 {
		return l.sources[l.lists[steps[1].Name]], steps
	}
	if top == "version" {
		return l.sources[l.version], steps
	}
	begins := l.begins[top]
	if len(steps) < 2 || !steps[1].Element || begins == nil {
		s := l.having(top)
		return s, s.form.local(steps)
	}
	n := len(begins) - 1
	for begins[n] > steps[1].Index {
		n--
	}
	s := l.sources[n]
	local := append([]docpath.Step(nil), steps...)
	local[1].Index -= begins[n]
	return s, s.form.local(local)
}

// having returns the last readable document with a member of this name.
func (l *loader) having(name string) *source {
	for i := len(l.sources) - 1; i >= 0; i-- {
		s := l.sources[i]
		if !s.unreadable() && s.tree.Nodes[value.Root].Kind == value.Object && s.tree.Member(value.Root, name) != value.None {
			return s
		}
	}
	return l.sources[0]
}

// other says where the id at steps was used first, if it was.
func (l *loader) other(steps []docpath.Step) string {
	if len(steps) != 3 || steps[2].Name != "id" && steps[2].Name != "toolName" {
		return ""
	}
	if l.first == nil {
		l.first = make(map[string]int)
		l.eachID(func(key string, i int) {
			if _, ok := l.first[key]; !ok {
				l.first[key] = i
			}
		})
	}
	key := idOf(l.set, steps[0].Name, steps[1].Index)
	i, ok := l.first[key]
	if !ok || i == steps[1].Index {
		return ""
	}
	place := append([]docpath.Step(nil), steps...)
	place[1].Index = i
	s, local := l.origin(place)
	line, column := s.lines.at(int(s.tree.Nodes[s.find(local)].Pos))
	return fmt.Sprintf("%s:%d:%d", filepath.Base(s.name), line, column)
}

func (l *loader) eachID(f func(key string, i int)) {
	for name, n := range map[string]int{"agents": len(l.set.Agents), "policies": len(l.set.Policies), "toolPolicies": len(l.set.ToolPolicies)} {
		for i := range n {
			f(idOf(l.set, name, i), i)
		}
	}
}

// idOf returns what must be unique of an element of the set, with the name of
// the member that it is in.
func idOf(set *rules.PolicySet, name string, i int) string {
	switch name {
	case "agents":
		return "a" + set.Agents[i].ID
	case "policies":
		return "p" + set.Policies[i].ID
	case "toolPolicies":
		return "t" + set.ToolPolicies[i].PolicyID()
	}
	return ""
}
