package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// threeRules is a document of n agents with an allowlist, a denylist and a
// limit each.
func threeRules(n int) []byte {
	var doc bytes.Buffer
	doc.WriteString(`{"policies":[`)
	for i := range n {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `{"id":"pol_%d","agentId":"agent-%d","name":"Policy of agent %d","priority":10,"rules":[`+
			`{"type":"tool_allowlist","tools":["file.read","web.search","mail.send","crm.*"]},`+
			`{"type":"tool_denylist","tools":["crm.delete","file.delete"]},`+
			`{"type":"rate_limit","tools":["mail.send"],"rateLimit":{"maxCalls":100,"windowSeconds":3600}}]}`, i, i, i)
	}
	doc.WriteString(`]}`)
	return doc.Bytes()
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// scale prints what many agents cost.
func (b *bench) scale(short bool) {
	n := 100_000
	if short {
		n = 10_000
	}
	b.title(os.Stdout, fmt.Sprintf("%d agents with three rules each (allowlist, denylist, limit), beside 10", n))
	doc := threeRules(n)
	before := heap()
	start := time.Now()
	many := load(doc)
	took := time.Since(start)
	each := float64(heap()-before) / float64(n)
	few := load(threeRules(10))

	ctx := context.Background()
	params := map[string]any{"path": "/srv/a", "limit": int64(5)}
	middle := agentName(n / 2)
	hot := times(b.rounds,
		func() { few.Authorize(ctx, "agent-5", "file.read", params) },
		func() { many.Authorize(ctx, middle, "file.read", params) },
	)

	// The hand-written check of the same policy over as many agents, asked in
	// the same order.
	type agent struct{ tools, denied map[string]bool }
	agents := make(map[string]*agent, n)
	order := make([]string, n)
	for i := range n {
		order[i] = agentName(i)
		agents[order[i]] = &agent{
			tools:  map[string]bool{"file.read": true, "web.search": true, "mail.send": true},
			denied: map[string]bool{"crm.delete": true, "file.delete": true},
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	var i, j int
	random := times(b.rounds,
		func() {
			a := agents[order[i%n]]
			i++
			answer := handAnswer{at: time.Now(), id: [2]uint64{rand.Uint64(), rand.Uint64()}}
			for key := range params {
				if key == "" {
					return
				}
			}
			answer.allowed = a != nil && !a.denied["file.read"] && a.tools["file.read"]
			sink.Store(answer.allowed)
		},
		func() {
			many.Authorize(ctx, order[j%n], "file.read", params)
			j++
		},
	)
	b.row("figure\tvalue\twant")
	b.row("load and compile from JSON\t%.2f s\t3 s", took.Seconds())
	b.row("heap of a policy\t%.0f B\t2048 B", each)
	b.row("hot agent among many / among 10\t%.2f\t1.2", hot[1]/hot[0])
	b.row("random agent / hand-written look-up\t%.2f\t3", random[1]/random[0])
	b.out.Flush()
	b.bar(took <= 3*time.Second, "loading %d policies took %v, want 3 s", n, took)
	b.bar(each <= 2048, "a policy takes %.0f bytes of heap, want 2048", each)
	b.bar(hot[1] <= 1.2*hot[0], "hot agent: %.2f×, want 1.2", hot[1]/hot[0])
	b.bar(random[1] <= 3*random[0], "random agents: %.2f× hand-written, want 3", random[1]/random[0])
	runtime.KeepAlive(many)
}

var sink atomic.Bool

// contention prints what one limit costs that 8 goroutines share.
func (b *bench) contention() {
	b.title(os.Stdout, "One limit shared by 8 goroutines, all allowed")
	a := load([]byte(`{"policies":[{"id":"p","agentId":"*","rules":[
		{"type":"tool_allowlist","tools":["t"]},
		{"type":"rate_limit","tools":["t"],"rateLimit":{"maxCalls":1000000,"windowSeconds":1,"per":["global"]}}]}]}`))
	limiter := rate.NewLimiter(1e9, 1e9)
	ctx := context.Background()
	const calls = 2000
	together := func(f func()) func() {
		return func() {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for range calls {
						f()
					}
				})
			}
			wg.Wait()
		}
	}
	ns := times(b.rounds,
		together(func() { limiter.Allow() }),
		together(func() { a.Authorize(ctx, "bot", "t", nil) }),
	)
	b.row("\tns a call\t×")
	b.row("x/time/rate Allow\t%.0f\t1", ns[0]/8/calls)
	b.row("veto Authorize\t%.0f\t%.2f", ns[1]/8/calls, ns[1]/ns[0])
	b.out.Flush()
	b.bar(ns[1] <= 5*ns[0], "contention: %.2f× x/time/rate, want 5", ns[1]/ns[0])
}
