package evaluator

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/rules"
)

var manyKeys = flag.Int("keys", 200_000, "how many different keys ask for room; 10,000,000 before a release")

// checkState looks at everything in s that is written down twice. Nobody else
// may use s meanwhile.
func checkState(t testing.TB, s *State) {
	t.Helper()
	live, owners := int64(0), map[*owner]int64{}
	look := func(c *counter) {
		units := int64(1)
		switch m := c.meter.(type) {
		case *callMeter:
			used, entries := int32(0), m.entries()
			for i, e := range entries {
				require.Positive(t, e.calls)
				require.True(t, i == 0 || entries[i-1].at < e.at, "entries are in order")
				used += e.calls
			}
			require.Equal(t, used, m.used)
			require.LessOrEqual(t, len(entries), max(exactEntries, buckets+1))
		case *sumMeter:
			var sum decimal.Amount
			for i, e := range m.entries {
				require.False(t, e.amount.IsZero())
				require.True(t, i == 0 || m.entries[i-1].at < e.at, "entries are in order")
				sum = sum.Plus(e.amount)
			}
			require.Equal(t, sum, m.sum)
			require.LessOrEqual(t, len(m.entries), maxSumEntries)
		case *valueMeter:
			rooms := map[*owner]int{}
			for _, u := range m.byTime {
				if u != m.within {
					require.NotNil(t, u.room, "every value has room")
					rooms[u.room]++
				}
			}
			require.Equal(t, len(rooms), len(m.rooms))
			for o, n := range rooms {
				require.Equal(t, n, m.rooms[o])
			}
			for _, all := range []map[*owner]int{m.rooms, m.over} {
				for o, n := range all {
					live, owners[o] = live+int64(n), owners[o]+int64(n)
				}
			}
			require.Len(t, m.byTime, len(m.values))
			for i, u := range m.byTime {
				require.Same(t, u, m.values[u.value])
				require.Equal(t, i, u.place)
				require.LessOrEqual(t, m.byTime[(i-1)/2].at, u.at)
				require.LessOrEqual(t, u.at, m.newest)
			}
		}
		live += units
		owners[c.owner] += units
	}
	for i := range s.tables {
		x := &s.tables[i]
		all := x.all()
		require.Len(t, all, x.count)
		for _, c := range all {
			require.Same(t, x, s.table(c.hash))
			require.Same(t, c, x.find(c.hash, []byte(c.key)))
			require.True(t, c.mu.TryLock(), "nobody uses it")
			c.mu.Unlock()
			look(c)
		}
	}
	for _, ses := range s.sessions.open {
		for _, c := range ses.counters {
			look(c)
		}
	}
	bytes := 0
	for _, ses := range s.sessions.open {
		h := &ses.history
		size := 0
		for i, ev := range h.events {
			require.Same(t, ev, h.byCall[ev.key])
			require.True(t, i == 0 || h.events[i-1].at <= ev.at, "events are in order")
			size += ev.size()
		}
		require.Len(t, h.byCall, len(h.events))
		require.Equal(t, size, h.bytes)
		require.LessOrEqual(t, size, maxEventBytes)
		bytes += size
	}
	require.EqualValues(t, bytes, s.sessions.bytes, "the bytes of all histories")
	for _, p := range s.sessions.pots {
		bytes -= int(p.bytes)
		require.Positive(t, p.sessions)
	}
	require.Zero(t, bytes, "of all projects")
	require.Equal(t, live, s.live.Load(), "all live counters")
	require.Len(t, s.owners, len(owners))
	for o, n := range owners {
		require.Same(t, o, s.owners[o.key])
		require.Equal(t, n, o.live, "the live counters of an owner")
	}
}

