package twin

import (
	"encoding/json"
	"testing"
)

// FuzzEngine puts tool names and raw parameters that nobody chose to engine
// and twin, under the policies of a seed.
func FuzzEngine(f *testing.F) {
	f.Add(uint64(1), "read", []byte(`{"amount":5,"to":"ann@example.com"}`))
	f.Add(uint64(17), "Write", []byte(`{"path":"/home/a/../b","k":1e2}`))
	f.Add(uint64(87), "file.read", []byte(`{"a":{"b":[1,null,{"c":"\u212a"}]},"A":1}`))
	f.Add(uint64(3), "", []byte("null"))
	f.Fuzz(func(t *testing.T, seed uint64, tool string, params []byte) {
		h := newHistory(seed % 100_000)
		h.calls = h.calls[:3]
		for i := range h.calls {
			h.calls[i].call.Tool, h.calls[i].call.Parameters = tool, json.RawMessage(params)
		}
		at, engine, twin, err := h.run()
		if err != nil {
			t.Skip()
		}
		if at >= 0 {
			t.Fatal(h.shrink(engine, twin))
		}
	})
}
