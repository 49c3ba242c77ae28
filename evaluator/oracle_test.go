package evaluator

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

var operations = flag.Int("operations", 200_000, "how many random calls the oracles look at; 10,000,000 before a release")

// fewer is n, or a part of it under the race detector.
func fewer(n int) int {
	if raceEnabled {
		return n / 5
	}
	return n
}

// Oracles: many goroutines take from one State, by a wall clock that is set
// forward and back at random, and give some of it back. What stays taken is
// written down with the time that the State counted it for, which is the
// latest that its key has seen; then a slow and obvious look at every window
// of every key finds none with more than its limit.

// jumpyClock is a wall clock: its times have no monotonic reading.
type jumpyClock struct {
	start time.Time
	at    atomic.Int64
	step  int64 // what a call takes, at most twice that
	far   int64 // what it is set forward or back by, at most
	tick  int64 // its times are multiples of this, where that is not 0
}

func (c *jumpyClock) next(r *rand.Rand) time.Time {
	by := r.Int64N(2*c.step + 1)
	switch r.IntN(2000) {
	case 0:
		by = -r.Int64N(c.far)
	case 1:
		by = r.Int64N(c.far)
	}
	at := c.at.Add(by)
	if r.IntN(2000) == 0 {
		at += r.Int64N(2*c.far) - c.far // for one call only
	}
	if c.tick > 0 {
		at -= at % c.tick
	}
	return c.start.Add(time.Duration(at))
}

var wallStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// counted is a call that was allowed and not given back.
type counted struct {
	at   int64
	what int // which amount, or which value
}

// storm makes n calls from 64 goroutines. next returns a call, its key and
// what it is of; the result is what was counted for each key, by time.
func storm(t *testing.T, p *Program, keys, n int, clock *jumpyClock, next func(r *rand.Rand) (call rules.Call, key, what int)) [][]counted {
	t.Helper()
	const goroutines = 64
	s := NewState(nil)
	var logs [goroutines][][]counted
	var wg sync.WaitGroup
	for g := range goroutines {
		logs[g] = make([][]counted, keys)
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(g)))
			// What was taken is given back a few calls later, if at all.
			var pending [4]struct {
				e        Evaluation
				giveBack bool
			}
			for i := range n / goroutines {
				call, key, what := next(r)
				now := clock.next(r)
				x := &pending[i%len(pending)]
				if x.giveBack {
					x.e.GiveBack(s)
				}
				x.giveBack = false
				p.Decide(&x.e, &call, now)
				if x.e.Settle(s).Cause().Outcome != rules.Allowed {
					continue
				}
				at := x.e.takes[0].at
				if at < s.time(now) {
					t.Errorf("counted for %d, before its own time", at)
				}
				if x.giveBack = r.IntN(8) == 0; !x.giveBack {
					logs[g][key] = append(logs[g][key], counted{at, what})
				}
			}
			for i := range pending {
				if pending[i].giveBack {
					pending[i].e.GiveBack(s)
				}
			}
		})
	}
	wg.Wait()
	checkState(t, s)
	all := make([][]counted, keys)
	for key := range all {
		for g := range logs {
			all[key] = append(all[key], logs[g][key]...)
		}
		slices.SortFunc(all[key], func(a, b counted) int { return int(min(max(a.at-b.at, -1), 1)) })
	}
	return all
}

// windows calls full at the end of every window (at-window, at] that ends with
// calls of the log; enter and leave say what is in it.
func windows(log []counted, window time.Duration, enter, leave func(counted), full func()) {
	first := 0
	for i, x := range log {
		enter(x)
		if i+1 < len(log) && log[i+1].at == x.at {
			continue
		}
		for ; log[first].at <= x.at-int64(window); first++ {
			leave(log[first])
		}
		full()
	}
}

// keyed is a set that permits everything, with one limit for each tool.
func keyed(tools int, limit func(i int) rules.Rule) *rules.PolicySet {
	rs := []rules.Rule{{Type: rules.ToolAllowlist, Tools: []string{"*"}}}
	for i := range tools {
		r := limit(i)
		r.Tools = []string{fmt.Sprint("t", i)}
		rs = append(rs, r)
	}
	return &rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: rs}}}
}

func compiled(t testing.TB, set *rules.PolicySet) *Program {
	t.Helper()
	p, err := Compile(set, nil)
	require.NoError(t, err)
	return p
}

func num(text string) *json.Number { n := json.Number(text); return &n }

const oracleKeys = 20 // of each tool

// anyKey returns a call of a key that is drawn among those of so many tools.
func anyKey(r *rand.Rand, tools int) (call rules.Call, key int) {
	key = r.IntN(tools * oracleKeys)
	return rules.Call{AgentID: "bot", Tool: fmt.Sprint("t", key/oracleKeys)}, key
}

