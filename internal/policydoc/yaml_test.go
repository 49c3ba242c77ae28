package policydoc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// yamlValue reads a value through the parameters of an example, where any
// JSON may stand, and returns it as compact JSON.
func yamlValue(t *testing.T, text string) (string, []string) {
	t.Helper()
	const head = "policies: []\nexamples: [{want: denied, call: {agent: a, tool: t, parameters: "
	set, faults := Decode("d.yaml", []byte(head+text+"}}]\n"))
	if len(faults) > 0 {
		var all []string
		for _, f := range faults {
			all = append(all, f.Error())
		}
		return "", all
	}
	return string(set.Examples[0].Call.Parameters), nil
}

func TestYAMLIsTheJSONThatItDenotes(t *testing.T) {
	for text, want := range map[string]string{
		`[1, -1, 0, 1.50, 1e3, -2.5E-7]`:                     `[1,-1,0,1.50,1e3,-2.5E-7]`,
		`[9007199254740993, 123456789012345678901234567890]`: `[9007199254740993,123456789012345678901234567890]`,
		`[true, True, FALSE, null, ~]`:                       `[true,true,false,null,null]`,
		`[yes, no, on, off, y, n]`:                           `["yes","no","on","off","y","n"]`,
		`["1", '2', "null", '~', "<<"]`:                      `["1","2","null","~","<<"]`,
		`[12:30:45, 1.2.3, 1-2, a b, é]`:                     `["12:30:45","1.2.3","1-2","a b","é"]`,
		`["\x00\t\"\\\u2028"]`:                               "[\"\\u0000\\t\\\"\\\\\u2028\"]",
		`{a: {b: [{}]}, "<<": 1}`:                            `{"a":{"b":[{}]},"<<":1}`,
		`{a: , b: }`:                                         `{"a":null,"b":null}`,
	} {
		got, faults := yamlValue(t, text)
		require.Empty(t, faults, text)
		require.JSONEq(t, want, got, text)
		require.Equal(t, compact(t, want), compact(t, got), "numbers keep their text: %s", text)
	}
}

func compact(t *testing.T, s string) string {
	var v any
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&v))
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

func TestYAMLRefusals(t *testing.T) {
	for text, want := range map[string]string{
		`0x1F`:                    `"0x1F" is not how JSON writes a number`,
		`0o17`:                    `"0o17" is not how JSON writes a number`,
		`017`:                     `"017" is not how JSON writes a number`,
		`08`:                      `"08" is not how JSON writes a number`,
		`0b11`:                    `"0b11" is not how JSON writes a number`,
		`1_000`:                   `"1_000" is not how JSON writes a number`,
		`+1`:                      `"+1" is not how JSON writes a number`,
		`.5`:                      `".5" is not how JSON writes a number`,
		`1.`:                      `"1." is not how JSON writes a number`,
		`.inf`:                    `".inf" is not how JSON writes a number`,
		`-.INF`:                   `"-.INF" is not how JSON writes a number`,
		`.nan`:                    `".nan" is not how JSON writes a number`,
		`1e400`:                   `the number is out of range`,
		`-1e999999`:               `the number is out of range`,
		`+1e400`:                  `"+1e400" is not how JSON writes a number`,
		`2024-01-01`:              `YAML reads "2024-01-01" as a point in time`,
		`2024-01-01T10:00:00Z`:    `YAML reads "2024-01-01T10:00:00Z" as a point in time`,
		`&x 1`:                    `an anchor has no meaning here`,
		`[&x [], 1]`:              `an anchor has no meaning here`,
		`{a: &x 1, b: *x}`:        `an alias has no meaning here`,
		`!!str 1`:                 `a tag has no meaning here`,
		`! 1`:                     `a tag has no meaning here`,
		`!mine {}`:                `a tag has no meaning here`,
		`!!binary aGk=`:           `a tag has no meaning here`,
		`{<<: {a: 1}}`:            `a merge key has no meaning here`,
		`{1: 2}`:                  `the key is no text`,
		`{1e999: 2}`:              `the key is no text`,
		`{true: 2}`:               `the key is no text`,
		`{~: 2}`:                  `the key is no text`,
		`{2024-01-01: 2}`:         `the key is no text`,
		`{[a]: 2}`:                `the key is no text`,
		`{!!str a: 2}`:            `a key has neither anchor, alias nor tag`,
		`{&a a: 2}`:               `a key has neither anchor, alias nor tag`,
		`{a: 1, a: 2}`:            `this key is there twice in one object`,
		`{a: 1, "a": 2}`:          `this key is there twice in one object`,
		`{a: 1, A: 2}`:            `this key differs from another of the same object in case only`,
		"{kind: 1, \u212aind: 2}": `this key differs from another of the same object in case only`,
		`{a: 1`:                   `this is not valid YAML`,
		`"\ud800"`:                `this is not valid YAML`,
		`*unknown`:                `this is not valid YAML`,
		"\x01":                    `this is not valid YAML`,
		"\xff":                    `the text is not valid UTF-8`,
	} {
		_, faults := yamlValue(t, text)
		require.NotEmpty(t, faults, text)
		require.Contains(t, strings.Join(faults, "\n"), want, text)
		require.True(t, strings.HasPrefix(faults[0], "d.yaml:"), faults[0])
	}
}

