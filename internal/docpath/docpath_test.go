package docpath

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRenderAndParse(t *testing.T) {
	var top Path
	require.Empty(t, top.String())
	require.Empty(t, (*Path)(nil).String())

	policies := top.Member("policies")
	policy := policies.Element(3)
	params := policy.Member("parameters")
	for name, want := range map[string]string{
		"to":        `policies[3].parameters.to`,
		"to-_9":     `policies[3].parameters.to-_9`,
		"/to/*":     `policies[3].parameters["/to/*"]`,
		"":          `policies[3].parameters[""]`,
		`a"]b`:      `policies[3].parameters["a\"]b"]`,
		"9lives":    `policies[3].parameters["9lives"]`,
		"a.b":       `policies[3].parameters["a.b"]`,
		"caf\u00e9": `policies[3].parameters["café"]`,
	} {
		p := params.Member(name)
		require.Equal(t, want, p.String())
		steps := Parse(want)
		require.Equal(t, []Step{{Name: "policies"}, {Index: 3, Element: true}, {Name: "parameters"}, {Name: name}}, steps)
		require.Equal(t, want, Join(steps))
	}
	first := top.Element(0)
	require.Equal(t, "[0]", first.String())
	require.Equal(t, []Step{{Element: true}}, Parse("[0]"))
}

func TestParseStopsAtNonsense(t *testing.T) {
	for _, s := range []string{"a[", "a[x]", `a["x`, `a["x"`, `a["\z"]`} {
		require.Equal(t, []Step{{Name: "a"}}, Parse(s), s)
	}
}

func TestPathOfAGoodDocumentIsFree(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(10, func() {
		var top Path
		a := top.Member("a")
		b := a.Element(1)
		if b.kind != element {
			t.Fail()
		}
	}))
}
