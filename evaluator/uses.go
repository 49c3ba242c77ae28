package evaluator

import (
	"cmp"
	"slices"
	"strings"

	"github.com/useveto/veto-go/internal/pattern"
)

// ParameterUse is a top-level parameter that a rule speaks of.
type ParameterUse struct {
	PolicyID, RuleID string
	Name             string
	// Exact: the rule names the tool, and not by a pattern of more tools.
	Exact bool
}

// Parameters returns the parameters that rules about the tool speak of, in
// whatever project and for whatever agent, sorted: those that a rule names the
// tool for, and of rules about more tools those that deny where they are
// absent. What conditions read is not among them.
func (p *Program) Parameters(tool string) []ParameterUse {
	if p == nil {
		return nil
	}
	var uses []ParameterUse
	scopes := []*scope{&p.org, {agents: p.floor}}
	for _, s := range p.projects {
		scopes = append(scopes, s)
	}
	for _, s := range scopes {
		if s.tools != nil {
			uses = s.tools.uses(uses, tool)
		}
		s.agents.All(func(u *unit) { uses = u.uses(uses, tool) })
	}
	uses = slices.DeleteFunc(uses, func(u ParameterUse) bool { return u.Name == "*" })
	slices.SortFunc(uses, func(a, b ParameterUse) int {
		return cmp.Or(cmp.Compare(a.PolicyID, b.PolicyID), cmp.Compare(a.RuleID, b.RuleID), cmp.Compare(a.Name, b.Name), rank(b)-rank(a))
	})
	return slices.CompactFunc(uses, func(a, b ParameterUse) bool {
		b.Exact = a.Exact // the exact one is the first
		return a == b
	})
}

func rank(u ParameterUse) int {
	if u.Exact {
		return 1
	}
	return 0
}

func (u *unit) uses(uses []ParameterUse, tool string) []ParameterUse {
	name := pattern.Lower(tool)
	if row := u.tools.Exact(name); row != nil {
		uses = row.uses(uses, true)
	}
	for pr := u.tools.Longest(name); pr != nil; pr = u.tools.Parent(pr) {
		uses = pr.Value.uses(uses, false)
	}
	return uses
}

func (row *row) uses(uses []ParameterUse, exact bool) []ParameterUse {
	for _, ref := range row.refs {
		r := ref.rule
		if r.policy.flags.shadow {
			continue
		}
		add := func(name string) {
			uses = append(uses, ParameterUse{r.policy.id, r.id, topLevel(name), exact})
		}
		switch b := r.body.(type) {
		case *constraintBody:
			for _, set := range b.anyOf {
				for _, name := range set.Needs(exact) {
					if exact || len(b.anyOf) == 1 {
						add(name)
					}
				}
			}
		case *limit:
			if b.parameter != nil {
				add(b.parameter.name)
			}
		case *sequence:
			for _, entries := range [...][]entry{b.requires, b.blockedBy} {
				for i := range entries {
					for _, same := range entries[i].same {
						add(same.this.name)
					}
				}
			}
		}
	}
	return uses
}

// topLevel is the parameter that a name, perhaps a pointer, is about.
func topLevel(name string) string {
	rest, pointer := strings.CutPrefix(name, "/")
	if !pointer {
		return name
	}
	first, _, _ := strings.Cut(rest, "/")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(first)
}
