package policydoc

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
)

// manyPolicies writes a document of n policies of three rules.
func manyPolicies(n int) []byte {
	var b bytes.Buffer
	b.WriteString("{\"version\": 1,\n \"policies\": [\n")
	for i := range n {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `  {"id": "policy-%d", "agentId": "agent-%d", "name": "Policy number %d", "priority": %d, "enabled": true, "rules": [
    {"type": "tool_allowlist", "tools": ["file.read", "web.*"]},
    {"type": "parameter_constraint", "tools": ["file.read"], "parameters": {"path": {"regex": "^/srv/[a-z]+", "maxLength": 200}}},
    {"type": "rate_limit", "tools": ["web.search"], "rateLimit": {"maxCalls": 100, "windowSeconds": 3600}}
  ]}`, i, i, i, i%1000)
	}
	b.WriteString("\n]}\n")
	return b.Bytes()
}

func BenchmarkLoadJSON(b *testing.B) {
	data := manyPolicies(10_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := Decode("p.json", data); faults != nil {
			b.Fatal(faults[0])
		}
	}
}

func BenchmarkLoadYAML(b *testing.B) {
	data := manyPolicies(1_000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := Decode("p.yaml", data); faults != nil {
			b.Fatal(faults[0])
		}
	}
}

// A loaded set is small, and holds nothing of the document.
func TestRetainedHeap(t *testing.T) {
	const n = 5000
	data := manyPolicies(n)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	set, faults := Decode("p.json", data)
	if faults != nil {
		t.Fatal(faults[0])
	}
	after := heap()
	runtime.KeepAlive(set)
	runtime.KeepAlive(data)
	if each := (int64(after) - int64(before)) / n; each > 1600 {
		t.Errorf("%d bytes are kept for each policy of three rules", each)
	}
}
