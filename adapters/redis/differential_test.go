package vetoredis_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// differentialPolicies have every kind of limit but the token bucket, whose
// arithmetic is that of floating point. Limits of more than 32 are not exact,
// and so are not here either.
const differentialPolicies = `
policies:
  - id: grant
    agentId: "*"
    rules: [{type: tool_allowlist, tools: ["*"]}]
  - id: limits
    agentId: "*"
    priority: 5
    rules:
      - {type: rate_limit, tools: [web.*, both], rateLimit: {maxCalls: 30, windowSeconds: 1}}
      - {type: rate_limit, tools: [both], rateLimit: {maxCalls: 9, windowSeconds: 1, per: [global]}, onViolation: require_approval}
      - {type: rate_limit, tools: [ses.*], rateLimit: {maxCalls: 5, windowSeconds: 1, per: [session]}}
      - {type: budget, tools: [pay], budget: {parameter: amount, max: 1000.5, windowSeconds: 1}}
      - {type: budget, tools: [both], budget: {parameter: amount, max: 4000, windowSeconds: 2, per: [tool]}}
      - {type: budget, tools: [ses.pay], budget: {parameter: amount, max: 2000, perSession: true}}
      - {type: budget, tools: [mail], budget: {distinct: to, max: 4, windowSeconds: 1}}
      - {type: budget, tools: [ses.mail], budget: {distinct: to, max: 6, perSession: true}}
      - {type: sequence, tools: [ses.send], sequence: {requires: [{tools: [ses.read]}], blockedBy: [{tools: [ses.secret], same: {to: to}}]}}
toolPolicies:
  - toolName: open
    mode: deterministic
    sessionConstraints:
      maxCalls: 40
      budget: 9000
      spendArgument: amount
      counters: {files: {increment: [open], decrement: [close], max: 3}}
`

var differentialTools = []string{"web.a", "web.b", "both", "pay", "mail", "open", "close", "ses.a", "ses.pay", "ses.mail", "ses.read", "ses.secret", "ses.send"}

var seedFlag = flag.Uint64("seed", 0, "of the random calls that are compared with the counters of one process")

func newSeed(t *testing.T) uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", seed)
	return seed
}

// both decides by a store and by a State, at the time that the store says it
// is.
type both struct {
	t       *testing.T
	program *evaluator.Program
	store   *vetoredis.Store
	mirrors []*evaluator.Mirror // as of several processes
	state   *evaluator.State
	r       *rand.Rand
	now     time.Time
	clock   *clock // nil where it is the server's
}

// time is that of a call, by the clock of its process.
func (x *both) time() time.Time {
	if x.clock != nil {
		return x.clock.now
	}
	return time.Now()
}

func (x *both) ask(b *evaluator.Batch) error {
	err := x.store.Do(ctx, b)
	x.now = b.Now
	return err
}

// pair is one call, decided by both.
type pair struct {
	shared, local evaluator.Evaluation
	heldShared    *evaluator.Hold
	heldLocal     *evaluator.Hold
}

// hold keeps what was taken, which then is not given back, and reports whether
// that is anything.
func (p *pair) hold() bool {
	if p.heldLocal == nil {
		p.heldShared, p.heldLocal = p.shared.Hold(), p.local.Hold()
	}
	return p.heldLocal != nil
}

func (x *both) decide(call *rules.Call) (*pair, rules.Code) {
	p := &pair{}
	guarded := x.r.IntN(4) == 0
	mirror := x.mirrors[x.r.IntN(len(x.mirrors))]
	x.program.Decide(&p.shared, call, x.time())
	p.shared.Recorded()
	if guarded {
		p.shared.Guarded()
	}
	got, err := p.shared.SettleShared(mirror, x.ask)
	require.NoError(x.t, err)
	x.program.Decide(&p.local, call, x.now)
	if guarded {
		p.local.Guarded()
	}
	want := p.local.Settle(x.state)
	require.Equal(x.t, want.Cause().Code.String(), got.Cause().Code.String(), "%+v", call)
	require.Equal(x.t, want.Cause().RuleID, got.Cause().RuleID, "%+v", call)
	require.Equal(x.t, want.RetryAfter(), got.RetryAfter(), "%+v", call)
	return p, got.Cause().Code
}

