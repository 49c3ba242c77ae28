package lint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/internal/policydoc"
	"github.com/useveto/veto-go/rules"
)

func load(t *testing.T, file string) *rules.PolicySet {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	set, faults := policydoc.Decode(file, data)
	require.Empty(t, faults, file)
	return set
}

func has(findings []Finding, check string) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Check == check })
}

// Each check objects to its bad file and not to its good one. Every finding
// has a place, a severity and advice.
func TestChecks(t *testing.T) {
	bad, err := filepath.Glob("testdata/*.bad.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(bad), 16)
	for _, file := range bad {
		check := strings.TrimSuffix(filepath.Base(file), ".bad.yaml")
		t.Run(check, func(t *testing.T) {
			findings := Lint(load(t, file), nil)
			require.True(t, has(findings, check), "%+v", findings)
			for _, f := range findings {
				require.NotEmpty(t, docpath.Parse(f.Path), f.Path)
				require.NotEmpty(t, f.Hint)
				require.Contains(t, []Severity{Error, Warning, Note}, f.Severity)
			}
			findings = Lint(load(t, "testdata/"+check+".good.yaml"), nil)
			require.False(t, has(findings, check), "%+v", findings)
		})
	}
}

func TestSignatures(t *testing.T) {
	set := load(t, "testdata/unseen-parameter.bad.yaml")
	set.ToolPolicies = []rules.ToolPolicy{{ToolName: "y", Mode: "deterministic", Constraints: []rules.ToolConstraint{{ArgumentName: "to"}}}}
	schema := json.RawMessage(`{"type":"object","properties":{"amount":{"type":"number"}}}`)
	findings := Lint(set, []Signature{{"x", schema}, {"y", schema}, {"z", schema}, {"w", nil}})
	var got []string
	for _, f := range findings {
		if f.Check == "unknown-parameter" || f.Check == "tool-without-rule" {
			got = append(got, string(f.Severity)+" "+f.Path+": "+f.Message)
		}
	}
	require.Equal(t, []string{
		`error policies[0].rules[1].parameters.amuont: tool "x" has no parameter "amuont"`,
		`error toolPolicies[0].constraints[0].argumentName: tool "y" has no parameter "to"`,
		`note : no rule names tool "z"`,
		`note : no rule names tool "w"`,
	}, got)
	set.Policies[0].Rules[0].When = "has(args.amuont) && args.amuont > 5"
	set.Policies[0].Rules[1].Parameters = map[string]rules.Constraint{"/*": {}}
	findings = Lint(set, []Signature{{"x", schema}})
	require.Equal(t, 1, len(slices.DeleteFunc(findings, func(f Finding) bool { return f.Check != "unknown-parameter" || f.Path != "policies[0].rules[0].when" })))
	set = load(t, "testdata/unseen-parameter.good.yaml")
	require.False(t, has(Lint(set, []Signature{{"x", schema}}), "unknown-parameter"))
}
