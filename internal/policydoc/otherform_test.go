package policydoc

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

func TestOtherForm(t *testing.T) {
	for _, c := range []struct{ document, want string }{
		{
			"policies: [{id: p, agentId: a, rules: [{type: parameter_constraint, tools: [x], parameters: {a: {in: [b]}}}]}]",
			`d.yaml:1:98: policies[0].rules[0].parameters.a.in: policy "p", rule "parameter_constraint[0]": there is no field "in" here; that is of the other form of constraint; here it is enum`,
		},
		{
			"toolPolicies: [{toolName: t, mode: deterministic, constraints: [{argumentName: to, match: x}]}]",
			`d.yaml:1:84: toolPolicies[0].constraints[0].match: policy "tool:t": there is no field "match" here; that is of the other form of constraint; here it is regex, with ^(?: before the expression and )$ after it`,
		},
		{
			"toolPolicies: [{toolName: t, mode: deterministic, constraints: [{argumentName: to, hosts: [x]}]}]",
			`d.yaml:1:84: toolPolicies[0].constraints[0].hosts: policy "tool:t": there is no field "hosts" here; tool policies do not have this check; write a parameter_constraint of a policy`,
		},
		{
			"toolPolicies: [{toolName: t, mode: deterministic, constraints: [{argumentName: to, minimun: 1}]}]",
			`d.yaml:1:84: toolPolicies[0].constraints[0].minimun: policy "tool:t": there is no field "minimun" here; did you mean "minimum"?`,
		},
		{"policies: []\nin: 5", `d.yaml:2:1: in: there is no field "in" here`},
	} {
		_, faults := Decode("d.yaml", []byte(c.document))
		require.Len(t, faults, 1)
		require.Equal(t, c.want, faults[0].Error())
	}
}

// TestOtherFormIsWhole: every check that only one form has gets a hint in the
// other.
func TestOtherFormIsWhole(t *testing.T) {
	names := func(v any) (all []string) {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			all = append(all, name)
		}
		return all
	}
	one, other := names(rules.Constraint{}), names(rules.ToolConstraint{})
	for _, name := range one {
		if _, ok := otherForm(name, other); !slices.Contains(other, name) {
			require.True(t, ok, name)
		} else {
			require.False(t, ok, name)
		}
	}
	for _, name := range other {
		if name == "argumentName" || name == "enabled" || name == "action" {
			continue // no checks
		}
		if _, ok := otherForm(name, one); !slices.Contains(one, name) {
			require.True(t, ok, name)
		} else {
			require.False(t, ok, name)
		}
	}
}
