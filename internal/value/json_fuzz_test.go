package value

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzSetJSON: what is accepted is JSON, and encoding/json reads the same from
// it; what is refused leaves nothing.
func FuzzSetJSON(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `null`, `{"a":[1,2.50,-3e7,"x\n\u00e9\ud83d\ude00",true,false,null,{}],"b":{"c":[]}}`,
		`{"path":1,"PATH":2}`, `{"a":1,"a":1}`, `"\ud800"`, "\"\xff\"", `[1.8e308]`, `01`, `{"a":1}x`,
		`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"\u212a":10}`, `"1234567é12345678\""`, `[[[[[[[[[]]]]]]]]]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lim := Limits{Bytes: 4096, Depth: 8}
		var tree Tree
		p, pos := tree.SetJSON(data, lim)
		require.True(t, 0 <= pos && pos <= len(data))
		if p != OK {
			require.True(t, tree.Empty())
			if p == NotJSON {
				require.False(t, json.Valid(data))
			}
			return
		}
		requireShape(t, &tree)
		require.True(t, json.Valid(data))
		out := tree.AppendJSON(nil, Root)
		require.Equal(t, decode(t, data), decode(t, out))

		canonical := tree.AppendCanonical(nil, Root)
		var again Tree
		p, _ = again.SetJSON(out, Limits{Bytes: len(out), Depth: 8})
		require.Equal(t, OK, p)
		require.Equal(t, out, again.AppendJSON(nil, Root))
		require.Equal(t, canonical, again.AppendCanonical(nil, Root))
		p, _ = again.SetJSON(canonical, Limits{Bytes: len(canonical), Depth: 8})
		require.Equal(t, OK, p)
		require.Equal(t, canonical, again.AppendCanonical(nil, Root))
	})
}
