package value

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAppendJSON(t *testing.T) {
	for in, want := range map[string]string{
		` { "b" : [ 1 , "x" , { } , [ ] ] , "a" : null } `: `{"b":[1,"x",{},[]],"a":null}`,
		`"\u0000\u001f\b\f\n\r\t\"\\\/"`:                   `"\u0000\u001f\b\f\n\r\t\"\\/"`,
		`"<&>\u2028\u007fé"`:                               "\"<&>\u2028\u007fé\"",
		`[1.50,1e2,-0,true,false]`:                         `[1.50,1e2,-0,true,false]`,
	} {
		var tree Tree
		p, _ := tree.SetJSON([]byte(in), DefaultLimits)
		require.Equal(t, OK, p)
		require.Equal(t, want, string(tree.AppendJSON(nil, Root)))
		require.Equal(t, "> "+want, string(tree.AppendJSON([]byte("> "), Root)), "it appends")
	}
}

func TestAppendJSON_OfOneNode(t *testing.T) {
	var tree Tree
	p, _ := tree.SetJSON([]byte(`{"a":{"b":[1,2]},"c":3}`), DefaultLimits)
	require.Equal(t, OK, p)
	require.Equal(t, `{"b":[1,2]}`, string(tree.AppendJSON(nil, tree.Member(Root, "a"))))
	require.Equal(t, `3`, string(tree.AppendCanonical(nil, tree.Member(Root, "c"))))
}

// TestAppendCanonical_OneTextPerValue: digests of arguments must not depend on
// the form in which they came.
func TestAppendCanonical_OneTextPerValue(t *testing.T) {
	const want = `{"":{},"a":100,"b":[0,0.1,1e300],"é":true}`
	forms := []any{
		`{"":{},"a":100,"b":[0,0.1,1e300],"é":true}`,
		` { "é":true, "b":[-0.0,1e-1,1E+300], "\u0061":1e2, "":{} } `,
		json.RawMessage(`{"b":[0,0.10,10e299],"a":100.0,"\u00e9":true,"":{}}`),
		map[string]any{"a": 100, "b": []any{0.0, float32(0.1), 1e300}, "é": true, "": map[string]any{}},
		map[string]any{"a": json.Number("100.00"), "b": []any{math.Copysign(0, -1), 0.1, json.Number("1e300")}, "é": true, "": struct{}{}},
		map[string]any{"a": uint8(100), "b": []float64{0, 0.1, 1e300}, "é": true, "": map[string]int{}},
	}
	for _, form := range forms {
		var tree Tree
		require.Equal(t, OK, tree.SetGo(form, DefaultLimits), "%v", form)
		require.Equal(t, want, string(tree.AppendCanonical(nil, Root)), "%v", form)
	}
}

func TestAppendCanonical_TellsValuesApart(t *testing.T) {
	seen := map[string]string{}
	for _, s := range []string{
		`null`, `false`, `true`, `0`, `1`, `"1"`, `"null"`, `""`, `[]`, `{}`, `[[]]`, `[{}]`, `{"":null}`, `[1,2]`, `[2,1]`, `[12]`,
		`{"a":1}`, `{"A":1}`, `{"a":"1"}`, `{"a":{"b":1}}`, `{"a":[{"b":1}]}`, `9007199254740992`, `9007199254740993`,
		`9007199254740992.5`, `1e-400`, `"\""`, `"\\\""`, `"a\u0000"`, `"a"`,
	} {
		var tree Tree
		p, _ := tree.SetJSON([]byte(s), DefaultLimits)
		require.Equal(t, OK, p)
		c := string(tree.AppendCanonical(nil, Root))
		require.Empty(t, seen[c], "%s and %s", seen[c], s)
		seen[c] = s
	}
}
