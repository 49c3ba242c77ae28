package evaluator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// anySet permits every tool, but for what the rules deny.
func anySet(rs ...rules.Rule) *rules.PolicySet {
	return &rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: append([]rules.Rule{{Type: rules.ToolAllowlist, Tools: []string{"*"}}}, rs...)}}}
}

// A session that was idle for too long has ended, also for a decision that
// takes it for younger: because the clock was set back, or because it began
// before and was slower. What was called meanwhile was not remembered.
func TestAttack_D3_IdleForAMoment(t *testing.T) {
	p := compiled(t, sequencedSet(&rules.Sequence{BlockedBy: toolEntry("secret")}))
	for _, times := range [][2]time.Duration{
		{25 * time.Hour, time.Second},
		{24 * time.Hour, 24*time.Hour - 1},
	} {
		s := NewState(nil)
		say := func(tool string, at time.Duration) rules.Code {
			var e Evaluation
			p.Decide(&e, &rules.Call{AgentID: "bot", Session: "s", Tool: tool}, wallStart.Add(at))
			return e.Settle(s).Cause().Code
		}
		require.NoError(t, s.OpenSession("", "s", wallStart))
		require.Equal(t, rules.CodeAllowed, say("look", 0))
		require.Equal(t, rules.CodeAllowed, say("secret", times[0]))
		require.Equal(t, rules.CodeAllowed, say("look", times[1]))
		require.Equal(t, rules.CodeSessionUnknown, say("pay", times[1]+time.Second))
		// It can be opened anew, and begins then.
		require.NoError(t, s.OpenSession("", "s", wallStart.Add(times[1])))
		require.Equal(t, rules.CodeAllowed, say("pay", times[1]+time.Second))
		checkState(t, s)
	}
}

// A sum that was too large is so after a restart.
func TestAttack_D5_SumTooLargeIsSaved(t *testing.T) {
	p := compiled(t, anySet(rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("1000"), WindowSeconds: 3600}}))
	for _, restart := range []bool{false, true} {
		s := NewState(nil)
		now := time.Now()
		var e Evaluation
		ask := func(at time.Time, amount string) rules.Code {
			call := rules.Call{AgentID: "bot", Tool: "t", Parameters: json.RawMessage(`{"amount":` + amount + `}`)}
			p.Decide(&e, &call, at)
			return e.Settle(s).Cause().Code
		}
		// many reservations of 0 at once, which cost much more in the end
		var holds []*Hold
		for i := range 1000 {
			require.Equal(t, rules.CodeAllowed, ask(now.Add(time.Duration(i)*time.Second), "0"))
			holds = append(holds, e.Hold())
		}
		for _, h := range holds {
			require.NoError(t, s.Correct(h, now.Add(1000*time.Second), "", "", "999999999999999999"))
		}
		if restart {
			s.Close()
			var buf bytes.Buffer
			_, err := s.WriteAllTo(&buf)
			require.NoError(t, err)
			s, err = ReadState(&buf, nil)
			require.NoError(t, err)
		}
		at := now.Add(3600*time.Second + 900*time.Second) // 100 of 1000 are in the window
		require.Equal(t, rules.CodeBudgetExceeded, ask(at, "1000"), "restart %v", restart)
	}
}

// The values of an agent have its room, and not another's, also after a
// restart.
func TestAttack_D6_SharedValuesAreSaved(t *testing.T) {
	p := compiled(t, anySet(
		rules.Rule{Type: rules.Budgeted, Tools: []string{"mail"}, Budget: &rules.Budget{Distinct: "to", Max: num("1000"), WindowSeconds: 86400, Per: []string{"global"}}},
		rules.Rule{Type: rules.RateLimited, Tools: []string{"use"}, RateLimit: &rules.RateLimit{MaxCalls: 10, WindowSeconds: 60}}))
	opts := &StateOptions{MaxKeysPerAgent: 100}
	s := NewState(opts)
	now := time.Now()
	ask := func(agent, tool, to string) rules.Code {
		var e Evaluation
		call := rules.Call{AgentID: agent, Tool: tool, Parameters: json.RawMessage(`{"to":"` + to + `"}`)}
		p.Decide(&e, &call, now)
		return e.Settle(s).Cause().Code
	}
	require.Equal(t, rules.CodeAllowed, ask("good", "mail", "x"))
	for i := range 200 {
		ask("evil", "mail", fmt.Sprint(i))
	}
	require.Equal(t, rules.CodeAllowed, ask("good", "use", ""))
	s.Close()
	var buf bytes.Buffer
	_, err := s.WriteAllTo(&buf)
	require.NoError(t, err)
	s, err = ReadState(&buf, opts)
	require.NoError(t, err)
	now = now.Add(2 * time.Minute)
	require.Equal(t, rules.CodeLimitsUnavailable, ask("evil", "mail", "another"), "has used its room")
	require.Equal(t, rules.CodeAllowed, ask("good", "mail", "y"))
}

// A token of a larger bucket has long been replaced when it is given back to
// a smaller one.
func TestBucketGivesBackAfterReload(t *testing.T) {
	m := newBucket(100, time.Minute)
	many := &limit{meter: TokenBucket, max: 100, window: time.Minute}
	one := &limit{meter: TokenBucket, max: 1, window: time.Minute}
	sec := int64(time.Second)
	a, b := &take{limit: many}, &take{limit: one}
	m.look(0, a)
	m.add(0, a)
	fits, _ := m.look(2*sec, b)
	require.True(t, fits)
	m.add(2*sec, b)
	m.remove(3*sec, a)
	fits, _ = m.look(3*sec, &take{limit: one})
	require.False(t, fits)
}

