package evaluator

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// Whoever looks first and settles then takes what was looked at.
func TestPeekThenSettleTakes(t *testing.T) {
	p := compiled(t, anySet(rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60}}))
	s := NewState(nil)
	for i := range 10 {
		var e Evaluation
		p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t"}, wallStart)
		seen := e.Peek(s).Cause().Code
		require.Equal(t, seen, e.Settle(s).Cause().Code)
		require.Equal(t, i == 0, seen == rules.CodeAllowed)
	}
}

// What one call took is taken back once, whichever of its Hold and its
// Evaluation is asked, and in what order: another's amount stays.
func TestTakenBackOnce(t *testing.T) {
	p := compiled(t, anySet(rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("10"), WindowSeconds: 60}}))
	for name, back := range map[string]func(s *State, e *Evaluation) error{
		"Correct, GiveBack": func(s *State, e *Evaluation) error {
			err := s.Correct(e.Hold(), wallStart, "", "", "0")
			e.GiveBack(s)
			return err
		},
		"GiveBack, Correct": func(s *State, e *Evaluation) error {
			h := e.Hold()
			e.GiveBack(s)
			return s.Correct(h, wallStart, "", "", "0")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := NewState(nil)
			ask := func(e *Evaluation, amount string) rules.Code {
				p.Decide(e, &rules.Call{AgentID: "bot", Tool: "t", Parameters: json.RawMessage(`{"amount":` + amount + `}`)}, wallStart)
				return e.Settle(s).Cause().Code
			}
			var a, b, c, d Evaluation
			require.Equal(t, rules.CodeAllowed, ask(&a, "5"))
			require.Equal(t, rules.CodeAllowed, ask(&b, "5"))
			require.NoError(t, back(s, &a))
			require.Equal(t, rules.CodeBudgetExceeded, ask(&c, "6"))
			require.Equal(t, rules.CodeAllowed, ask(&d, "5"))
		})
	}
}

// A call is not given back to a State that did not count it.
func TestGiveBackToAnother(t *testing.T) {
	p := compiled(t, anySet(rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60}}))
	s, other := NewState(nil), NewState(nil)
	other.base = s.base
	ask := func(s *State) (*Evaluation, rules.Code) {
		e := &Evaluation{}
		p.Decide(e, &rules.Call{AgentID: "bot", Tool: "t"}, wallStart)
		return e, e.Settle(s).Cause().Code
	}
	e, code := ask(s)
	require.Equal(t, rules.CodeAllowed, code)
	_, code = ask(other)
	require.Equal(t, rules.CodeAllowed, code)
	e.GiveBack(other)
	e.GiveBack(nil)
	_, code = ask(other)
	require.Equal(t, rules.CodeRateLimited, code)
	e.GiveBack(s)
	_, code = ask(s)
	require.Equal(t, rules.CodeAllowed, code)
}

// What a call costs is not said to a State that did not count it.
func TestCorrectAnother(t *testing.T) {
	p := compiled(t, anySet(rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("10"), WindowSeconds: 60}}))
	s, other := NewState(nil), NewState(nil)
	other.base = s.base
	ask := func(s *State, amount string) (*Evaluation, rules.Code) {
		e := &Evaluation{}
		p.Decide(e, &rules.Call{AgentID: "bot", Tool: "t", Parameters: json.RawMessage(`{"amount":` + amount + `}`)}, wallStart)
		return e, e.Settle(s).Cause().Code
	}
	e, code := ask(s, "5")
	require.Equal(t, rules.CodeAllowed, code)
	_, code = ask(other, "5")
	require.Equal(t, rules.CodeAllowed, code)
	h := e.Hold()
	require.ErrorIs(t, other.Correct(h, wallStart, "", "", "0"), ErrNoBudget)
	_, code = ask(other, "6")
	require.Equal(t, rules.CodeBudgetExceeded, code)
	require.NoError(t, s.Correct(h, wallStart, "", "", "0"))
	_, code = ask(s, "10")
	require.Equal(t, rules.CodeAllowed, code)
}

// A State that is not one of NewState, or that is closed, counts nothing, and
// whoever looks is told so.
func TestStateThatCountsNothing(t *testing.T) {
	p := compiled(t, anySet(rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60}}))
	closed := NewState(nil)
	closed.Close()
	for _, s := range []*State{nil, {}, closed} {
		var e Evaluation
		decide := func() { p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t"}, wallStart) }
		decide()
		require.Equal(t, rules.CodeLimitsUnavailable, e.Peek(s).Cause().Code)
		decide()
		e.Usage(s)
		require.Equal(t, rules.CodeLimitsUnavailable, e.Settle(s).Cause().Code)
		e.GiveBack(s)
	}
}

// Counters that are dropped while their table is saved, by a clock that is far
// ahead for a moment, are not free in what is saved.
func TestDroppedWhileSaved(t *testing.T) {
	p := compiled(t, anySet(rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60, Per: []string{"param:k"}}}))
	s := NewState(nil)
	ask := func(s *State, k int, now time.Time) (*Evaluation, rules.Code) {
		e := &Evaluation{}
		p.Decide(e, &rules.Call{AgentID: "bot", Tool: "t", Parameters: map[string]any{"k": k}}, now)
		return e, e.Settle(s).Cause().Code
	}
	for k := range 200 {
		_, code := ask(s, k, wallStart)
		require.Equal(t, rules.CodeAllowed, code)
	}
	var file bytes.Buffer
	writes := 0
	_, err := s.WriteTo(writer(func(p []byte) (int, error) {
		if writes++; writes == 2 { // the counters of the first table are listed
			for k := 1000; k < 1100; k++ {
				ask(s, k, wallStart.Add(1000*time.Hour))
			}
		}
		return file.Write(p)
	}))
	require.NoError(t, err)
	live, err := ReadState(&file, nil)
	require.NoError(t, err)
	for k := range 200 {
		e, code := ask(live, k, wallStart.Add(time.Second))
		if code == rules.CodeAllowed {
			require.GreaterOrEqual(t, e.takes[0].at, live.time(wallStart.Add(time.Minute)), "two in one window of the key")
		}
	}
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
