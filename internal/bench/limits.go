package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
)

// limits prints what limits, budgets and sessions cost, with their counters in
// the process.
func (b *bench) limits() {
	b.limitedCalls()
	b.limitedThroughput()
	b.limiters()
	b.worstSecond()
}

// limited is a policy of every agent that grants t, with more rules.
func limited(more string) []byte {
	return []byte(`{"policies":[{"id":"p","agentId":"*","rules":[{"type":"tool_allowlist","tools":["t"]}` + more + `]}]}`)
}

// limitRule is a rate_limit, with more fields of its block.
func limitRule(calls, seconds int, more string) string {
	return fmt.Sprintf(`,{"type":"rate_limit","tools":["t"],"rateLimit":{"maxCalls":%d,"windowSeconds":%d%s}}`, calls, seconds, more)
}

const (
	unreached  = 1_000_000 // the most calls that a rule can permit: more than are made
	budgetRule = `,{"type":"budget","tools":["t"],"budget":{"parameter":"amount","max":1e15,"windowSeconds":3600}}`
)

// limitCase is a call under rules. Without the rules it is the call that it is
// compared with.
type limitCase struct {
	name    string
	rules   string
	call    veto.Call
	now     func() time.Time // nil: the machine's
	refused bool
	bar     float64 // the most that the rules may multiply the time by; 0: for information
}

func limitCases() []limitCase {
	args := newCall("", "", 50, "ann@example.com").params
	bare := veto.Call{AgentID: "bot", Tool: "t"}
	call := veto.Call{AgentID: "bot", Tool: "t", Parameters: args}
	inSession := veto.Call{AgentID: "bot", Tool: "t", Parameters: args, Session: "s"}
	limit := limitRule(unreached, 1, "")
	// Each call of the exact window pushes one out: the most work that there is.
	const exact = 32
	return []limitCase{
		{name: "rate_limit, call without parameters", rules: limit, call: bare, bar: 2},
		{name: "rate_limit", rules: limit, call: call, bar: 2},
		{name: "rate_limit, used up", rules: limitRule(1, 86_400, ""), call: call, refused: true},
		{name: "rate_limit of 32, full, one out and one in", rules: limitRule(exact, 1, ""), call: call, now: moving(time.Second / exact)},
		{name: "rate_limit per parameter", rules: limitRule(unreached, 1, `,"per":["agent","param:to"]`), call: call},
		{name: "three rate_limits", rules: limit + limit + limit, call: call},
		{name: "rate_limit, token_bucket", rules: limitRule(unreached, 1, `,"algorithm":"token_bucket"`), call: call},
		{name: "budget of a parameter in a window", rules: budgetRule, call: call},
		{name: "budget and rate_limit", rules: budgetRule + limit, call: call},
		{name: "budget of different values", rules: `,{"type":"budget","tools":["t"],"budget":{"distinct":"to","max":10,"windowSeconds":3600}}`, call: call},
		{name: "rate_limit per session", rules: limitRule(unreached, 1, `,"per":["session"]`), call: inSession},
		{
			name: "rate_limit per session, budget of it, sequence", call: inSession,
			rules: limitRule(unreached, 1, `,"per":["session"]`) +
				`,{"type":"budget","tools":["t"],"budget":{"parameter":"amount","max":1e15,"perSession":true}}` +
				`,{"type":"sequence","tools":["t"],"sequence":{"blockedBy":[{"tools":["u"]}]}}`,
		},
	}
}

// moving is a clock that goes on by step whenever it is read.
func moving(step time.Duration) func() time.Time {
	var n atomic.Int64
	start := time.Now()
	return func() time.Time { return start.Add(time.Duration(n.Add(1)) * step) }
}

// decider decides the call of c under rules, and panics where the answer is not that of c.
func (c *limitCase) decider(rules string) func() {
	set, err := veto.Load("bench.json", limited(rules))
	must(err)
	a, err := veto.New(set, &veto.Options{Sink: audit.Discard, Now: c.now})
	must(err)
	ctx := context.Background()
	if c.call.Session != "" {
		must(a.OpenSession(ctx, "", c.call.Session))
	}
	refused := c.refused && rules != ""
	if refused {
		a.Decide(ctx, c.call) // the one that there was
	}
	return func() {
		if r, _ := a.Decide(ctx, c.call); r.Allowed == refused {
			panic(c.name + ": a wrong answer: " + r.Reason.String())
		}
	}
}

// limitedCalls prints what rules with counters add to one call.
func (b *bench) limitedCalls() {
	b.title(os.Stdout, "One call under rules that count, beside the same call without them (counters in the process)")
	b.row("rules\twithout ns\tallocs\twith ns\tallocs\t×")
	cases := limitCases()
	var fs []func()
	for i := range cases {
		fs = append(fs, cases[i].decider(""), cases[i].decider(cases[i].rules))
	}
	ns := times(b.rounds, fs...)
	for i, c := range cases {
		without, with, n := ns[2*i], ns[2*i+1], allocs(fs[2*i+1])
		b.row("%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.2f", c.name, without, allocs(fs[2*i]), with, n, with/without)
		if c.bar != 0 {
			b.bar(with <= c.bar*without, "%s: %.2f× the call without, want %.0f", c.name, with/without, c.bar)
			b.bar(n == 0, "%s: %v allocations, want 0", c.name, n)
		}
	}
	b.out.Flush()
}
