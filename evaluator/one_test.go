package evaluator

import (
	"bytes"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// short is a question that rests on one counter, which is there already.
func short(t *testing.T, rule rules.Rule) (p *Program, s *State, c *counter) {
	p, s = compiled(t, anySet(rule)), NewState(nil)
	var e Evaluation
	p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t"}, wallStart)
	require.Equal(t, rules.CodeAllowed, e.Settle(s).Cause().Code)
	for i := range s.tables {
		for _, x := range s.tables[i].all() {
			c = x
		}
	}
	return p, s, c
}

// A State that is closed counts nothing more where there is a counter already:
// for a call that waits for it, and for one that comes later. It can be saved.
func TestClosedStateCountsNothingShort(t *testing.T) {
	p, s, c := short(t, rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 10, WindowSeconds: 60}})
	ask := func() rules.Code {
		var e Evaluation
		p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t"}, wallStart)
		return e.Settle(s).Cause().Code
	}
	c.mu.Lock()
	var wg sync.WaitGroup
	var code rules.Code
	wg.Go(func() { code = ask() })
	for range 1000 { // it waits now, or comes later
		runtime.Gosched()
	}
	s.Close()
	c.mu.Unlock()
	wg.Wait()
	require.Equal(t, rules.CodeLimitsUnavailable, code)
	require.Equal(t, rules.CodeLimitsUnavailable, ask())
	require.EqualValues(t, 1, c.meter.(*callMeter).used)
	checkState(t, s) // no counter is left locked
	_, err := s.WriteAllTo(&bytes.Buffer{})
	require.NoError(t, err)
}

// Several calls wait for a counter that is dropped meanwhile.
func TestDroppedWhileSeveralWait(t *testing.T) {
	p, s, c := short(t, rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 10, WindowSeconds: 60}})
	later := wallStart.Add(3600e9)
	c.mu.Lock()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			var e Evaluation
			p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t"}, later)
			if e.Settle(s).Cause().Code != rules.CodeAllowed {
				t.Error("there is room for three")
			}
		})
	}
	for range 1000 {
		runtime.Gosched()
	}
	s.discard(c, s.time(later))
	c.mu.Unlock()
	wg.Wait()
	checkState(t, s)
	require.True(t, c.mu.TryLock())
}

// A call past a limit that a human has approved counts as any other.
func TestApprovedPastTheLimitCounts(t *testing.T) {
	p, s, c := short(t, rules.Rule{Type: rules.RateLimited, OnViolation: rules.EscalateOnViolation, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60}})
	call := &rules.Call{AgentID: "bot", Tool: "t"}
	var e Evaluation
	v := p.Decide(&e, call, wallStart)
	approved := []Approved{{e.takes[0].rule.policy.digest, e.takes[0].rule.id}}
	require.True(t, v.Stateful())
	require.Equal(t, rules.CodeApprovalRequired, e.Settle(s).Cause().Code)
	p.Resume(&e, call, wallStart, approved)
	require.Equal(t, rules.CodeAllowed, e.Settle(s).Cause().Code)
	require.EqualValues(t, 2, c.meter.(*callMeter).used)
	e.GiveBack(s)
	require.EqualValues(t, 1, c.meter.(*callMeter).used)
}
