package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/sethvargo/go-limiter/memorystore"
	"github.com/ulule/limiter/v3"
	"github.com/ulule/limiter/v3/drivers/store/memory"
	"golang.org/x/time/rate"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
)

// keyedLimiter says of a call of a key whether it may go through. It is safe
// for concurrent use.
type keyedLimiter struct {
	name  string
	allow func(key string) bool
}

// peerLimiters are the field's limiters with their stores in memory: calls of
// each key in a second.
func peerLimiters(calls int) []keyedLimiter {
	ctx := context.Background()

	// x/time/rate has no keys; this is how programs usually give it some.
	var buckets sync.Map
	xrate := func(key string) bool {
		l, ok := buckets.Load(key)
		if !ok {
			l, _ = buckets.LoadOrStore(key, rate.NewLimiter(rate.Limit(calls), calls))
		}
		return l.(*rate.Limiter).Allow()
	}

	store, err := memorystore.New(&memorystore.Config{Tokens: uint64(calls), Interval: time.Second, DisablePurge: true})
	must(err)
	sethvargo := func(key string) bool {
		_, _, _, ok, err := store.Take(ctx, key)
		return err == nil && ok
	}

	windows := limiter.New(memory.NewStore(), limiter.Rate{Period: time.Second, Limit: int64(calls)})
	ulule := func(key string) bool {
		c, err := windows.Get(ctx, key)
		return err == nil && !c.Reached
	}

	return []keyedLimiter{
		{"x/time/rate Allow", xrate},
		{"sethvargo/go-limiter Take", sethvargo},
		{"ulule/limiter Get", ulule},
	}
}

// vetoLimiter is a whole decision about an agent, which is the key, under a
// rule of so many calls a second; by the clock now, or the machine's if nil.
func vetoLimiter(name, more string, calls int, now func() time.Time) keyedLimiter {
	set, err := veto.Load("bench.json", limited(limitRule(calls, 1, more)))
	must(err)
	a, err := veto.New(set, &veto.Options{Sink: audit.Discard, Now: now})
	must(err)
	ctx := context.Background()
	return keyedLimiter{name, func(key string) bool {
		r, _ := a.Authorize(ctx, key, "t", nil)
		return r.Allowed
	}}
}

// limiters prints what a question costs, of limiters that all say yes.
func (b *bench) limiters() {
	b.title(os.Stdout, fmt.Sprintf("Limiters in memory, all allowed: ns a call of 1 goroutine over %d keys, and of %d over as many and over %d; ours is a whole decision",
		goroutines, goroutines, keys))
	all := append(peerLimiters(1000*unreached), vetoLimiter("veto Authorize", "", unreached, nil))
	many := keyNames()
	few := many[:goroutines] // of one key, ours permits less than a round asks
	var one, hot, wide []func()
	for _, l := range all {
		ask := func(key string) {
			if !l.allow(key) {
				panic(l.name + " refuses")
			}
		}
		one = append(one, func() {
			for _, key := range few {
				ask(key)
			}
		})
		hot = append(hot, together(len(few), func(i int) { ask(few[i]) }))
		wide = append(wide, together(len(many), func(i int) { ask(many[i]) }))
	}
	alone, few8, many8 := times(b.rounds, one...), times(b.rounds, hot...), times(b.rounds, wide...)
	b.row("limiter\t1\t×\t%d, %d keys\t×\t%d, %d keys\t×", goroutines, len(few), goroutines, len(many))
	for i, l := range all {
		b.row("%s\t%.0f\t%.2f\t%.0f\t%.2f\t%.0f\t%.2f", l.name,
			alone[i]/float64(len(few)), alone[i]/alone[0], few8[i]/callsTogether, few8[i]/few8[0], many8[i]/callsTogether, many8[i]/many8[0])
	}
	b.out.Flush()
}
