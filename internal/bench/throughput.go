package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/useveto/veto-go"
)

const (
	keys          = 10_000 // counters that calls are spread over
	goroutines    = 8
	callsTogether = goroutines * 12500 // of all goroutines, in one turn of a round
)

func keyNames() []string {
	names := make([]string, keys)
	for i := range names {
		names[i] = agentName(i)
	}
	return names
}

// steps are how far goroutines go at a time: primes, so that each comes past
// all keys, in an order of its own that needs no memory. Lists of shuffled
// numbers would have a part of the processors' caches, and with it a part of
// what is measured.
var steps = [goroutines]int{2999, 3581, 4003, 4507, 5003, 5519, 6007, 6521}

// together has goroutines share calls of f, with numbers below n. Each goes
// round all of them, and goes on there the next time.
func together(n int, f func(i int)) func() {
	return round(n, func(_, i int) { f(i) })
}

// apart is together where each number is asked by one goroutine only, as an
// agent's calls come from its own loop: what it counts by then seldom comes
// from another processor.
func apart(n int, f func(i int)) func() {
	return round(n/goroutines, func(g, i int) { f(i*goroutines + g) })
}

func round(n int, f func(g, i int)) func() {
	var at [goroutines]int
	return func() {
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				i := at[g]
				for range callsTogether / goroutines {
					f(g, i)
					i = (i + steps[g]) % n
				}
				at[g] = i
			})
		}
		wg.Wait()
	}
}

// throughputCase is calls that many goroutines make: without a limit, with
// one of each key, and without but with a question to x/time/rate.
type throughputCase struct {
	name                string
	without, with, rate func()
	bar                 float64 // on with to without; 0: with is to be as fast as rate, give or take a tenth
}

func throughputCases() []throughputCase {
	args := newCall("", "", 50, "ann@example.com").params
	agents := keyNames()
	// The largest policies of the table of engines, and a limit of each agent
	// and tool.
	s := size{1000, 10}
	var tools, both []string
	for i := range s.tools {
		tools = append(tools, toolName(i))
	}
	for i := range keys {
		both = append(both, agents[i/s.tools]+" "+tools[i%s.tools])
	}
	agent := func(i int) string { return agents[i] }
	bare := func(i int) veto.Call { return veto.Call{AgentID: agents[i], Tool: "t"} }
	full := func(i int) veto.Call { return veto.Call{AgentID: agents[i], Tool: "t", Parameters: args} }
	many := func(i int) veto.Call {
		return veto.Call{AgentID: agents[i/s.tools], Tool: tools[i%s.tools], Parameters: args}
	}
	perTool := fmt.Sprintf(`[{"id":"limit","agentId":"*","priority":1,"rules":[{"type":"rate_limit",`+
		`"rateLimit":{"maxCalls":%d,"windowSeconds":3600,"per":["agent","tool"]}}]},`, unreached)

	free, counted := limited(""), limited(limitRule(unreached, 3600, ""))
	return []throughputCase{
		newThroughput("no parameters", apart, free, counted, bare, agent, 0),
		newThroughput("four parameters", apart, free, counted, full, agent, 1.5),
		newThroughput("four parameters, every goroutine all counters", together, free, counted, full, agent, 0),
		newThroughput("two of four parameters constrained", apart, s.document(), bytes.Replace(s.document(), []byte("["), []byte(perTool), 1), many, func(i int) string { return both[i] }, 0),
	}
}

func newThroughput(name string, spread func(n int, f func(i int)) func(), free, counted []byte, call func(int) veto.Call, key func(int) string, bar float64) throughputCase {
	ctx := context.Background()
	decide := func(a *veto.Authorizer, i int) {
		_, err := a.Decide(ctx, call(i))
		must(err)
	}
	without, with := load(free), load(counted)
	rate := peerLimiters(1000 * unreached)[0]
	return throughputCase{
		name:    name,
		bar:     bar,
		without: spread(keys, func(i int) { decide(without, i) }),
		with:    spread(keys, func(i int) { decide(with, i) }),
		rate: spread(keys, func(i int) {
			decide(without, i)
			rate.allow(key(i))
		}),
	}
}

// limitedThroughput prints what one limit more costs on two processors, with
// many counters.
func (b *bench) limitedThroughput() {
	b.title(os.Stdout, fmt.Sprintf("Calls a second of %d goroutines on 2 processors, over %d counters; × is the ratio of the time to that without", goroutines, keys))
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	b.row("call\twithout limit\twith rate_limit\t×\twithout, but x/time/rate\t×")
	for _, c := range throughputCases() {
		ns := times(b.rounds, c.without, c.with, c.rate)
		each := func(i int) float64 { return 1e9 * callsTogether / ns[i] }
		b.row("%s\t%.0f\t%.0f\t%.2f\t%.0f\t%.2f", c.name, each(0), each(1), ns[1]/ns[0], each(2), ns[2]/ns[0])
		want := c.bar
		if want == 0 {
			want = 1.1 * ns[2] / ns[0]
		}
		b.bar(ns[1] <= want*ns[0], "throughput, %s: %.2f× the time without limits, want %.2f", c.name, ns[1]/ns[0], want)
	}
	b.out.Flush()
}
