package evaluator

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// sequenced permits everything in sessions, but for what the sequence says of
// the tool pay.
func sequencedSet(q *rules.Sequence) *rules.PolicySet {
	return &rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{
		{Type: rules.ToolAllowlist, Tools: []string{"*"}},
		{Type: rules.Sequenced, Tools: []string{"pay"}, Sequence: q},
	}}}}
}

func toolEntry(tools ...string) []rules.SequenceEntry { return []rules.SequenceEntry{{Tools: tools}} }

// talk decides calls in the session s.
type talk struct {
	t   testing.TB
	p   *Program
	s   *State
	now time.Time
}

func newTalk(t testing.TB, set *rules.PolicySet, opts *StateOptions) *talk {
	k := &talk{t, compiled(t, set), NewState(opts), wallStart}
	require.NoError(t, k.s.OpenSession("", "s", k.now))
	return k
}

// ask decides a call, and counts it where it is allowed. What e holds is to be
// given back or held.
func (k *talk) ask(e *Evaluation, tool, parameters string, guarded bool) rules.Code {
	call := &rules.Call{AgentID: "bot", Session: "s", Tool: tool}
	if parameters != "" {
		call.Parameters = json.RawMessage(parameters)
	}
	k.p.Decide(e, call, k.now)
	if guarded {
		e.Guarded()
	}
	code := e.Settle(k.s).Cause().Code
	checkState(k.t, k.s)
	return code
}

func (k *talk) say(tool, parameters string) rules.Code {
	return k.ask(new(Evaluation), tool, parameters, false)
}

// An equal call of the same time that is given back does not take the other's
// event with it.
func TestEqualCallsAtOnce(t *testing.T) {
	k := newTalk(t, sequencedSet(&rules.Sequence{BlockedBy: toolEntry("read")}), nil)
	var first, second Evaluation
	require.Equal(t, rules.CodeAllowed, k.ask(&first, "read", "", false))
	require.Equal(t, rules.CodeAllowed, k.ask(&second, "read", "", false))
	first.GiveBack(k.s)
	require.Equal(t, rules.CodeSequenceViolated, k.say("pay", ""), "the second call was allowed")

	k = newTalk(t, sequencedSet(&rules.Sequence{BlockedBy: toolEntry("read")}), nil)
	require.Equal(t, rules.CodeAllowed, k.ask(&first, "read", "", false))
	first.GiveBack(k.s)
	require.Equal(t, rules.CodeAllowed, k.say("pay", ""), "there was no call")
}

// A call that is given back is no required call, whatever came after it.
func TestRequiredCallGivenBack(t *testing.T) {
	require.Equal(t, rules.CodeAllowed, func() rules.Code {
		k := newTalk(t, sequencedSet(&rules.Sequence{Requires: toolEntry("check")}), nil)
		k.say("check", "")
		return k.say("pay", "")
	}())
	for _, seconds := range []int{0, 1} {
		k := newTalk(t, sequencedSet(&rules.Sequence{Requires: toolEntry("check")}), nil)
		later := func() { k.now = k.now.Add(time.Duration(seconds) * time.Second) }
		var first, guarded, last Evaluation
		k.ask(&first, "check", "", false)
		later()
		k.ask(&guarded, "check", "", true)
		first.GiveBack(k.s)
		later()
		require.Equal(t, rules.CodeSequenceViolated, k.say("pay", ""), "the guarded call has not succeeded yet")
		k.s.Succeeded(guarded.Hold())
		require.Equal(t, rules.CodeAllowed, k.say("pay", ""))

		// What stands goes on to stand when a later one is given back.
		later()
		k.ask(&last, "check", "", false)
		last.GiveBack(k.s)
		require.Equal(t, rules.CodeAllowed, k.say("pay", ""))

		// Two on their way, and both given back, in the order that they came.
		k = newTalk(t, sequencedSet(&rules.Sequence{Requires: toolEntry("check")}), nil)
		k.ask(&first, "check", "", false)
		later()
		k.ask(&last, "check", "", false)
		first.GiveBack(k.s)
		last.GiveBack(k.s)
		require.Equal(t, rules.CodeSequenceViolated, k.say("pay", ""))
	}
}

