package vetoredis_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// laterPolicies have limits that merge what they count, and windows that end
// between a call and what is said of it later.
const laterPolicies = `
policies:
  - id: grant
    agentId: "*"
    rules: [{type: tool_allowlist, tools: ["*"]}]
  - id: limits
    agentId: "*"
    priority: 5
    rules:
      - {type: rate_limit, tools: [few, pay], rateLimit: {maxCalls: 25, windowSeconds: 8}}
      - {type: rate_limit, tools: [many, pay], rateLimit: {maxCalls: 90, windowSeconds: 16}}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 1500, windowSeconds: 16}}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 4000, windowSeconds: 64}}
      - {type: budget, tools: [mail], budget: {distinct: to, max: 5, windowSeconds: 4}}
      - {type: budget, tools: [ses.mail], budget: {distinct: to, max: 7, perSession: true}}
      - {type: budget, tools: [ses.pay], budget: {parameter: amount, max: 400, perSession: true}}
      - {type: sequence, tools: [ses.send], sequence: {requires: [{tools: [ses.read], same: {to: to}}], blockedBy: [{tools: [ses.secret], same: {to: to}}]}}
`

var laterTools = []string{"few", "many", "many", "pay", "pay", "pay", "mail", "mail", "ses.mail", "ses.pay", "ses.pay", "ses.read", "ses.read", "ses.send", "ses.secret"}

// stateOf2000 is a State whose times begin where parts of a window do, as
// those of the store.
func stateOf2000(t *testing.T) (s *evaluator.State) {
	synctest.Test(t, func(t *testing.T) { s = evaluator.NewState(nil) })
	return s
}

// What is given back, corrected or said to have succeeded later, after other
// calls of the same time, in merged entries, after the window, or with nothing
// reserved, changes the same in the store and in the counters of one process.
func TestSameAsStateLater(t *testing.T) {
	set, err := veto.Load("policies.yaml", []byte(laterPolicies))
	require.NoError(t, err)
	program, err := evaluator.Compile(set, nil)
	require.NoError(t, err)
	seed := newSeed(t)
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	counts := map[string]int{}
	for round := range rounds {
		store, c := withClock(t)
		x := &both{
			t: t, program: program, store: store, clock: c,
			mirrors: []*evaluator.Mirror{evaluator.NewMirror(), evaluator.NewMirror()},
			state:   stateOf2000(t), r: rand.New(rand.NewPCG(seed, uint64(round))), now: c.now,
		}
		x.later(counts)
	}
	t.Logf("%v", counts)
	for _, what := range []string{"allowed", "rate_limited", "budget_exceeded", "sequence_violated", "back", "corrected", "succeeded", "after the window", "of nothing"} {
		require.NotZero(t, counts[what], what)
	}
}

// parameters are always in one order: that of a map is not, and then calls are
// equal to an earlier one by chance.
func parameters(to, amount int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"to":"u%d","amount":%d}`, to, amount))
}

// waiting is a call of which something will be said.
type waiting struct {
	*pair
	at     time.Time
	amount int
	said   bool
}

func (x *both) later(counts map[string]int) {
	for i := range 3 {
		require.NoError(x.t, x.ask(&evaluator.Batch{Op: evaluator.OpOpen, Session: fmt.Sprint("s", i), Records: true}))
		require.NoError(x.t, x.state.OpenSession("", fmt.Sprint("s", i), x.now))
	}
	step := []time.Duration{time.Microsecond, 5 * time.Millisecond, 80 * time.Millisecond, 300 * time.Millisecond}[x.r.IntN(4)]
	var open []*waiting
	for range 700 {
		if x.r.IntN(3) > 0 { // else it is still the same microsecond
			x.clock.pass(time.Duration(x.r.Int64N(int64(step) + 1)))
		}
		if x.r.IntN(150) == 0 {
			x.clock.pass(time.Duration(x.r.Int64N(int64(20 * time.Second))))
		}
		if len(open) > 0 && x.r.IntN(3) == 0 {
			i := x.r.IntN(len(open))
			w := open[i]
			if x.r.IntN(3) == 0 { // one of the last
				i = len(open) - 1
				w = open[i]
			}
			if x.sayLater(w, counts) {
				open = append(open[:i], open[i+1:]...)
			}
			continue
		}
		amount := x.r.IntN(80) * x.r.IntN(2)
		call := &rules.Call{
			AgentID: "bot", Tool: laterTools[x.r.IntN(len(laterTools))], Session: fmt.Sprint("s", x.r.IntN(3)),
			Parameters: parameters(x.r.IntN(9), amount),
		}
		if call.Tool == "mail" {
			// Uses of a value in one microsecond are a microsecond apart for the
			// store, so that each can be told from the others.
			x.clock.pass(time.Microsecond)
		}
		p, code := x.decide(call)
		counts[code.String()]++
		if code == rules.CodeAllowed {
			open = append(open, &waiting{pair: p, at: x.now, amount: amount})
		}
	}
	for i := range 3 {
		for _, tool := range []string{"few", "many", "pay", "mail", "ses.mail", "ses.pay", "ses.send"} {
			for to := range 10 {
				x.clock.pass(time.Microsecond)
				_, _ = x.decide(&rules.Call{AgentID: "bot", Tool: tool, Session: fmt.Sprint("s", i), Parameters: parameters(to, 1)})
			}
		}
	}
}

// sayLater gives a call back, says its cost, or that it succeeded; it reports
// whether there is no more to say.
func (x *both) sayLater(w *waiting, counts map[string]int) bool {
	if x.now.Sub(w.at) > 16*time.Second {
		counts["after the window"]++
	}
	if x.r.IntN(2) == 0 && !w.said {
		counts["back"]++
		require.NoError(x.t, w.shared.GiveBackShared(x.ask))
		w.local.GiveBack(x.state)
		return true
	}
	if !w.hold() {
		return true
	}
	if !w.said && x.r.IntN(2) == 0 {
		w.said = true
		counts["corrected"]++
		if w.amount == 0 {
			counts["of nothing"]++
		}
		actual := fmt.Sprint(x.r.IntN(120) * x.r.IntN(3))
		err := w.heldShared.CorrectShared("", "", actual, x.ask)
		require.Equal(x.t, x.state.Correct(w.heldLocal, x.now, "", "", actual), err)
		return false
	}
	counts["succeeded"]++
	require.NoError(x.t, w.heldShared.SucceededShared(x.ask))
	x.state.Succeeded(w.heldLocal)
	return true
}
