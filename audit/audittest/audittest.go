// Package audittest is a conformance kit for implementations of audit.Sink.
package audittest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
)

// Run tests what every Sink must hold to: records from several goroutines at
// once, all of them kept, each as it was when Record was called, although the
// caller uses its memory again. kept returns the ids of the records that sink
// has kept, in any order; it is called after the last Record has returned.
func Run(t *testing.T, sink audit.Sink, kept func() []string) {
	t.Helper()
	const goroutines, each = 8, 25
	want := make(map[string]bool)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			var r audit.Record // used again, as a decision does
			for i := range each {
				id := rules.NewID(time.Unix(1, 0))
				r = audit.Record{
					ID: id, Timestamp: time.Unix(int64(i), 0), Action: "authorize",
					AgentID: fmt.Sprint("agent-", g), ToolName: "tool", Result: rules.Allowed, Code: rules.CodeAllowed,
				}
				if err := sink.Record(context.Background(), &r); err != nil {
					t.Errorf("Record: %v", err)
				}
				mu.Lock()
				want[id.String()] = true
				mu.Unlock()
				r = audit.Record{AgentID: "overwritten"}
			}
		})
	}
	wg.Wait()
	got := kept()
	if len(got) != goroutines*each {
		t.Errorf("%d records were kept of %d", len(got), goroutines*each)
	}
	for _, id := range got {
		if !want[id] {
			t.Errorf("record %q was not written, or twice, or changed later", id)
		}
		delete(want, id)
	}
}