func TestYAMLDocuments(t *testing.T) {
	require.Empty(t, faultsOf(t, "d.yaml", "# comment\n---\npolicies: []\n...\n"))
	require.Equal(t, []string{"d.yaml:2:1: a second document follows the first"}, faultsOf(t, "d.yaml", "policies: []\n---\npolicies: []\n"))
	require.Len(t, faultsOf(t, "d.yaml", "policies: []\n---\n"), 1)
	require.Len(t, faultsOf(t, "d.yaml", "policies: []\n---\n{"), 1)
	require.Equal(t, []string{"d.yaml:1:1: the document is empty"}, faultsOf(t, "d.yaml", "# nothing\n"))
	require.Len(t, faultsOf(t, "d.yaml", "---\n"), 1)
	require.Len(t, faultsOf(t, "d.yaml", strings.Repeat("[", 20000)), 1)
	require.Len(t, faultsOf(t, "d.yaml", "\xff\xfep\x00"), 1, "UTF-16")
}

func TestYAMLPositions(t *testing.T) {
	for text, want := range map[string]string{
		"policies: []\nnope: 1\n":                    "d.yaml:2:1: ",
		"policies: []\r\nnope: 1\r\n":                "d.yaml:2:1: ",
		"policies: []\nagents: [{\"id\": é, nö: 1}]": "d.yaml:2:20: ",
		"# é\u2028policies: []\nnope: 1\n":           "d.yaml:",
		"policies: []\nagents:\n- id: a\n- id: a":    "d.yaml:4:3: ",
		"\ufeffpolicies: []\nnope: 1\n":              "d.yaml:2:1: ",
		"policies: []\nagents:\n- id: a\n  name: [":  "d.yaml:4:",
	} {
		faults := faultsOf(t, "d.yaml", text)
		require.Len(t, faults, 1, text)
		require.True(t, strings.HasPrefix(faults[0], want), "%q: %s", text, faults[0])
	}
}

// Aliases that multiply must not be expanded before they are refused.
func TestYAMLAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for i := range 40 {
		prev, next := string(rune('a'+i%26))+string(rune('0'+i/26)), string(rune('a'+(i+1)%26))+string(rune('0'+(i+1)/26))
		b.WriteString(next + ": &" + next + " [" + strings.Repeat("*"+prev+",", 9) + "*" + prev + "]\n")
	}
	require.NotEmpty(t, faultsOf(t, "d.yaml", b.String()))
}