// What is made in a session for a call that finds no room is dropped again.
func TestNoRoomTakesNothingOfSessions(t *testing.T) {
	p := compiled(t, anySet(
		rules.Rule{Type: rules.Budgeted, Tools: []string{"x"}, Budget: &rules.Budget{Cost: num("1"), Max: num("3"), PerSession: true}},
		rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 3, WindowSeconds: 60}}))
	s := NewState(&StateOptions{MaxKeys: 1})
	require.NoError(t, s.OpenSession("", "s", wallStart))
	ask := func(tool string) rules.Code {
		var e Evaluation
		call := rules.Call{AgentID: "bot", Tool: tool, Session: "s"}
		p.Decide(&e, &call, wallStart)
		return e.Settle(s).Cause().Code
	}
	require.Equal(t, rules.CodeLimitsUnavailable, ask("x"))
	require.Zero(t, s.live.Load(), "nothing is counted")
	require.Equal(t, rules.CodeAllowed, ask("y"))
}

// A call that is allowed while a State is closed is in what is saved then,
// also where its counters were not there before.
func TestClosedStateSavesNewCounters(t *testing.T) {
	p := compiled(t, anySet(rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 86400, Per: []string{"param:k"}}},
		rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 86400, Per: []string{"param:k", "agent"}}}))
	s := NewState(nil)
	now := time.Now()
	var e Evaluation
	var call rules.Call
	for k := 0; ; k++ { // the second counter is in a table before that of the first
		call = rules.Call{AgentID: "bot", Tool: "t", Parameters: json.RawMessage(fmt.Sprintf(`{"k":%d}`, k))}
		p.Decide(&e, &call, now)
		e.Peek(s)
		if e.takes[1].hash>>(64-tableBits) < e.takes[0].hash>>(64-tableBits) {
			break
		}
	}
	hash := e.takes[0].hash
	p.Decide(&e, &call, now)
	first := s.table(hash)
	s.mu.Lock() // where the call waits for the room of its first counter
	var wg sync.WaitGroup
	var code rules.Code
	wg.Go(func() { code = e.Settle(s).Cause().Code })
	for !locked(&first.mu) {
		runtime.Gosched()
	}
	s.Close()
	var buf bytes.Buffer
	wg.Go(func() { _, _ = s.WriteAllTo(&buf) })
	for range 1000 { // it comes to that table, and waits
		runtime.Gosched()
	}
	s.mu.Unlock()
	wg.Wait()
	r, err := ReadState(&buf, nil)
	require.NoError(t, err)
	n := 0
	for i := range r.tables {
		n += r.tables[i].count
	}
	if code == rules.CodeAllowed {
		require.Equal(t, 2, n, "counters of an allowed call in the file")
	}
}

// locked reports whether somebody holds mu.
func locked(mu *sync.Mutex) bool {
	if mu.TryLock() {
		mu.Unlock()
		return false
	}
	return true
}

// Everything at once, by many, with a clock that jumps and hardly any room:
// nothing is lost or left over.
func TestEverythingAtOnce(t *testing.T) {
	for seed := range uint64(fewer(4)) {
		opts := &StateOptions{MaxKeys: 60, MaxKeysPerAgent: 25, MaxSessions: 6, MaxHistoryBytes: 6000}
		s := NewState(opts)
		p := compiled(t, everyMeter())
		clock := &jumpyClock{start: wallStart, step: 200e6, far: 60e9}
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(g)))
				var e Evaluation
				var holds []*Hold
				for range 3000 {
					call, now := anyCall(r), clock.next(r)
					switch r.IntN(20) {
					case 0:
						s.EndSession(call.Project, call.Session)
					case 1, 2, 3:
						_ = s.OpenSession(call.Project, call.Session, now)
					case 4:
						if r.IntN(20) == 0 {
							var b bytes.Buffer
							_, _ = s.WriteTo(&b)
							x, err := ReadState(&b, opts)
							if err != nil {
								t.Error(err)
							} else {
								checkState(t, x)
							}
						}
					}
					p.Decide(&e, &call, now)
					if r.IntN(2) == 0 {
						e.Guarded()
					}
					e.Settle(s)
					if r.IntN(4) == 0 {
						e.GiveBack(s)
					} else if h := e.Hold(); h != nil {
						holds = append(holds, h)
					}
					if len(holds) > 0 && r.IntN(2) == 0 {
						h := holds[r.IntN(len(holds))]
						_ = s.Correct(h, clock.next(r), "", "", []string{"0", "1", "0.1", "300", "999999999999999999"}[r.IntN(5)])
						s.Succeeded(h)
					}
				}
			})
		}
		wg.Wait()
		checkState(t, s)
		later := s.time(wallStart.Add(100000 * time.Hour))
		for i := range 4 {
			for _, project := range []string{"", "shop"} {
				s.EndSession(project, "s"+string(rune('0'+i)))
			}
		}
		for i := range s.tables {
			for x, n := &s.tables[i], 0; x.count > 0; n++ {
				s.sweep(x, later)
				require.Less(t, n, 100000)
			}
		}
		checkState(t, s)
		require.Zero(t, s.live.Load())
	}
}