// What is given back is gone from the history, and what it had touched has its
// earlier time again; in whatever order that is done.
func TestHistoryGivenBack(t *testing.T) {
	five := 5
	k := newTalk(t, sequencedSet(&rules.Sequence{BlockedBy: []rules.SequenceEntry{{Tools: []string{"read"}, WithinSeconds: &five}}}), nil)
	k.say("read", "")
	k.now = k.now.Add(4 * time.Second)
	var again Evaluation
	k.ask(&again, "read", "", false)
	again.GiveBack(k.s)
	checkState(t, k.s)
	k.now = k.now.Add(time.Second)
	require.Equal(t, rules.CodeAllowed, k.say("pay", ""))

	r := rand.New(rand.NewPCG(5, 6))
	var pending [20]Evaluation
	for n := range 2000 {
		k.now = k.now.Add(time.Duration(r.IntN(2)))
		e := &pending[r.IntN(len(pending))]
		e.GiveBack(k.s) // or nothing
		k.ask(e, "read", fmt.Sprintf(`{"n":%d}`, r.IntN(10)), n%3 == 0)
	}
	for i := range pending {
		pending[i].GiveBack(k.s)
		checkState(t, k.s)
	}
}

// The oldest calls make room for new ones; then what asks about them cannot
// know, and denies. What asks about a time from which on nothing is missing
// can.
func TestHistoryOverflow(t *testing.T) {
	five := 5
	k := newTalk(t, &rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{
		{Type: rules.ToolAllowlist, Tools: []string{"*"}},
		{Type: rules.Sequenced, Tools: []string{"pay"}, Sequence: &rules.Sequence{BlockedBy: toolEntry("read")}},
		{Type: rules.Sequenced, Tools: []string{"pay.soon"}, Sequence: &rules.Sequence{BlockedBy: []rules.SequenceEntry{{Tools: []string{"read"}, WithinSeconds: &five}}}},
		{Type: rules.Sequenced, Tools: []string{"send"}, Sequence: &rules.Sequence{Requires: toolEntry("check")}},
	}}}}, nil)
	k.say("read", "")
	k.say("check", "")
	require.Equal(t, rules.CodeAllowed, k.say("send", ""))
	for i := range 1000 {
		require.Equal(t, rules.CodeAllowed, k.say("look", fmt.Sprintf(`{"n":%d}`, i)))
	}
	h := &k.s.sessions.open[string(sessionKey(nil, "", "s"))].history
	require.LessOrEqual(t, len(h.events), maxEvents)
	require.True(t, h.some)
	require.Equal(t, rules.CodeSessionUnknown, k.say("pay", ""))
	require.Equal(t, rules.CodeSessionUnknown, k.say("send", ""))
	require.Equal(t, rules.CodeSessionUnknown, k.say("pay.soon", ""))
	k.now = k.now.Add(5 * time.Second)
	require.Equal(t, rules.CodeAllowed, k.say("pay.soon", ""))
	k.say("check", "")
	require.Equal(t, rules.CodeAllowed, k.say("send", ""), "a required call that is known is enough")
	require.Equal(t, rules.CodeSessionUnknown, k.say("pay", ""))
}

// Where there is no memory for another history, the sessions that go on know
// that something is missing, and those that end give theirs back.
func TestHistoryBytes(t *testing.T) {
	k := newTalk(t, sequencedSet(&rules.Sequence{BlockedBy: toolEntry("read")}), &StateOptions{MaxHistoryBytesPerProject: 10 * (eventBytes + 20)})
	for i := range 9 {
		k.say("look", fmt.Sprintf(`{"n":%d}`, i))
	}
	require.NoError(t, k.s.OpenSession("", "other", k.now))
	ask := func(tool string) rules.Code {
		var e Evaluation
		k.p.Decide(&e, &rules.Call{AgentID: "bot", Session: "other", Tool: tool}, k.now)
		return e.Settle(k.s).Cause().Code
	}
	for _, tool := range []string{"a", "b", "c", "read"} {
		require.Equal(t, rules.CodeAllowed, ask(tool))
	}
	require.Equal(t, rules.CodeSessionUnknown, ask("pay"))
	checkState(t, k.s)
	k.s.EndSession("", "s")
	k.s.EndSession("", "other")
	require.Zero(t, k.s.sessions.bytes)
	require.NoError(t, k.s.OpenSession("", "other", k.now))
	require.Equal(t, rules.CodeAllowed, ask("pay"))
}

