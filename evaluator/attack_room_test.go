package evaluator

import (
	"bytes"
	"fmt"
	"testing"
	"time"
	"unsafe"

	"encoding/json"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// One agent must not fill the room of another through a counter that they
// share: each value takes the room of who used it first.
func TestAttack_D6_SharedValues(t *testing.T) {
	p := compiled(t, &rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{
		{Type: rules.ToolAllowlist, Tools: []string{"*"}},
		{Type: rules.Budgeted, Tools: []string{"mail"}, Budget: &rules.Budget{Distinct: "v", Max: num("1000"), WindowSeconds: 60, Per: []string{"global"}}},
		{Type: rules.RateLimited, Tools: []string{"other"}, RateLimit: &rules.RateLimit{MaxCalls: 5, WindowSeconds: 60}},
	}}}})
	s := NewState(&StateOptions{MaxKeysPerAgent: 10})
	now := wallStart
	say := func(agent, tool string, v int) rules.Code {
		var e Evaluation
		p.Decide(&e, &rules.Call{AgentID: agent, Tool: tool, Parameters: json.RawMessage(fmt.Sprintf(`{"v":%d}`, v))}, now)
		return e.Settle(s).Cause().Code
	}
	require.Equal(t, rules.CodeAllowed, say("victim", "mail", 0))
	codes := map[rules.Code]int{}
	for v := range 100 {
		codes[say("attacker", "mail", v)]++
	}
	require.Equal(t, 11, codes[rules.CodeAllowed], "ten of its own, and the one that was known")
	require.Equal(t, rules.CodeLimitsUnavailable, say("attacker", "other", 0))
	require.Equal(t, rules.CodeAllowed, say("victim", "other", 0))
	require.Equal(t, rules.CodeAllowed, say("victim", "mail", 1000))
	checkState(t, s)
	// When the values have left, their rooms are free again.
	now = now.Add(61 * time.Second)
	require.Equal(t, rules.CodeAllowed, say("victim", "mail", 0))
	require.Equal(t, rules.CodeAllowed, say("attacker", "mail", 1))
	require.Equal(t, rules.CodeAllowed, say("attacker", "other", 0))
	checkState(t, s)
}

// The wall clock was an hour behind when the process began, and has been set
// since, or the machine has slept: the monotonic clock knows nothing of it, and
// a file has only the time of day.
func TestAttack_D2_SavedAfterTheClockWasSet(t *testing.T) {
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 2, WindowSeconds: 3600}}
	}))
	s := NewState(nil)
	// The seconds of the wall clock are in the first word from bit 30 on.
	*(*uint64)(unsafe.Pointer(&s.base)) -= 3600 << 30
	require.InDelta(t, 0, s.time(time.Now()), 1e9, "the monotonic reading is as it was")
	say := func(s *State) rules.Code {
		var e Evaluation
		p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t0"}, time.Now())
		return e.Settle(s).Cause().Code
	}
	require.Equal(t, rules.CodeAllowed, say(s))
	require.Equal(t, rules.CodeAllowed, say(s))
	require.Equal(t, rules.CodeRateLimited, say(s))
	var b bytes.Buffer
	_, err := s.WriteTo(&b)
	require.NoError(t, err)
	s, err = ReadState(&b, nil)
	require.NoError(t, err)
	require.Equal(t, rules.CodeRateLimited, say(s), "two calls were made just now")
}

// A cost that is said of a call that reserved nothing counts, also when its
// counter was dropped since, as one that counts nothing.
func TestAttack_D5_CostOfNothingReserved(t *testing.T) {
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("10"), WindowSeconds: 3600}}
	}))
	s := NewState(&StateOptions{MaxKeys: 1})
	say := func(e *Evaluation, amount string) rules.Code {
		p.Decide(e, &rules.Call{AgentID: "bot", Tool: "t0", Parameters: json.RawMessage(`{"amount":` + amount + `}`)}, wallStart)
		return e.Settle(s).Cause().Code
	}
	var first, e Evaluation
	require.Equal(t, rules.CodeAllowed, say(&first, "0"))
	h := first.Hold()
	for i := range s.tables {
		s.tables[i].mu.Lock()
		s.sweep(&s.tables[i], s.time(wallStart))
		s.tables[i].mu.Unlock()
	}
	require.Zero(t, s.live.Load())
	require.NoError(t, s.Correct(h, wallStart, "", "", "1000"))
	require.Equal(t, rules.CodeBudgetExceeded, say(&e, "1"))
	checkState(t, s)
}

// A count that went down below what was given back since permits no call more.
func TestAttack_C4_TallyGivenBackLate(t *testing.T) {
	m, l := &tallyMeter{}, &limit{meter: Tally, max: 1}
	up, down, second := &take{limit: l, by: 1}, &take{limit: l, by: -1}, &take{limit: l, by: 1}
	m.add(0, up)
	m.add(0, down)
	m.add(0, second)
	m.remove(0, up)
	fits, _ := m.look(0, &take{limit: l, by: 1})
	require.False(t, fits, "one is out")
	m.remove(0, second)
	fits, _ = m.look(0, &take{limit: l, by: 1})
	require.True(t, fits)
}

// A sum that was too large for an Amount denies until what made it so has left.
func TestAttack_D5_SumTooLarge(t *testing.T) {
	m := &sumMeter{window: int64(time.Hour)}
	l := &limit{meter: SumAmounts, sum: amountOf("1000"), window: time.Hour}
	at := int64(0)
	for i := range 1000 {
		at = int64(i) * int64(time.Second)
		x := &take{limit: l}
		m.add(at, x)
		m.correct(at, x, amountOf("999999999999999999"))
	}
	end := at + int64(time.Hour)
	fits, _ := m.look(end-int64(2*time.Minute), &take{limit: l, amount: amountOf("1000")})
	require.False(t, fits)
	fits, _ = m.look(end, &take{limit: l, amount: amountOf("1000")})
	require.True(t, fits)
}

// The calls of one project must not fill what is kept of another's.
func TestAttack_D6_HistoriesOfAnotherProject(t *testing.T) {
	p := compiled(t, sequencedSet(&rules.Sequence{BlockedBy: toolEntry("secret")}))
	s := NewState(&StateOptions{MaxHistoryBytes: 1 << 20})
	say := func(project, session, tool, params string) rules.Code {
		var e Evaluation
		p.Decide(&e, &rules.Call{AgentID: "bot", Project: project, Session: session, Tool: tool, Parameters: params}, wallStart)
		return e.Settle(s).Cause().Code
	}
	require.NoError(t, s.OpenSession("good", "s", wallStart))
	for i := range 8 {
		id := fmt.Sprint("s", i)
		require.NoError(t, s.OpenSession("evil", id, wallStart))
		for n := range 400 {
			require.Equal(t, rules.CodeAllowed, say("evil", id, "look", fmt.Sprintf(`{"x":"%0400d"}`, n)))
		}
	}
	require.Equal(t, rules.CodeSessionUnknown, say("evil", "s7", "pay", ""), "it has forgotten")
	require.Equal(t, rules.CodeAllowed, say("good", "s", "look", ""))
	require.Equal(t, rules.CodeAllowed, say("good", "s", "pay", ""))
	checkState(t, s)
	for i := range 8 {
		s.EndSession("evil", fmt.Sprint("s", i))
	}
	s.EndSession("good", "s")
	require.Empty(t, s.sessions.pots)
}
