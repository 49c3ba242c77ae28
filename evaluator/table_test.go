package evaluator

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// A table against a map, also with hashes that collide.
func TestTableAgainstMap(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, mask := range []uint64{^uint64(0), 0xff, 0} {
		var x table
		x.init()
		plain := map[string]*counter{}
		hashOf := func(n int) uint64 { return uint64(n) * 0x9e3779b97f4a7c15 & mask }
		for range 3000 {
			n := r.IntN(500)
			key := fmt.Sprint(n)
			c := x.find(hashOf(n), []byte(key))
			require.Same(t, plain[key], c)
			switch {
			case c == nil:
				c = &counter{key: key, hash: hashOf(n)}
				x.insert(c)
				plain[key] = c
			case r.IntN(3) == 0:
				x.remove(c)
				delete(plain, key)
			}
			require.Equal(t, len(plain), x.count)
			require.GreaterOrEqual(t, x.size.Load(), 2*uint64(x.count))
		}
		require.Len(t, x.all(), len(plain))
		for _, c := range x.all() {
			require.Same(t, plain[c.key], c)
		}
	}
}

// Every bucket of the rows is one of its own.
func TestBucketsOfATable(t *testing.T) {
	var x table
	x.init()
	seen := map[*atomic.Pointer[counter]]bool{}
	for i := range uint64(1000) {
		require.Equal(t, i+1, x.size.Load())
		seen[x.bucket(i)] = true
		x.split()
	}
	require.Len(t, seen, 1000)
	for size := uint64(1); size < 200; size++ {
		for hash := range uint64(2000) {
			i := place(hash, size)
			require.Less(t, i, size)
			if j := place(hash, size+1); j != i {
				require.Equal(t, size, j, "only the new bucket gets counters")
				require.Equal(t, place(size, size), i, "and those of one other")
			}
		}
	}
}

// perKey is a rate_limit for each value of a parameter, in windows of a second.
func perKey(id string, calls int, parameter string) rules.Rule {
	return rules.Rule{Type: rules.RateLimited, ID: id, RateLimit: &rules.RateLimit{
		MaxCalls: calls, WindowSeconds: 1, Per: []string{"param:" + parameter},
	}}
}

func compiledRules(t *testing.T, more ...rules.Rule) *Program {
	all := append([]rules.Rule{{Type: rules.ToolAllowlist, Tools: []string{"*"}}}, more...)
	return compiled(t, &rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: all}}})
}

// Counters that run out are dropped while others use, make and find them; and
// several are taken together, in any order of the rules. No window of a key
// has more than its limit.
func TestCountersComeAndGo(t *testing.T) {
	a, b := perKey("a", 2, "k"), perKey("b", 5, "l")
	programs := []*Program{compiledRules(t, a, b), compiledRules(t, b, a)}
	for _, keys := range []int{2, 300} {
		s := NewState(nil)
		var now atomic.Int64
		var mu sync.Mutex
		logs := map[string][]int64{}
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(8, uint64(g)))
				var e Evaluation
				for range fewer(20_000) {
					k, l := r.IntN(keys), r.IntN(keys)
					call := rules.Call{AgentID: "bot", Tool: "t", Parameters: map[string]any{"k": k, "l": l}}
					at := now.Add(r.Int64N(600e6 / int64(keys)))
					programs[r.IntN(2)].Decide(&e, &call, wallStart.Add(time.Duration(at)))
					if e.Settle(s).Cause().Outcome != rules.Allowed {
						continue
					}
					if r.IntN(10) == 0 {
						e.GiveBack(s)
						continue
					}
					mu.Lock()
					for _, x := range e.takes {
						name := fmt.Sprint("k", k)
						if x.limit.max == 5 {
							name = fmt.Sprint("l", l)
						}
						logs[name] = append(logs[name], x.at)
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		checkState(t, s)
		full := 0
		for name, log := range logs {
			most := map[byte]int{'k': 2, 'l': 5}[name[0]]
			slices.Sort(log)
			for i, at := range log {
				if i >= most {
					require.LessOrEqual(t, log[i-most], at-int64(time.Second), name)
				}
				if i+1 >= most && log[i+1-most] > at-int64(time.Second) {
					full++
				}
			}
		}
		require.Positive(t, full, "some windows are full")
		dropped := 0
		for i := range s.tables {
			if s.tables[i].begin() != never {
				dropped++
			}
		}
		require.True(t, dropped > 0 || keys == 2, "some counters were dropped meanwhile")
	}
}

// A call that waits for a counter which is dropped meanwhile is counted in
// another.
func TestDroppedWhileWaiting(t *testing.T) {
	p := compiledRules(t, perKey("a", 1, "k"))
	for range 20 {
		s := NewState(nil)
		ask := func(now time.Time) *counter {
			var e Evaluation
			p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t", Parameters: map[string]any{"k": 1}}, now)
			require.Equal(t, rules.Allowed, e.Settle(s).Cause().Outcome)
			return e.takes[0].counter
		}
		c := ask(wallStart)
		later := wallStart.Add(time.Hour)
		c.mu.Lock()
		asked := make(chan struct{})
		go func() {
			ask(later)
			close(asked)
		}()
		for range 100 {
			runtime.Gosched() // it waits now, or else the test shows nothing
		}
		s.discard(c, s.time(later))
		c.mu.Unlock()
		<-asked
		checkState(t, s)
		x := s.table(c.hash)
		now := x.find(c.hash, []byte(c.key))
		require.NotNil(t, now)
		require.NotSame(t, c, now)
		require.EqualValues(t, 1, now.meter.(*callMeter).used)
	}
}

// What is given back is found also while its table grows.
func TestGiveBackWhileATableGrows(t *testing.T) {
	p := compiledRules(t, perKey("a", 1000, "k"))
	s := NewState(&StateOptions{MaxKeysPerAgent: defaultMaxKeys})
	call := func(k int) *rules.Call {
		return &rules.Call{AgentID: "bot", Tool: "t", Parameters: map[string]any{"k": k}}
	}
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		var e Evaluation
		for i := 0; !done.Load(); i++ {
			k := i % 8
			p.Decide(&e, call(k), wallStart)
			if e.Settle(s).Cause().Outcome != rules.Allowed {
				t.Error("what was given back is still counted")
				return
			}
			e.GiveBack(s)
		}
	})
	var e Evaluation
	for k := range fewer(100_000) {
		p.Decide(&e, call(100+k), wallStart)
		e.Settle(s)
	}
	done.Store(true)
	wg.Wait()
	used := 0
	for i := range s.tables {
		for _, c := range s.tables[i].all() {
			used += int(c.meter.(*callMeter).used)
		}
	}
	require.Equal(t, fewer(100_000), used)
}

// Calls that come together to a key that nobody has counted for share one
// counter.
func TestOneCounterForAll(t *testing.T) {
	p := compiledRules(t, perKey("a", 1, "k"), perKey("b", 1000, "k"))
	s := NewState(nil)
	const goroutines = 4
	keys := fewer(3000)
	allowed := make([]atomic.Int32, keys)
	var front atomic.Int64 // calls so far: all ask for a key at about one time
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			var e Evaluation
			for k := range keys {
				p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t", Parameters: map[string]any{"k": k}}, wallStart)
				for front.Add(1); front.Load() < int64(goroutines*(k+1)); {
					runtime.Gosched()
				}
				if e.Settle(s).Cause().Outcome == rules.Allowed {
					allowed[k].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for k := range allowed {
		require.EqualValues(t, 1, allowed[k].Load(), k)
	}
	checkState(t, s)
}