// A session is forgotten after a day without a decision about it, and not
// before; decisions keep it, opening it again does not; a clock that is set
// back does not make it younger.
func TestIdleSession(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name  string
		after []time.Duration // from one decision to the next
		known bool
	}{
		{"a day less a little", []time.Duration{day - 1}, true},
		{"a day", []time.Duration{day}, false},
		{"every half day", []time.Duration{day / 2, day / 2, day / 2, day / 2}, true},
		{"set back", []time.Duration{-10 * day, 10*day + day - 1}, true},
		{"set back, and a day", []time.Duration{-10 * day, 11 * day}, false},
	} {
		k := newTalk(t, sequencedSet(&rules.Sequence{BlockedBy: toolEntry("read")}), nil)
		var code rules.Code
		for _, after := range c.after {
			k.now = k.now.Add(after)
			code = k.say("pay", "")
		}
		want := rules.CodeSessionUnknown
		if c.known {
			want = rules.CodeAllowed
		}
		require.Equal(t, want, code, c.name)
		require.NoError(t, k.s.OpenSession("", "s", k.now))
		require.Equal(t, rules.CodeAllowed, k.say("pay", ""), c.name)
	}
	k := newTalk(t, sequencedSet(&rules.Sequence{BlockedBy: toolEntry("read")}), nil)
	k.now = k.now.Add(day / 2)
	require.NoError(t, k.s.OpenSession("", "s", k.now), "which changes nothing")
	k.now = k.now.Add(day / 2)
	require.Equal(t, rules.CodeSessionUnknown, k.say("pay", ""))
	// It is forgotten with all that was counted in it, and only then.
	k = newTalk(t, everyMeter(), nil)
	ask := func() rules.Code { return k.say("look", `{"k":1,"to":"a","amount":1}`) }
	for range 3 {
		require.Equal(t, rules.CodeAllowed, ask())
	}
	used := func() string {
		var e Evaluation
		k.p.Decide(&e, &rules.Call{AgentID: "bot", Session: "s", Tool: "look", Parameters: json.RawMessage(`{"k":1,"to":"a","amount":1}`)}, k.now)
		for _, u := range e.Usage(k.s) {
			if u.RuleID == "budget[1]" {
				return u.Used
			}
		}
		return ""
	}
	require.Equal(t, "0.75", used())
	k.now = k.now.Add(day - 1)
	require.NoError(t, k.s.OpenSession("", "s", k.now))
	require.Equal(t, "0.75", used(), "it was open")
	k.now = k.now.Add(day)
	require.NoError(t, k.s.OpenSession("", "s", k.now))
	require.Equal(t, "0", used())
	checkState(t, k.s)
}

// There is room for so many sessions, and the idle ones make room.
func TestManySessions(t *testing.T) {
	s := NewState(&StateOptions{MaxSessions: 100})
	now := wallStart
	for i := range 100 {
		require.NoError(t, s.OpenSession("", fmt.Sprint(i), now))
		now = now.Add(time.Second)
	}
	for range 10 {
		require.ErrorIs(t, s.OpenSession("", "more", now), ErrTooManySessions)
		require.NoError(t, s.OpenSession("", "7", now), "it is open")
	}
	s.EndSession("", "50")
	require.NoError(t, s.OpenSession("", "more", now))
	now = wallStart.Add(25 * time.Hour)
	for i := range 100 {
		require.NoError(t, s.OpenSession("", fmt.Sprint("new-", i), now))
	}
	require.Len(t, s.sessions.open, 100)
	checkState(t, s)
}

// Sessions that begin and end and are used at once: nothing locks up, and
// nothing is left over.
func TestSessionStorm(t *testing.T) {
	s := NewState(&StateOptions{MaxSessions: 5, SessionIdle: time.Minute})
	p := compiled(t, everyMeter())
	clock := &jumpyClock{start: wallStart, step: 20e6, far: 90e9}
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(g)))
			var e Evaluation
			for range 500 {
				call, now := anyCall(r), clock.next(r)
				switch r.IntN(6) {
				case 0:
					_ = s.OpenSession(call.Project, call.Session, now)
				case 1:
					s.EndSession(call.Project, call.Session)
				case 2:
					p.Decide(&e, &call, now)
					e.Usage(s)
				case 3:
					p.Decide(&e, &call, now)
					e.Guarded()
					e.Settle(s)
					h := e.Hold()
					s.Correct(h, now, "", "", "0.5")
					s.Succeeded(h)
				default:
					p.Decide(&e, &call, now)
					e.Settle(s)
					if r.IntN(3) == 0 {
						e.GiveBack(s)
					}
				}
			}
		})
	}
	wg.Wait()
	checkState(t, s)
}

// Calls that differ in the order of their members, or in the form of a number,
// are one.
func TestEqualCallsAreOne(t *testing.T) {
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.Sequenced, Sequence: &rules.Sequence{BlockedBy: []rules.SequenceEntry{{Tools: []string{"never"}}}}}
	}))
	s := NewState(nil)
	require.NoError(t, s.OpenSession("", "s", wallStart))
	for i := range 50 {
		var e Evaluation
		var params any = map[string]any{"a": 1, "b": map[string]any{"c": 2.0, "d": 3, "e": 4}, "f": []any{1, 2}}
		if i%2 == 0 {
			params = json.RawMessage(`{"f":[1,2e0],"b":{"e":4,"d":3,"c":2},"a":1.0}`)
		}
		p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t0", Session: "s", Parameters: params}, wallStart)
		require.Equal(t, rules.CodeAllowed, e.Settle(s).Cause().Code)
	}
	for _, ses := range s.sessions.open {
		require.Len(t, ses.history.events, 1)
	}
}