// Ten times as many keys as there is room for, or ten million: memory stays
// bounded, new keys are denied past the cap, one agent cannot take the room of
// the others, no counter that lives is lost, and a key costs as much at the
// end as at the beginning.
func TestManyKeys(t *testing.T) {
	keys := fewer(*manyKeys)
	opts := &StateOptions{MaxKeys: keys / 10, MaxKeysPerAgent: keys / 100}
	if keys >= 10*defaultMaxKeys {
		opts = nil
	}
	s := NewState(opts)
	agents := int(s.maxKeys / s.perUser)
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 86400, Per: []string{"param:k"}}}
	}))
	var e Evaluation
	var parameters []byte
	ask := func(agent, k int) rules.Code {
		parameters = append(strconv.AppendInt(append(parameters[:0], `{"k":`...), int64(k), 10), '}')
		call := rules.Call{AgentID: "agent-" + strconv.Itoa(agent), Tool: "t0", Parameters: json.RawMessage(parameters)}
		p.Decide(&e, &call, wallStart)
		return e.Settle(s).Cause().Code
	}

	allowed := make([]int, agents)
	times := make([]time.Duration, 0, s.maxKeys)
	before := heapBytes()
	// One agent asks for all the room, and gets its own; then the others do.
	for k := range keys {
		agent := 0
		if k >= keys/2 {
			agent = k % agents
		}
		begin := time.Now()
		switch code := ask(agent, k); code {
		case rules.CodeAllowed:
			times = append(times, time.Since(begin))
			allowed[agent]++
		case rules.CodeLimitsUnavailable:
		default:
			t.Fatal(code)
		}
	}
	for agent, n := range allowed {
		require.EqualValues(t, s.perUser, n, agent)
	}
	require.Equal(t, s.maxKeys, s.live.Load())
	require.Equal(t, rules.CodeLimitsUnavailable, ask(agents, -1), "another agent, when all is full")
	grown := heapBytes() - before
	t.Logf("%d keys: the heap has grown by %d MiB, %d bytes a counter", keys, grown>>20, grown/s.maxKeys)
	require.LessOrEqual(t, grown, int64(320<<20)*s.maxKeys/defaultMaxKeys+1<<20)

	tenth := len(times) / 10
	first, last := median(times[:tenth]), median(times[len(times)-tenth:])
	t.Logf("a new key takes %v at first, and %v at last", first, last)
	require.Less(t, last, 10*first+20*time.Microsecond)

	for k := range int(s.perUser) {
		require.Equal(t, rules.CodeRateLimited, ask(0, k), "a live counter")
	}
	checkState(t, s)
}

func median(times []time.Duration) time.Duration {
	times = slices.Sorted(slices.Values(times))
	return times[len(times)/2]
}

// heapBytes is how much is reachable.
func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// everyMeter is a set with a limit of every kind, on every tool.
func everyMeter() *rules.PolicySet {
	one, two, three := 50, 5, 3
	per := []string{"param:k"}
	return &rules.PolicySet{
		Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{
			{Type: rules.ToolAllowlist, Tools: []string{"*"}},
			{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 20, WindowSeconds: 20, Per: per}},
			{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 12, WindowSeconds: 30, Per: []string{"global"}}},
			{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 9, WindowSeconds: 9, Per: []string{"session"}}},
			{Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("100.5"), WindowSeconds: 60, Per: per}},
			{Type: rules.Budgeted, Budget: &rules.Budget{Cost: num("0.25"), Max: num("40"), PerSession: true, Per: []string{"global"}}},
			{Type: rules.Budgeted, Budget: &rules.Budget{Distinct: "to", Max: num("4"), WindowSeconds: 30}},
			{Type: rules.Budgeted, Budget: &rules.Budget{Distinct: "to", Max: num("15"), PerSession: true}},
			{Type: rules.Sequenced, Tools: []string{"pay"}, Sequence: &rules.Sequence{
				Requires:  []rules.SequenceEntry{{Tools: []string{"look"}, Same: map[string]string{"to": "to"}}},
				BlockedBy: []rules.SequenceEntry{{Tools: []string{"read"}, WithinSeconds: &two}},
			}},
		}}},
		ToolPolicies: []rules.ToolPolicy{{ToolName: "pay", Mode: "deterministic", SessionConstraints: &rules.SessionConstraints{
			MaxCalls: &one, Budget: num("500"), SpendArgument: "amount",
			Counters: map[string]rules.SessionCounter{"open": {Increment: []string{"look"}, Decrement: []string{"pay", "read"}, Max: &three}},
		}}},
	}
}

