package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"

	"github.com/useveto/veto-go"
)

const (
	keys          = 10_000 // counters that calls are spread over
	goroutines    = 8
	callsTogether = goroutines * 1250 // of all goroutines, in one turn of a round
)

func keyNames() []string {
	names := make([]string, keys)
	for i := range names {
		names[i] = agentName(i)
	}
	return names
}

// together has goroutines share calls of f. Each goes round all in an order of
// its own, and goes on there the next time.
func together[T any](all []T, f func(T)) func() {
	var orders [goroutines][]int
	var at [goroutines]int
	for g := range orders {
		orders[g] = rand.New(rand.NewPCG(1, uint64(g))).Perm(len(all))
	}
	return func() {
		var wg sync.WaitGroup
		for g := range goroutines {
			wg.Go(func() {
				order, i := orders[g], at[g]
				for range callsTogether / goroutines {
					f(all[order[i%len(order)]])
					i++
				}
				at[g] = i
			})
		}
		wg.Wait()
	}
}

// keyedCall is an allowed call and the name of what it counts against.
type keyedCall struct {
	veto.Call
	key string
}

// throughputCase is calls that many goroutines make: without a limit, with
// one of each key, and without but with a question to x/time/rate.
type throughputCase struct {
	name                string
	without, with, rate func()
	bar                 float64
}

func throughputCases() []throughputCase {
	args := newCall("", "", 50, "ann@example.com").params
	var bare, full, many []*keyedCall
	for _, agent := range keyNames() {
		bare = append(bare, &keyedCall{veto.Call{AgentID: agent, Tool: "t"}, agent})
		full = append(full, &keyedCall{veto.Call{AgentID: agent, Tool: "t", Parameters: args}, agent})
	}
	// The largest policies of the table of engines, and a limit of each agent
	// and tool.
	s := size{1000, 10}
	for i := range keys {
		agent, tool := agentName(i/s.tools), toolName(i%s.tools)
		many = append(many, &keyedCall{veto.Call{AgentID: agent, Tool: tool, Parameters: args}, agent + " " + tool})
	}
	perTool := fmt.Sprintf(`[{"id":"limit","agentId":"*","priority":1,"rules":[{"type":"rate_limit",`+
		`"rateLimit":{"maxCalls":%d,"windowSeconds":3600,"per":["agent","tool"]}}]},`, unreached)

	free, counted := limited(""), limited(limitRule(unreached, 3600, ""))
	return []throughputCase{
		newThroughput("no parameters", free, counted, bare, 0),
		newThroughput("four parameters", free, counted, full, 1.5),
		newThroughput("two of four parameters constrained", s.document(), bytes.Replace(s.document(), []byte("["), []byte(perTool), 1), many, 0),
	}
}

func newThroughput(name string, free, counted []byte, calls []*keyedCall, bar float64) throughputCase {
	ctx := context.Background()
	decide := func(a *veto.Authorizer, c *keyedCall) {
		_, err := a.Decide(ctx, c.Call)
		must(err)
	}
	without, with := load(free), load(counted)
	rate := peerLimiters(1000 * unreached)[0]
	return throughputCase{
		name:    name,
		bar:     bar,
		without: together(calls, func(c *keyedCall) { decide(without, c) }),
		with:    together(calls, func(c *keyedCall) { decide(with, c) }),
		rate: together(calls, func(c *keyedCall) {
			decide(without, c)
			rate.allow(c.key)
		}),
	}
}

// limitedThroughput prints what one limit more costs on two processors, with
// many counters that all goroutines use.
func (b *bench) limitedThroughput() {
	b.title(os.Stdout, fmt.Sprintf("Calls a second of %d goroutines on 2 processors, over %d counters; × is the ratio of the time to that without", goroutines, keys))
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	b.row("call\twithout limit\twith rate_limit\t×\twithout, but x/time/rate\t×")
	for _, c := range throughputCases() {
		ns := times(b.rounds, c.without, c.with, c.rate)
		each := func(i int) float64 { return 1e9 * callsTogether / ns[i] }
		b.row("%s\t%.0f\t%.0f\t%.2f\t%.0f\t%.2f", c.name, each(0), each(1), ns[1]/ns[0], each(2), ns[2]/ns[0])
		b.bar(c.bar == 0 || ns[1] <= c.bar*ns[0], "throughput, %s: %.2f× the time without limits, want %.1f", c.name, ns[1]/ns[0], c.bar)
	}
	b.out.Flush()
}
