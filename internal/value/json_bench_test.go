package value

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// smallCall is a call of some 200 bytes, without escapes.
var smallCall = []byte(`{"to":["ann@example.com","bob@example.com"],"subject":"Quarterly report","amount":1250.75,` +
	`"currency":"EUR","urgent":false,"attachments":[{"name":"report.pdf","size":184467}],"reply":null}`)

func TestSetJSON_AllocatesNothing(t *testing.T) {
	var tree Tree
	tree.SetJSON(smallCall, DefaultLimits)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if p, _ := tree.SetJSON(smallCall, DefaultLimits); p != OK {
			t.Fatal(p)
		}
	}))

	large := largeObject()
	tree.SetJSON(large, DefaultLimits)
	require.Zero(t, testing.AllocsPerRun(100, func() { tree.SetJSON(large, DefaultLimits) }))

	buf := make([]byte, 0, 64<<10)
	require.Zero(t, testing.AllocsPerRun(100, func() { tree.AppendJSON(buf, Root) }))
}

// largeObject has a member table, numbers of every kind and non-ASCII text.
func largeObject() []byte {
	var b strings.Builder
	for i := range 200 {
		fmt.Fprintf(&b, `,"key %d":{"n":%d,"f":%d.25e3,"s":"grün","l":[true,null,1234567890123456789]}`, i, i, i)
	}
	return []byte("{" + b.String()[1:] + "}")
}

func textual() []byte {
	line := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20)
	return []byte(`{"text":["` + strings.Join([]string{line, line, line, line, line, line, line, line}, `","`) + `"]}`)
}

func escapes() []byte {
	return []byte(`{"code":"` + strings.Repeat(`\tif err != nil {\n\t\treturn \"failed\"\n\t}\n`, 100) + `"}`)
}

func BenchmarkSetJSON(b *testing.B) {
	for _, c := range []struct {
		name string
		data []byte
	}{{"small", smallCall}, {"object", largeObject()}, {"text", textual()}, {"escapes", escapes()}} {
		b.Run(c.name+"/veto", func(b *testing.B) {
			b.SetBytes(int64(len(c.data)))
			b.ReportAllocs()
			var tree Tree
			for b.Loop() {
				if p, _ := tree.SetJSON(c.data, DefaultLimits); p != OK {
					b.Fatal(p)
				}
			}
		})
		b.Run(c.name+"/json.Valid", func(b *testing.B) {
			b.SetBytes(int64(len(c.data)))
			for b.Loop() {
				if !json.Valid(c.data) {
					b.Fatal("invalid")
				}
			}
		})
	}
}