// anyCall returns a random call that everyMeter has something to say of.
func anyCall(r *rand.Rand) rules.Call {
	return rules.Call{
		AgentID: fmt.Sprint("agent-", r.IntN(3)), Project: []string{"", "shop"}[r.IntN(2)], Session: fmt.Sprint("s", r.IntN(4)),
		Tool: []string{"pay", "look", "look", "read"}[r.IntN(4)],
		Parameters: json.RawMessage(fmt.Sprintf(`{"k":%d,"to":"%c","amount":%s}`,
			r.IntN(3), 'a'+rune(r.IntN(6)), []string{"1", "0.10", "20.000000000000000001", "0", "200"}[r.IntN(5)])),
	}
}

// Whatever is counted, given back, ended or past its window gives its room up.
func TestRoomReturns(t *testing.T) {
	s := NewState(&StateOptions{MaxKeys: 60, MaxKeysPerAgent: 25, MaxSessions: 6, MaxHistoryBytes: 6000})
	p := compiled(t, everyMeter())
	clock := &jumpyClock{start: wallStart, step: 200e6, far: 60e9}
	codes := make([]map[rules.Code]int, 8)
	var wg sync.WaitGroup
	for g := range codes {
		codes[g] = map[rules.Code]int{}
		wg.Go(func() {
			r := rand.New(rand.NewPCG(9, uint64(g)))
			var e Evaluation
			for range 2000 {
				call, now := anyCall(r), clock.next(r)
				switch r.IntN(20) {
				case 0:
					s.EndSession(call.Project, call.Session)
				case 1, 2, 3:
					_ = s.OpenSession(call.Project, call.Session, now)
				}
				p.Decide(&e, &call, now)
				codes[g][e.Settle(s).Cause().Code]++
				if r.IntN(4) == 0 {
					e.GiveBack(s)
				}
			}
		})
	}
	wg.Wait()
	for _, code := range []rules.Code{
		rules.CodeAllowed, rules.CodeRateLimited, rules.CodeBudgetExceeded, rules.CodeSequenceViolated,
		rules.CodeSessionUnknown, rules.CodeLimitsUnavailable,
	} {
		n := 0
		for g := range codes {
			n += codes[g][code]
		}
		require.Positive(t, n, "the calls meet %s", code)
	}
	checkState(t, s)

	later := s.time(wallStart.Add(1000 * time.Hour))
	for i := range 4 {
		for _, project := range []string{"", "shop"} {
			s.EndSession(project, fmt.Sprint("s", i))
		}
	}
	for i := range s.tables {
		for x := &s.tables[i]; x.count > 0; {
			s.sweep(x, later)
		}
	}
	for range 100 {
		s.sweepSessions(later)
	}
	checkState(t, s)
	require.Zero(t, s.live.Load())
	require.Empty(t, s.owners)
	require.Zero(t, s.sessions.bytes)
	require.Empty(t, s.sessions.all)
}

// A call for which there is no room counts nowhere, and takes no room either.
func TestNoRoomTakesNothing(t *testing.T) {
	two := compiled(t, &rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{
		{Type: rules.ToolAllowlist, Tools: []string{"*"}},
		{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 3, WindowSeconds: 60}},
		{Type: rules.Budgeted, Budget: &rules.Budget{Cost: num("1"), Max: num("3"), WindowSeconds: 60}},
		{Type: rules.Budgeted, Budget: &rules.Budget{Distinct: "to", Max: num("3"), WindowSeconds: 60}},
		{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 3, WindowSeconds: 60, Per: []string{"param:to"}}},
	}}}})
	s := NewState(&StateOptions{MaxKeys: 4})
	var e Evaluation
	ask := func(to string) rules.Code {
		call := rules.Call{AgentID: "bot", Tool: "t", Parameters: json.RawMessage(`{"to":"` + to + `"}`)}
		two.Decide(&e, &call, wallStart)
		return e.Settle(s).Cause().Code
	}
	require.Equal(t, rules.CodeAllowed, ask("ann"))
	require.EqualValues(t, 4, s.live.Load())
	for range 5 { // there is no room for another value, nor for its limit
		require.Equal(t, rules.CodeLimitsUnavailable, ask("bob"))
		checkState(t, s)
		require.EqualValues(t, 4, s.live.Load())
	}
	require.Equal(t, rules.CodeAllowed, ask("ann"))
	require.Equal(t, rules.CodeAllowed, ask("ann"))
	require.Equal(t, rules.CodeRateLimited, ask("ann"), "three, of which none is for bob")
}
