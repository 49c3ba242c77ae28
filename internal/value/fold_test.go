package value

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFolding_IsLinear reads objects of 100,000 keys, chosen to look alike to
// what tells keys apart cheaply. That takes some tenths of a second, and ten
// times as long with the race detector; to compare each key with each takes
// minutes.
func TestFolding_IsLinear(t *testing.T) {
	const members = 100_000
	lim := Limits{Bytes: 16 << 20, Depth: 32} // the most that an option permits
	for name, format := range map[string]string{
		"short": "%d", "same ends": "key %06d of it", "other script": "Σίσυφος %06d ſ", "long": strings.Repeat("k", 100) + "%06d",
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			m := make(map[string]any, members)
			for i := range members {
				key := fmt.Sprintf(format, i)
				m[key] = i
				fmt.Fprintf(&b, `%q:%d,`, key, i)
			}
			last := fmt.Sprintf(format, members)
			text := func(last string) []byte { return fmt.Appendf(nil, `{%s%q:0}`, &b, last) }

			var tree Tree
			start := time.Now()
			for again, want := range map[string]Problem{
				last: OK, fmt.Sprintf(format, 77): DuplicateKey, strings.ToUpper(fmt.Sprintf(format, 77)): FoldedKey,
			} {
				if name == "short" && want == FoldedKey {
					continue // digits have no case
				}
				data := text(again)
				require.LessOrEqual(t, len(data), lim.Bytes)
				p, pos := tree.SetJSON(data, lim)
				require.Equal(t, want, p)
				if p != OK {
					require.Equal(t, 1+b.Len(), pos)
					continue
				}
				require.Equal(t, uint64(77), tree.Nodes[tree.Member(Root, fmt.Sprintf(format, 77))].Bits)
			}
			require.Equal(t, OK, tree.SetGo(m, lim))
			if name != "short" {
				m[strings.ToUpper(fmt.Sprintf(format, 77))] = 0
				require.Equal(t, FoldedKey, tree.SetGo(m, lim))
			}
			t.Log(time.Since(start))
			require.Less(t, time.Since(start), 20*time.Second)
		})
	}
}