func (x *both) call() *rules.Call {
	c := &rules.Call{
		AgentID: fmt.Sprint("bot", x.r.IntN(2)), Tool: differentialTools[x.r.IntN(len(differentialTools))],
		Parameters: map[string]any{"to": fmt.Sprint("u", x.r.IntN(9)), "amount": x.r.IntN(400)},
	}
	if x.r.IntN(8) > 0 {
		c.Session = fmt.Sprint("s", x.r.IntN(3))
	}
	return c
}

// Thousands of random calls, sessions, gifts back and corrections have the
// same answers from the store as from the counters of one process.
func TestSameAsState(t *testing.T) {
	server := sharedServer(t)
	set, err := veto.Load("policies.yaml", []byte(differentialPolicies))
	require.NoError(t, err)
	program, err := evaluator.Compile(set, nil)
	require.NoError(t, err)
	seed := newSeed(t)
	x := &both{
		t: t, program: program, store: server.open(t, vetoredis.Options{Prefix: prefix(t)}),
		mirrors: []*evaluator.Mirror{evaluator.NewMirror(), evaluator.NewMirror()},
		state:   evaluator.NewState(nil), r: rand.New(rand.NewPCG(seed, 1)), now: time.Now(),
	}
	counts := map[string]int{}
	begin, n, span := time.Now(), 0, 6*time.Second
	if testing.Short() {
		span = 3 * time.Second
	}
	all := func() bool {
		for _, code := range []string{"allowed", "rate_limited", "budget_exceeded", "session_unknown", "sequence_violated", "approval_required", "back", "corrected"} {
			if counts[code] == 0 {
				return false
			}
		}
		return true
	}
	for ; time.Since(begin) < span || !all() && time.Since(begin) < 40*time.Second; n++ {
		if x.r.IntN(60) == 0 {
			x.toggle(fmt.Sprint("s", x.r.IntN(3)))
			continue
		}
		call := x.call()
		p, code := x.decide(call)
		counts[code.String()]++
		if code != rules.CodeAllowed {
			continue
		}
		switch x.r.IntN(8) {
		case 0:
			counts["back"]++
			require.NoError(t, p.shared.GiveBackShared(x.ask))
			p.local.GiveBack(x.state)
		case 1:
			counts["corrected"]++
			x.correct(p)
		}
	}
	t.Logf("%d steps: %v", n, counts)
	require.True(t, all(), "something never happened: %v", counts)
}

// toggle opens a session, or ends it.
func (x *both) toggle(session string) {
	b := &evaluator.Batch{Op: evaluator.OpOpen, Session: session, Records: true}
	if x.r.IntN(3) == 0 {
		b.Op = evaluator.OpEnd
	}
	require.NoError(x.t, x.ask(b))
	if b.Op == evaluator.OpEnd {
		x.state.EndSession("", session)
		// What a process knows of a session that was ended and opened anew
		// by others, up to the same number of events, is another matter.
		x.mirrors = []*evaluator.Mirror{evaluator.NewMirror(), evaluator.NewMirror()}
	} else {
		require.NoError(x.t, x.state.OpenSession("", session, x.now))
	}
}

func (x *both) correct(p *pair) {
	for range 1 + x.r.IntN(2) {
		if !p.hold() {
			return
		}
		actual := fmt.Sprint(x.r.IntN(600))
		err := p.heldShared.CorrectShared("", "", actual, x.ask)
		require.Equal(x.t, x.state.Correct(p.heldLocal, x.now, "", "", actual), err)
	}
	require.NoError(x.t, p.heldShared.SucceededShared(x.ask))
	x.state.Succeeded(p.heldLocal)
}
