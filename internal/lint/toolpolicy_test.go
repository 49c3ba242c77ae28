package lint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/policydoc"
	"github.com/useveto/veto-go/rules"
)

// lintTool returns the findings about one constraint of a tool policy.
func lintTool(t *testing.T, constraint string) (found []string) {
	t.Helper()
	set, faults := policydoc.Decode("p.yaml", []byte("toolPolicies: [{toolName: x, mode: deterministic, constraints: [{argumentName: code, "+constraint+"}]}]"))
	require.Empty(t, faults)
	require.Empty(t, rules.Validate(set))
	for _, f := range Lint(set, nil) {
		require.Equal(t, "tool:x", f.Policy)
		found = append(found, fmt.Sprintf("%s %s %s", f.Severity, f.Check, strings.TrimPrefix(f.Path, "toolPolicies[0].constraints[0].")))
	}
	return found
}

// TestToolPolicyBounds has the bounds under all of their names.
func TestToolPolicyBounds(t *testing.T) {
	for constraint, want := range map[string]string{
		"minimum: 5, maximum: 4":                       "minimum",
		"minimum: 5, lessThan: 5":                      "minimum",
		"greaterThanOrEqual: 5, lessThanOrEqual: 4.99": "greaterThanOrEqual",
		"greaterThan: 5, maximum: 5":                   "greaterThan",
		"greaterThan: 5, lessThan: 5":                  "greaterThan",
		"minLength: 2, maxLength: 1":                   "minLength",
		"minItems: 2, maxItems: 1":                     "minItems",
	} {
		require.Equal(t, []string{"error empty-range " + want}, lintTool(t, constraint), constraint)
		require.Empty(t, lintTool(t, "enabled: false, "+constraint))
	}
	for _, constraint := range []string{"minimum: 5, maximum: 5", "greaterThanOrEqual: 4, lessThan: 5", "minLength: 1, maxLength: 1", "minimum: 5"} {
		require.Empty(t, lintTool(t, constraint))
	}
}

// TestToolPolicyAdvice names no check that a tool policy does not have.
func TestToolPolicyAdvice(t *testing.T) {
	require.Equal(t, []string{"warning unanchored-regex regex"}, lintTool(t, "regex: 'a[0-9]'"))
	require.NotContains(t, inTools.whole, "match")
	set, faults := policydoc.Decode("p.yaml", []byte("toolPolicies: [{toolName: x, mode: deterministic, isActive: false, constraints: [{argumentName: code, regex: x}]}]"))
	require.Empty(t, faults)
	require.Empty(t, Lint(set, nil), "a tool policy that is off")
}

// TestUnanchored: what the advice makes of an expression is anchored.
func TestUnanchored(t *testing.T) {
	const alternative = "^ and $ hold for the alternative that they stand in, and another one is searched for anywhere in the value"
	const anywhere = "the regular expression is searched for anywhere in the value, so anything may stand around it"
	look := func(text string) (message string) {
		(&linter{}).regexFindings("code", text, false, &inRules, func(_ Severity, check, m, hint string) {
			require.Equal(t, "unanchored-regex", check, text)
			require.Contains(t, hint, "^(?: before it and )$ after it")
			message = m
		})
		return message
	}
	for text, want := range map[string]string{
		"^a|b$":          alternative,
		"^a$|b":          alternative,
		"^abc|abd$":      alternative,
		"^a|^b|c$":       alternative,
		"a|b":            anywhere,
		"cat|dog":        anywhere,
		"^a":             anywhere,
		"(^a|b)$":        anywhere,
		"a$":             anywhere,
		"(?m)^a$":        anywhere,
		"^a$":            "",
		"^a$|^b$":        "",
		"^(a|b)$":        "",
		"^(?:a|b)$":      "",
		`\Aa\z`:          "",
		"(^a|^b)(c$|d$)": "",
	} {
		require.Equal(t, want, look(text), text)
		require.Empty(t, look("^(?:"+text+")$"), text)
	}
}
