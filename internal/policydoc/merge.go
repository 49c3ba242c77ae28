package policydoc

import (
	"fmt"
	"maps"
	"slices"

	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/rules"
)

// merge makes one set of those of the documents. Arrays are joined; strictGrant
// holds if any document says so; a list that two documents define is a fault,
// since neither is a part of the other.
func (l *loader) merge(sets []*rules.PolicySet) {
	l.begins = make(map[string][]int)
	l.lists = make(map[string]int)
	l.set = new(rules.PolicySet)
	if len(sets) == 1 {
		l.set = sets[0]
		for _, name := range [...]string{"agents", "policies", "toolPolicies", "examples"} {
			l.begins[name] = []int{0}
		}
		return
	}
	for i, set := range sets {
		if set.Version != nil && (l.set.Version == nil || *set.Version != 1) {
			l.set.Version, l.version = set.Version, i
		}
		l.set.StrictGrant = l.set.StrictGrant || set.StrictGrant
		l.set.Agents = join(l, "agents", l.set.Agents, set.Agents)
		l.set.Policies = join(l, "policies", l.set.Policies, set.Policies)
		l.set.ToolPolicies = join(l, "toolPolicies", l.set.ToolPolicies, set.ToolPolicies)
		l.set.Examples = join(l, "examples", l.set.Examples, set.Examples)
		if set.Lists != nil && l.set.Lists == nil {
			l.set.Lists = make(map[string][]string)
		}
		for _, name := range slices.Sorted(maps.Keys(set.Lists)) {
			if first, taken := l.lists[name]; taken {
				steps := []docpath.Step{{Name: "lists"}, {Name: name}}
				l.sources[i].wrong(l.sources[i].find(steps), "", fmt.Sprintf("list %q is defined in two files", name), "the other is "+l.sources[first].name)
				continue
			}
			l.lists[name] = i
			l.set.Lists[name] = set.Lists[name]
		}
	}
}

// join appends an array of the next document. One that is there and empty is
// not the same as none.
func join[E any](l *loader, name string, all, next []E) []E {
	l.begins[name] = append(l.begins[name], len(all))
	if all == nil && next != nil {
		all = []E{}
	}
	return append(all, next...)
}