func TestOracleCalls(t *testing.T) {
	limits := []struct{ max, seconds int }{{1, 1}, {5, 1}, {32, 3}, {33, 3}, {200, 20}}
	p := compiled(t, keyed(len(limits), func(i int) rules.Rule {
		return rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{
			MaxCalls: limits[i].max, WindowSeconds: limits[i].seconds, Per: []string{"param:k"},
		}}
	}))
	clock := &jumpyClock{start: wallStart, step: 660_000, far: 60e9}
	logs := storm(t, p, len(limits)*oracleKeys, fewer(*operations), clock, func(r *rand.Rand) (rules.Call, int, int) {
		call, key := anyKey(r, len(limits))
		call.Parameters = json.RawMessage(fmt.Sprintf(`{"k":%d}`, key))
		return call, key, 0
	})
	for key, log := range logs {
		l := limits[key/oracleKeys]
		used, most := 0, 0
		windows(log, time.Duration(l.seconds)*time.Second,
			func(counted) { used++ }, func(counted) { used-- },
			func() { most = max(most, used) })
		require.LessOrEqual(t, most, l.max, "key %d: the most calls of a window", key)
		require.GreaterOrEqual(t, most, l.max*9/10, "the oracle has seen full windows")
	}
}

func TestOracleSums(t *testing.T) {
	amounts := []string{"0.01", "33.333333333333333333", "12.5", "1e1", "7", "0.000000000000000001", "100.06", "0", "1e18", "61.000000000000000007"}
	limits := []struct {
		max     string
		seconds int
	}{{"100.05", 3}, {"33.333333333333333333", 1}, {"2000", 60}}
	p := compiled(t, keyed(len(limits), func(i int) rules.Rule {
		return rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{
			Parameter: "amount", Max: num(limits[i].max), WindowSeconds: limits[i].seconds, Per: []string{"param:k"},
		}}
	}))
	clock := &jumpyClock{start: wallStart, step: 1_600_000, far: 60e9}
	logs := storm(t, p, len(limits)*oracleKeys, fewer(*operations), clock, func(r *rand.Rand) (rules.Call, int, int) {
		call, key := anyKey(r, len(limits))
		what := r.IntN(len(amounts))
		call.Parameters = json.RawMessage(fmt.Sprintf(`{"k":%d,"amount":%s}`, key, amounts[what]))
		return call, key, what
	})
	for key, log := range logs {
		l := limits[key/oracleKeys]
		bound, sum := rat(l.max), new(big.Rat)
		windows(log, time.Duration(l.seconds)*time.Second,
			func(x counted) { sum.Add(sum, rat(amounts[x.what])) },
			func(x counted) { sum.Sub(sum, rat(amounts[x.what])) },
			func() {
				if sum.Cmp(bound) > 0 {
					t.Fatalf("key %d: a window of %s, past %s", key, sum.FloatString(18), l.max)
				}
			})
		require.NotEmpty(t, log)
	}
}

func rat(text string) *big.Rat {
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return x
}

func TestOracleDistinct(t *testing.T) {
	limits := []struct{ max, seconds int }{{1, 1}, {5, 2}, {100, 20}}
	p := compiled(t, keyed(len(limits), func(i int) rules.Rule {
		return rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{
			Distinct: "to", Max: num(fmt.Sprint(limits[i].max)), WindowSeconds: limits[i].seconds, Per: []string{"param:k"},
		}}
	}))
	clock := &jumpyClock{start: wallStart, step: 1_600_000, far: 60e9}
	logs := storm(t, p, len(limits)*oracleKeys, fewer(*operations), clock, func(r *rand.Rand) (rules.Call, int, int) {
		call, key := anyKey(r, len(limits))
		what := r.IntN(2 * limits[key/oracleKeys].max)
		call.Parameters = json.RawMessage(fmt.Sprintf(`{"k":%d,"to":"%d"}`, key, what))
		return call, key, what
	})
	for key, log := range logs {
		l := limits[key/oracleKeys]
		uses, most := map[int]int{}, 0
		windows(log, time.Duration(l.seconds)*time.Second,
			func(x counted) { uses[x.what]++ },
			func(x counted) {
				if uses[x.what]--; uses[x.what] == 0 {
					delete(uses, x.what)
				}
			},
			func() { most = max(most, len(uses)) })
		require.LessOrEqual(t, most, l.max, "key %d: the most values of a window", key)
		require.GreaterOrEqual(t, most, l.max*9/10, "the oracle has seen full windows")
	}
}
