package evaluator

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/rules"
)

// PartialFaults returns the faults of the conditions of a set that has other
// faults: parts of it may lack, and lists that a condition names may be among
// them.
func PartialFaults(set *rules.PolicySet) []rules.Fault {
	var faults []rules.Fault
	c := newCompiler(set, &Options{})
	for i := range set.Policies {
		p := &set.Policies[i]
		for j := range p.Rules {
			r := &p.Rules[j]
			try := func(path, source string, kind condition.Kind) {
				if source == "" || len(source) > condition.MaxSource || strings.Contains(source, "inList") {
					return
				}
				if _, err := c.conditions.Compile(source, kind); err != nil {
					faults = append(faults, rules.Fault{
						Path: fmt.Sprintf("policies[%d].rules[%d].%s", i, j, path), Policy: p.ID, Rule: p.RuleID(j), Message: err.Error(),
					})
				}
			}
			try("when", r.When, condition.When)
			if r.Sequence != nil {
				for i, x := range r.Sequence.Requires {
					try(fmt.Sprintf("sequence.requires[%d].when", i), x.When, condition.Earlier)
				}
				for i, x := range r.Sequence.BlockedBy {
					try(fmt.Sprintf("sequence.blockedBy[%d].when", i), x.When, condition.Earlier)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
				var top docpath.Path
				parameters := top.Member("parameters")
				parameter := parameters.Member(name)
				at := parameter.Member("expression")
				try(at.String(), r.Parameters[name].Expression, condition.Value)
			}
		}
	}
	return faults
}
