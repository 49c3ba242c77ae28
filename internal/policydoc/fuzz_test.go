package policydoc

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

func seeds(f *testing.F) {
	for _, s := range []string{
		everything, row("a"), toolRow, agentRow, "[" + row("a") + "," + toolRow + "]",
		`{"data":[` + row("a") + `],"pagination":{"total":1}}`,
		"policies: []\nagents: []\nlists: {l: []}\n", `{"policies":[],"version":1.0}`,
		"a: &a [*a]", "? [x]\n: y", "!!map {policies: []}", "policies: [{<<: *p}]", "%YAML 1.1\n---\npolicies: []\n...\n", "\ufeff- 1e999\n",
	} {
		f.Add([]byte(s))
	}
}

// What is accepted is valid, and means the same when it is written and read
// again.
func FuzzDecodeJSON(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) { roundTrip(t, "f.json", data) })
}

func FuzzDecodeYAML(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) { roundTrip(t, "f.yaml", data) })
}

func roundTrip(t *testing.T, name string, data []byte) {
	before := bytes.Clone(data)
	set, faults := Decode(name, data)
	require.Equal(t, before, data, "the document was changed")
	require.NotEqual(t, set == nil, len(faults) == 0)
	if set == nil {
		for _, fault := range faults {
			require.NotEmpty(t, fault.Message)
			require.Positive(t, fault.Line)
		}
		return
	}
	require.Empty(t, rules.Validate(set))
	out := encode(t, set)
	again, faults := Decode("again.json", out)
	require.Empty(t, faults, "%s", out)
	require.Equal(t, string(out), string(encode(t, again)))
}

// encode writes a set. Members that are empty lists are what encoding/json
// may leave out; some of them say something, so they are put back.
func encode(t *testing.T, set *rules.PolicySet) []byte {
	out, err := json.Marshal(set)
	require.NoError(t, err)
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(out, &members))
	if set.Agents != nil && members["agents"] == nil {
		members["agents"] = json.RawMessage("[]")
	}
	if members["policies"] == nil {
		members["policies"] = json.RawMessage("[]")
	}
	out, err = json.Marshal(members)
	require.NoError(t, err)
	return out
}
