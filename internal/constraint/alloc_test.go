package constraint

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// Every check, on values that pass and on values that do not.
func TestChecksAllocateNothing(t *testing.T) {
	lists := NewList([]string{"ann", "BOB", "straße"})
	env := &Env{
		List:      func(string) *List { return lists },
		Protected: Protected{"/var/lib/veto"},
	}
	// Package regexp keeps the state of these in a sync.Pool.
	pooled := map[string]bool{"one pass": true, "table": true, "backtracker": true, "long, in nfa": true, "ignoreCase": true}
	for name, c := range map[string]struct {
		constraint rules.Constraint
		values     []string
	}{
		"table":        {rules.Constraint{Regex: text(`^[a-z0-9._-]{1,64}$`)}, []string{`"abc"`, `"ABC"`, `"é"`}},
		"one pass":     {rules.Constraint{Match: text(`(?:\pL+ ?)+`)}, []string{`"aé bé"`, `"!"`}},
		"backtracker":  {rules.Constraint{Regex: text(`\b(foo|fob|bar)+\b`)}, []string{`"a foobar"`, `"a foobars"`}},
		"long, in nfa": {rules.Constraint{NotRegex: text(`\b(foo|fob|bar)+\b.*é`)}, []string{`"` + strings.Repeat("foo é", 1500) + `"`}},
		"ignoreCase":   {rules.Constraint{Match: text("kind"), IgnoreCase: true}, []string{`"KIND"`, `"\u212aind"`}},
		"enum":         {rules.Constraint{Enum: scalars("a", json.Number("1.5"), true), IgnoreCase: true}, []string{`"A"`, `"é"`, `15e-1`, `2`, `true`, `false`, `[]`}},
		"inList":       {rules.Constraint{InList: "l", IgnoreCase: true}, []string{`"Bob"`, `"STRAßE"`, `"eve"`}},
		"lengths":      {rules.Constraint{MinLength: count(1), MaxLength: count(3)}, []string{`"éé"`, `"éééé"`}},
		"items":        {rules.Constraint{MaxItems: count(1)}, []string{`[]`, `[1,2]`}},
		"numbers":      {rules.Constraint{Min: number("0.1"), LessThan: number("1e300"), Type: "integer"}, []string{`1`, `-1`, `1e2`, `1.5`, `18446744073709551616`}},
		"within":       {rules.Constraint{Within: []string{"/srv", "/var"}}, []string{`"/srv/./a//b"`, `"/srv/../etc"`, `"/var/lib/veto/log"`, `"x"`}},
		"hosts":        {rules.Constraint{Hosts: []string{"*.example.com", "192.0.2.1", "[2001:db8::1]:8443"}}, []string{`"https://A.example.com:443/x"`, `"http://192.0.2.1"`, `"https://[2001:db8::1]:8443"`, `"https://a@example.com"`, `"javascript:x"`}},
		"emailDomains": {rules.Constraint{EmailDomains: []string{"example.com"}}, []string{`"ann@Example.com"`, `"ann@evil.org"`, `"ann"`}},
	} {
		if pooled[name] && raceDetector {
			continue // it makes sync.Pool forget at random
		}
		set, faults := Compile(map[string]rules.Constraint{"/p": c.constraint, "p": c.constraint}, env)
		require.Empty(t, faults, name)
		for _, v := range c.values {
			var tree value.Tree
			require.Equal(t, value.OK, tree.SetGo(json.RawMessage(`{"p":`+v+`}`), value.DefaultLimits))
			scope := &Scope{Args: &tree}
			allocs := testing.AllocsPerRun(50, func() {
				scope.Reset()
				set.Eval(scope, true)
			})
			require.Zero(t, allocs, "%s on %.40s", name, v)
		}
	}
}

func TestEvalAllocatesNothing(t *testing.T) {
	set, scope := mixed(t)
	require.Equal(t, Pass, set.Eval(scope, false).Verdict)
	require.Zero(t, testing.AllocsPerRun(100, func() { scope.Reset(); set.Eval(scope, false) }))
}
