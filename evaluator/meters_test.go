package evaluator

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// plainLog is a limit as everybody understands it: the log of all that was
// allowed, in which the window is looked for anew for each call.
type plainLog struct {
	window, latest int64
	entries        []*plainEntry
}

type plainEntry struct {
	at     int64
	amount *big.Rat
	value  int
}

func (l *plainLog) live(now int64) (live []*plainEntry) {
	for _, x := range l.entries {
		if x.at > now-l.window {
			live = append(live, x)
		}
	}
	return live
}

// wait is how long it is until fits holds of what is live then: 0 where it
// does now, and -1 where it never will.
func (l *plainLog) wait(now int64, fits func([]*plainEntry) bool) time.Duration {
	if fits(l.live(now)) {
		return 0
	}
	for _, x := range l.live(now) { // by time
		if fits(l.live(x.at + l.window)) {
			return time.Duration(x.at + l.window - now)
		}
	}
	return -1
}

// Every limit against the plain log, in order and by a clock that is set
// forward and back: exactly the same calls are allowed, up to 32 entries of a
// window, and the wait that is named is the shortest that helps. What is given
// back, also later, was never there.
func TestExactAgainstPlainLog(t *testing.T) {
	amounts := []string{"0.31", "1", "2.5", "9.999999999999999999", "10", "10.000000000000000001", "0", "1e20"}
	type kind struct {
		rule rules.Rule
		fits func(live []*plainEntry, x *plainEntry) bool
	}
	var kinds []kind
	for _, most := range []int{1, 2, 7, 32} {
		kinds = append(kinds, kind{
			rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: most, WindowSeconds: most}},
			func(live []*plainEntry, _ *plainEntry) bool { return len(live) < most },
		}, kind{
			rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Cost: num("0.1"), Max: num(fmt.Sprint(float64(most) / 10)), WindowSeconds: most}},
			func(live []*plainEntry, _ *plainEntry) bool { return len(live) < most },
		})
	}
	for _, most := range []int{1, 3, 40} {
		kinds = append(kinds, kind{
			rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Distinct: "to", Max: num(fmt.Sprint(most)), WindowSeconds: most}},
			func(live []*plainEntry, x *plainEntry) bool {
				values := map[int]bool{x.value: true}
				for _, y := range live {
					values[y.value] = true
				}
				return len(values) <= most || len(values) > most && slices.ContainsFunc(live, func(y *plainEntry) bool { return y.value == x.value })
			},
		})
	}
	ten := big.NewRat(10, 1)
	kinds = append(kinds, kind{
		rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("10"), WindowSeconds: 10}},
		func(live []*plainEntry, x *plainEntry) bool {
			sum := new(big.Rat).Set(x.amount)
			for _, y := range live {
				sum.Add(sum, y.amount)
			}
			return sum.Cmp(ten) <= 0
		},
	})
	for i, k := range kinds {
		r := rand.New(rand.NewPCG(11, uint64(i)))
		p := compiled(t, keyed(1, func(int) rules.Rule { return k.rule }))
		s := NewState(nil)
		log := &plainLog{window: int64(p.limitOf(t, "t0").window), latest: -1 << 62}
		clock := &jumpyClock{start: wallStart, step: 4e8, far: 3 * log.window, tick: 25e7}
		var evaluations [3]Evaluation
		var taken [3]*plainEntry // that are to be given back
		distinct := k.rule.Budget != nil && k.rule.Budget.Distinct != ""
		for n := range fewer(3000) {
			now := clock.next(r)
			e := &evaluations[n%len(evaluations)]
			if x := taken[n%len(taken)]; x != nil {
				e.GiveBack(s)
				log.entries = slices.DeleteFunc(log.entries, func(y *plainEntry) bool { return x == y })
				taken[n%len(taken)] = nil
			}
			amount := amounts[r.IntN(len(amounts))]
			x := &plainEntry{amount: rat(amount), value: r.IntN(60)}
			call := rules.Call{AgentID: "bot", Tool: "t0", Parameters: json.RawMessage(fmt.Sprintf(`{"to":%d,"amount":%s}`, x.value, amount))}
			p.Decide(e, &call, now)
			v := e.Settle(s)
			if n == 0 || log.latest != -1<<62 {
				log.latest = max(log.latest, s.time(now))
			}
			x.at = log.latest
			wait := log.wait(x.at, func(live []*plainEntry) bool { return k.fits(live, x) })
			allowed := v.Cause().Outcome == rules.Allowed
			require.Equal(t, wait == 0, allowed, "call %d of %+v", n, k.rule)
			require.Equal(t, max(wait, 0), v.RetryAfter(), "call %d of %+v", n, k.rule)
			if !allowed {
				continue
			}
			require.Equal(t, x.at, e.takes[0].at)
			log.entries = append(log.entries, x)
			switch r.IntN(6) {
			case 0:
				e.GiveBack(s)
				e.GiveBack(s) // the second time is nothing
				log.entries = log.entries[:len(log.entries)-1]
			case 1:
				if !distinct { // of a value that was used again since, more stays
					taken[n%len(taken)] = x
				}
			}
			log.entries = log.live(log.latest)
		}
		checkState(t, s)
	}
}

// limitOf returns the one limit on a tool.
func (p *Program) limitOf(t testing.TB, tool string) *limit {
	t.Helper()
	var e Evaluation
	p.Decide(&e, &rules.Call{AgentID: "bot", Tool: tool, Session: "s", Parameters: json.RawMessage(`{"k":0,"to":0,"amount":0}`)}, wallStart)
	require.Len(t, e.takes, 1)
	return e.takes[0].limit
}

// Above 32 calls quota returns late, by a bucket of the window at most, and
// that costs less than 1 % of the calls, also where the limit decides all the
// time: against a log of all calls, which is exact.
func TestLateQuotaCostsLittle(t *testing.T) {
	kinds := map[string]func(most int) *limit{
		"calls": func(most int) *limit { return &limit{meter: CountCalls, max: most, window: time.Minute} },
		"sum": func(most int) *limit {
			return &limit{meter: SumAmounts, sum: amountOf(fmt.Sprint(most)), window: time.Minute, cost: amountOf("1")}
		},
	}
	regular := func(*rand.Rand) float64 { return 1 }
	arrivals := []func(*rand.Rand) float64{(*rand.Rand).ExpFloat64, regular}
	for kind, newLimit := range kinds {
		for _, most := range []int{33, 64, 100, 130, 200, 1000, 3000} {
			worst := 0.
			for _, load := range []float64{0.5, 0.8, 1, 1.05, 1.2, 1.5, 2, 3} {
				for _, arrive := range arrivals {
					worst = max(worst, lateQuota(t, newLimit(most), most, load, arrive))
				}
			}
			t.Logf("%s: at most %d: up to %.2f%% fewer", kind, most, 100*worst)
			require.LessOrEqual(t, worst, 0.01)
		}
	}
}

// lateQuota returns which part of the calls of 100 windows is denied that a
// log would allow.
func lateQuota(t *testing.T, l *limit, most int, load float64, arrive func(*rand.Rand) float64) float64 {
	r := rand.New(rand.NewPCG(13, uint64(most)))
	m := newMeter(l)
	window := int64(l.window)
	var ours, plain []int64
	allowed, exact := 0, 0
	call := &take{limit: l, amount: l.cost}
	for now := int64(0); now < 100*window; now += int64(arrive(r) * float64(window) / float64(most) / load) {
		for len(plain) > 0 && plain[0] <= now-window {
			plain = plain[1:]
		}
		for len(ours) > 0 && ours[0] <= now-window-window/buckets {
			ours = ours[1:]
		}
		if fits, _ := m.look(now, call); fits {
			m.add(now, call)
			allowed++
			ours = append(ours, now)
		} else if len(ours) < most {
			t.Fatal("denied, although a bucket later there is room")
		}
		if len(plain) < most {
			exact++
			plain = append(plain, now)
		}
	}
	return 1 - float64(allowed)/float64(exact)
}

// The buckets of a window are as wide before the base of a State as after it.
func TestBucketsBeforeTheBase(t *testing.T) {
	const window = 10 * buckets
	bucketOf := func(at int64) int64 { return int64(math.Floor(float64(at) / 10)) }
	for earlier := int64(-41); earlier < 41; earlier++ {
		for later := earlier; later < 41; later++ {
			require.Equal(t, bucketOf(earlier) == bucketOf(later), sameBucket(earlier, later, window), "%d, %d", earlier, later)
		}
	}
}

// Two calls of one time use a value; the one that is given back leaves the
// other's use, so that no value too many fits.
func TestValueOfTwoCallsAtOnce(t *testing.T) {
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Distinct: "to", Max: num("1"), WindowSeconds: 10}}
	}))
	s := NewState(nil)
	ask := func(e *Evaluation, to string) bool {
		call := rules.Call{AgentID: "bot", Tool: "t0", Parameters: json.RawMessage(`{"to":"` + to + `"}`)}
		p.Decide(e, &call, wallStart)
		return e.Settle(s).Cause().Outcome == rules.Allowed
	}
	var first, second, other Evaluation
	require.True(t, ask(&first, "ann"))
	require.True(t, ask(&second, "ann"))
	first.GiveBack(s)
	require.False(t, ask(&other, "bob"), "the second call is on its way to ann")
	// Alone, it is as if it had never been; and what was there before it is
	// there again.
	require.True(t, ask(&first, "ann"))
	first.GiveBack(s)
	require.False(t, ask(&other, "bob"))
	s = NewState(nil)
	require.True(t, ask(&first, "ann"))
	first.GiveBack(s)
	require.True(t, ask(&other, "bob"))
	checkState(t, s)
}

// A use that is given back after its counter was dropped and made anew is not
// the one that has its number now.
func TestValueGivenBackToAnotherCounter(t *testing.T) {
	l := &limit{meter: CountValues, window: 10}
	old, anew := newMeter(l), newMeter(l)
	ann := &take{limit: l, value: []byte("ann")}
	old.add(1, ann)
	anew.add(100, &take{limit: l, value: []byte("ann")})
	anew.remove(100, ann)
	require.False(t, anew.idle(100))
}

// A tally moves up and down, never below zero, and takes back what it moved.
func TestTally(t *testing.T) {
	l := &limit{meter: Tally, max: 2}
	m := &tallyMeter{}
	move := func(by int) *take {
		x := &take{limit: l, by: by}
		m.add(0, x)
		return x
	}
	down := move(-1)
	require.Zero(t, m.n)
	m.remove(0, down) // it moved nothing
	require.Zero(t, m.n)
	up := move(1)
	move(1)
	fits, _ := m.look(0, &take{limit: l, by: 1})
	require.False(t, fits)
	fits, _ = m.look(0, &take{limit: l, by: 0})
	require.True(t, fits)
	m.remove(0, up)
	require.Equal(t, 1, m.n)
	move(-1)
	require.True(t, m.idle(0))
}

// A call that a limit counts allocates nothing, once its counter is there.
func TestLimitedCallAllocatesNothing(t *testing.T) {
	for name, r := range map[string]rules.Rule{
		"few calls":    {Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 20, WindowSeconds: 10, Per: []string{"agent", "user", "param:k"}}},
		"many calls":   {Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1_000_000, WindowSeconds: 86400}},
		"token bucket": {Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 20, WindowSeconds: 10, Algorithm: "token_bucket"}},
		"sum":          {Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("1e17"), WindowSeconds: 60}},
		"small sum":    {Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("100"), WindowSeconds: 10}},
		"cost":         {Type: rules.Budgeted, Budget: &rules.Budget{Cost: num("0.001"), Max: num("1"), WindowSeconds: 600, Per: []string{"tool"}}},
	} {
		p := compiled(t, keyed(1, func(int) rules.Rule { return r }))
		s := NewState(nil)
		var e Evaluation
		now := s.base
		call := rules.Call{AgentID: "bot", Tool: "t0", User: "ann", Parameters: json.RawMessage(`{"k":"x","amount":12.34,"to":"bob"}`)}
		codes := map[rules.Code]bool{}
		ask := func() {
			now = now.Add(300 * time.Millisecond)
			p.Decide(&e, &call, now)
			codes[e.Settle(s).Cause().Code] = true
		}
		for range 200 {
			ask()
		}
		require.Zero(t, testing.AllocsPerRun(200, ask), name)
		require.True(t, codes[rules.CodeAllowed], name)
	}
}
