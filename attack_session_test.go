package veto_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

func budget(b rules.Budget, tools ...string) rules.Rule {
	return rules.Rule{Type: rules.Budgeted, Tools: tools, Budget: &b}
}

func sequence(q rules.Sequence, tools ...string) rules.Rule {
	return rules.Rule{Type: rules.Sequenced, Tools: tools, Sequence: &q}
}

func entries(tools ...string) []rules.SequenceEntry { return []rules.SequenceEntry{{Tools: tools}} }

// inSession returns an Authorizer with the session "s" open.
func inSession(t testing.TB, set *veto.PolicySet, opts *veto.Options) *veto.Authorizer {
	a := newAuthorizer(t, set, opts)
	require.NoError(t, a.OpenSession(ctx, "", "s"))
	return a
}

// say decides a call of the session "s".
func say(a *veto.Authorizer, tool string, params any) rules.Code {
	r, _ := a.Decide(ctx, veto.Call{AgentID: "bot", Session: "s", Tool: tool, Parameters: params})
	return r.Code
}

// storm makes calls from 64 goroutines, and returns how many were allowed.
func storm(calls int, allowed func(goroutine, i int) bool) int {
	var n atomic.Int64
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			for i := range calls {
				if allowed(g, i) {
					n.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return int(n.Load())
}

// 64 goroutines on one budget spend exactly what it permits, in a window and
// in a session; what is denied later takes nothing.
func TestAttack_D1_ConcurrentBudget(t *testing.T) {
	for name, b := range map[string]rules.Budget{
		"amounts":            {Parameter: "amount", Max: number("10"), WindowSeconds: 3600},
		"amounts, session":   {Parameter: "amount", Max: number("10"), PerSession: true},
		"costs":              {Cost: number("0.1"), Max: number("10"), WindowSeconds: 3600},
		"costs, session":     {Cost: number("0.1"), Max: number("10"), PerSession: true},
		"values":             {Distinct: "to", Max: number("100"), WindowSeconds: 3600},
		"values, in session": {Distinct: "to", Max: number("100"), PerSession: true},
	} {
		a := inSession(t, set(allowlist("pay"), denylist("bad"), budget(b)), nil)
		n := storm(20, func(g, i int) bool {
			say(a, "bad", map[string]any{"amount": 0.1, "to": -i})
			return say(a, "pay", map[string]any{"amount": json.Number("0.10"), "to": g*100 + i}) == rules.CodeAllowed
		})
		require.Equal(t, 100, n, name)
	}
}

// The session constraints of a tool policy hold under concurrency as well.
func TestAttack_D1_ConcurrentSessionConstraints(t *testing.T) {
	five := 5
	a := inSession(t, &veto.PolicySet{ToolPolicies: []rules.ToolPolicy{{ToolName: "pay", Mode: "deterministic",
		SessionConstraints: &rules.SessionConstraints{MaxCalls: &five}}}}, nil)
	require.Equal(t, 5, storm(10, func(int, int) bool { return say(a, "pay", nil) == rules.CodeAllowed }))
	three := 3
	a = inSession(t, &veto.PolicySet{
		Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{allowlist("*")}}},
		ToolPolicies: []rules.ToolPolicy{{ToolName: "draw", Mode: "deterministic", SessionConstraints: &rules.SessionConstraints{
			Counters: map[string]rules.SessionCounter{"open": {Increment: []string{"draw"}, Decrement: []string{"return"}, Max: &three}},
		}}},
	}, nil)
	require.Equal(t, 3, storm(10, func(int, int) bool { return say(a, "draw", nil) == rules.CodeAllowed }))
	require.Equal(t, rules.CodeAllowed, say(a, "return", nil))
	require.Equal(t, 1, storm(10, func(int, int) bool { return say(a, "draw", nil) == rules.CodeAllowed }))
}

// Two tools that exclude each other: whoever is first, never both.
func TestAttack_D1_MutualExclusion(t *testing.T) {
	for round := range 30 {
		a := inSession(t, set(allowlist("a", "b"),
			sequence(rules.Sequence{BlockedBy: entries("b")}, "a"),
			sequence(rules.Sequence{BlockedBy: entries("a")}, "b")), nil)
		var allowed [2]atomic.Int64
		storm(2, func(g, _ int) bool {
			which := (g + round) % 2
			if say(a, []string{"a", "b"}[which], nil) == rules.CodeAllowed {
				allowed[which].Add(1)
			}
			return false
		})
		x, y := allowed[0].Load(), allowed[1].Load()
		require.True(t, (x == 0) != (y == 0), "a %d times, and b %d times", x, y)
	}
}

// A clock that is set back, or ten years forward and back, frees no budget and
// unblocks no call.
func TestAttack_D2_ClockOfBudgetsAndSessions(t *testing.T) {
	const years = 87600 * time.Hour
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, jumps := range map[string][]time.Duration{
		"back":              {0, -time.Hour, -30 * time.Minute, 0, 59 * time.Second},
		"forward, and back": {0, years, 0, time.Second, years, 0},
		"forward by little": {0, 59 * time.Second, 0, 119 * time.Second, 60 * time.Second},
	} {
		for kind, b := range map[string]rules.Budget{
			"sum":    {Parameter: "amount", Max: number("2"), WindowSeconds: 60},
			"values": {Distinct: "to", Max: number("2"), WindowSeconds: 60},
		} {
			var now time.Time
			a := newAuthorizer(t, set(allowlist("pay"), budget(b)), &veto.Options{Now: func() time.Time { return now }})
			var times []time.Duration
			latest := time.Duration(math.MinInt64)
			for i, j := range jumps {
				now, latest = start.Add(j), max(latest, j)
				for k := range 4 {
					if _, err := a.Authorize(ctx, "bot", "pay", map[string]any{"amount": 1, "to": i*10 + k}); err == nil {
						times = append(times, latest)
					}
				}
			}
			require.GreaterOrEqual(t, len(times), 2)
			for i := 2; i < len(times); i++ {
				require.GreaterOrEqual(t, times[i]-times[i-2], time.Minute, "%s, %s: %v", kind, name, times)
			}
		}
		// In a session nothing becomes free, and no call is forgotten without
		// the session being unknown.
		now := start
		a := inSession(t, set(allowlist("pay", "read"), budget(rules.Budget{Cost: number("1"), Max: number("2"), PerSession: true}, "pay"),
			sequence(rules.Sequence{BlockedBy: []rules.SequenceEntry{{Tools: []string{"read"}}}}, "pay.after")), &veto.Options{Now: func() time.Time { return now }})
		say(a, "read", nil)
		paid := 0
		for _, j := range jumps {
			now = start.Add(j)
			for range 3 {
				if say(a, "pay", nil) == rules.CodeAllowed {
					paid++
				}
			}
			require.NotEqual(t, rules.CodeAllowed, say(a, "pay.after", nil), name)
		}
		require.Equal(t, 2, paid, name)
	}
}

// What a session rule forgot denies: after a restart without the state, in a
// session that was idle, that has ended, or that found no room.
func TestAttack_D5a_ForgottenSession(t *testing.T) {
	two := 2
	rulesOfSessions := map[string]*veto.PolicySet{
		"blocked by": set(allowlist("*"), sequence(rules.Sequence{BlockedBy: entries("read")}, "pay")),
		"requires":   set(allowlist("*"), sequence(rules.Sequence{Requires: entries("check")}, "pay")),
		"budget":     set(allowlist("*"), budget(rules.Budget{Cost: number("1"), Max: number("5"), PerSession: true}, "pay")),
		"values":     set(allowlist("*"), budget(rules.Budget{Distinct: "to", Max: number("5"), PerSession: true}, "pay")),
		"limit": set(allowlist("*"), rules.Rule{Type: rules.RateLimited, Tools: []string{"pay"},
			RateLimit: &rules.RateLimit{MaxCalls: 5, WindowSeconds: 60, Per: []string{"session"}}}),
		"tool policy": {ToolPolicies: []rules.ToolPolicy{{ToolName: "pay", Mode: "deterministic", SessionConstraints: &rules.SessionConstraints{MaxCalls: &two}}},
			Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{allowlist("*")}}}},
	}
	params := map[string]any{"to": "ann"}
	for name, set := range rulesOfSessions {
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		now := start
		opts := &veto.Options{Now: func() time.Time { return now }}
		a := newAuthorizer(t, set, opts)
		require.Equal(t, rules.CodeSessionUnknown, say(a, "pay", params), "%s: never opened", name)
		require.NoError(t, a.OpenSession(ctx, "", "s"))
		say(a, "check", nil)
		require.Equal(t, rules.CodeAllowed, say(a, "pay", params), name)

		now = start.Add(24 * time.Hour)
		require.Equal(t, rules.CodeSessionUnknown, say(a, "pay", params), "%s: idle", name)
		require.Equal(t, rules.CodeAllowed, say(a, "check", nil), "%s: no rule asks", name)
		now = start
		require.NoError(t, a.EndSession(ctx, "", "s"))
		require.Equal(t, rules.CodeSessionUnknown, say(a, "pay", params), "%s: ended", name)

		restarted := newAuthorizer(t, set, opts)
		require.Equal(t, rules.CodeSessionUnknown, say(restarted, "pay", params), "%s: restarted", name)

		full := newAuthorizer(t, set, &veto.Options{State: evaluator.NewState(&evaluator.StateOptions{MaxSessions: 1})})
		require.NoError(t, full.OpenSession(ctx, "", "another"))
		require.ErrorIs(t, full.OpenSession(ctx, "", "s"), evaluator.ErrTooManySessions)
		require.Equal(t, rules.CodeSessionUnknown, say(full, "pay", params), "%s: no room", name)
	}
}

// More different calls than a session remembers: what may have been among the
// forgotten ones blocks.
func TestAttack_D5a_HistoryOverflow(t *testing.T) {
	a := inSession(t, set(allowlist("*"), sequence(rules.Sequence{BlockedBy: entries("read_secret")}, "send")), nil)
	require.Equal(t, rules.CodeAllowed, say(a, "read_secret", nil))
	require.Equal(t, rules.CodeSequenceViolated, say(a, "send", nil))
	for i := range 1000 {
		require.Equal(t, rules.CodeAllowed, say(a, "look", map[string]any{"n": i}))
		require.NotEqual(t, rules.CodeAllowed, say(a, "send", nil))
	}
	require.Equal(t, rules.CodeSessionUnknown, say(a, "send", nil))
}

// Lowering a budget in an incident does not refill it, nor does raising it
// later give more than the difference; to write it down anew does.
func TestAttack_D5a_LowerBudget(t *testing.T) {
	for _, b := range []rules.Budget{
		{Cost: number("1"), WindowSeconds: 3600}, {Cost: number("1"), PerSession: true},
		{Distinct: "to", WindowSeconds: 3600}, {Distinct: "to", PerSession: true},
	} {
		with := func(most string) *veto.PolicySet {
			x := b
			x.Max = number(most)
			return set(allowlist("pay"), budget(x))
		}
		a := inSession(t, with("5"), nil)
		n := 0
		spend := func() (allowed int) {
			for range 20 {
				n++
				if say(a, "pay", map[string]any{"to": n}) == rules.CodeAllowed {
					allowed++
				}
			}
			return allowed
		}
		require.Equal(t, 5, spend())
		for _, step := range []struct {
			most string
			want int
		}{{"2", 0}, {"5", 0}, {"1", 0}, {"7", 2}, {"3", 0}, {"8", 1}} {
			require.NoError(t, a.SetPolicies(with(step.most)))
			require.Equal(t, step.want, spend(), "%+v, at most %s", b, step.most)
		}
	}
}

// An agent that makes up keys, values and calls uses up its own room, and not
// that of another.
func TestAttack_D5a_OneAgentStarvesNobody(t *testing.T) {
	per := []string{"agent", "param:k"}
	limited := rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 2, WindowSeconds: 3600, Per: per}}
	for name, r := range map[string]rules.Rule{
		"limit":          limited,
		"budget":         budget(rules.Budget{Cost: number("1"), Max: number("2"), WindowSeconds: 3600, Per: per}),
		"session budget": budget(rules.Budget{Cost: number("1"), Max: number("2"), PerSession: true, Per: per}),
		"values":         budget(rules.Budget{Distinct: "k", Max: number("1000000"), WindowSeconds: 3600}),
		"session values": budget(rules.Budget{Distinct: "k", Max: number("1000000"), PerSession: true}),
	} {
		a := inSession(t, set(allowlist("t"), r), &veto.Options{State: evaluator.NewState(&evaluator.StateOptions{MaxKeys: 1000, MaxKeysPerAgent: 100})})
		ask := func(agent string, k int) rules.Code {
			r, _ := a.Decide(ctx, veto.Call{AgentID: agent, Session: "s", Tool: "t", Parameters: map[string]any{"k": k}})
			return r.Code
		}
		require.Equal(t, rules.CodeAllowed, ask("victim", 1), name)
		allowed := 0
		for k := range 2000 {
			switch code := ask("attacker", k); code {
			case rules.CodeAllowed:
				allowed++
			default:
				require.Equal(t, rules.CodeLimitsUnavailable, code, name)
			}
		}
		require.Equal(t, 100, allowed, name)
		require.Equal(t, rules.CodeAllowed, ask("victim", 1), name)
		require.Equal(t, rules.CodeAllowed, ask("victim", 2), name)
		require.Equal(t, rules.CodeAllowed, ask("third", 1), name)
	}
}

// No two calls share a counter, a budget, a session or a history unless every
// part of their keys is the same: parts are preceded by their lengths.
// (OpenFGA CVE-2026-48096, SpiceDB CVE-2026-46668)
func TestAttack_C4_SessionsAndBudgets(t *testing.T) {
	one := 1
	policies := &veto.PolicySet{
		Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{
			allowlist("*"),
			budget(rules.Budget{Cost: number("1"), Max: number("1"), WindowSeconds: 60, Per: []string{"agent", "session", "user", "param:k"}}, "budget"),
			budget(rules.Budget{Cost: number("1"), Max: number("1"), PerSession: true, Per: []string{"agent", "user", "param:k"}}, "session"),
			budget(rules.Budget{Distinct: "v", Max: number("1"), WindowSeconds: 60, Per: []string{"agent", "session", "user", "param:k"}}, "values"),
		}}},
		ToolPolicies: []rules.ToolPolicy{{ToolName: "counted", Mode: "deterministic", SessionConstraints: &rules.SessionConstraints{MaxCalls: &one}}},
	}
	calls := []veto.Call{
		{Project: "p", Session: "s", AgentID: "ab", User: "c"},
		{Project: "ps", Session: "s", AgentID: "ab", User: "c"},
		{Project: "p", Session: "ss", AgentID: "ab", User: "c"},
		{Project: "", Session: "ps", AgentID: "ab", User: "c"},
		{Project: "p", Session: "\x20s", AgentID: "ab", User: "c"},
		{Project: "p\x201", Session: "s", AgentID: "ab", User: "c"},
		{Project: "p", Session: "1s", AgentID: "ab", User: "c"},
		{Project: "p1", Session: "s", AgentID: "a", User: "bc"},
		{Project: "p/s", Session: "x", AgentID: "a", User: "bc"},
		{Project: "p", Session: "s/x", AgentID: "a", User: "bc"},
	}
	for _, tool := range []string{"budget", "session", "values", "counted"} {
		a := newAuthorizer(t, policies, nil)
		ask := func(c veto.Call, i int) rules.Code {
			c.Tool, c.Parameters = tool, map[string]any{"k": "x", "v": i}
			r, _ := a.Decide(ctx, c)
			return r.Code
		}
		for i, c := range calls {
			require.NoError(t, a.OpenSession(ctx, c.Project, c.Session))
			require.Equal(t, rules.CodeAllowed, ask(c, i), "%s %+v", tool, c)
		}
		for i, c := range calls {
			require.Equal(t, rules.CodeBudgetExceeded, ask(c, -1-i), "%s %+v", tool, c)
		}
	}
	// Within one session: agent, user and parameter are parts of their own.
	for _, tool := range []string{"budget", "session"} {
		a := newAuthorizer(t, policies, nil)
		require.NoError(t, a.OpenSession(ctx, "p", "s"))
		for _, c := range [][3]any{{"a", "bc", "d"}, {"ab", "c", "d"}, {"a", "b", "cd"}, {"a", "b", 1}, {"a", "b", "1"}, {"a", "b", true}, {"a", "b", "true"}, {"a", "b\x201", "d"}} {
			call := veto.Call{AgentID: c[0].(string), User: c[1].(string), Project: "p", Session: "s", Tool: tool, Parameters: map[string]any{"k": c[2], "v": 1}}
			_, err := a.Decide(ctx, call)
			require.NoError(t, err, "%s %v", tool, c)
			_, err = a.Decide(ctx, call)
			require.ErrorIs(t, err, veto.ErrDenied, "%s %v", tool, c)
		}
	}
	// A session that ends takes no other with it.
	a := newAuthorizer(t, policies, nil)
	for _, c := range calls {
		require.NoError(t, a.OpenSession(ctx, c.Project, c.Session))
	}
	require.NoError(t, a.EndSession(ctx, calls[0].Project, calls[0].Session))
	for i, c := range calls {
		c.Tool = "counted"
		r, _ := a.Decide(ctx, c)
		require.Equal(t, i == 0, r.Code == rules.CodeSessionUnknown, "%+v", c)
	}
}

// The history of one session is not that of a session whose name looks alike.
func TestAttack_C4_Histories(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("*"), sequence(rules.Sequence{BlockedBy: entries("read")}, "send")), nil)
	sessions := [][2]string{{"p", "s"}, {"ps", "s"}, {"p", "ss"}, {"", "ps"}, {"p", "1s"}, {"p1", "s"}}
	ask := func(i int, tool string) rules.Code {
		r, _ := a.Decide(ctx, veto.Call{Project: sessions[i][0], Session: sessions[i][1], AgentID: "bot", Tool: tool})
		return r.Code
	}
	for i, s := range sessions {
		require.NoError(t, a.OpenSession(ctx, s[0], s[1]))
		require.Equal(t, rules.CodeAllowed, ask(i, "send"))
	}
	for i := range sessions {
		require.Equal(t, rules.CodeAllowed, ask(i, "read"))
		require.Equal(t, rules.CodeSequenceViolated, ask(i, "send"))
		if i+1 < len(sessions) {
			require.Equal(t, rules.CodeAllowed, ask(i+1, "send"))
		}
	}
}

// A call without a session, where a rule speaks of sessions, is denied as one
// of an unknown session; ids that are none open no session.
func TestAttack_C5_EmptySession(t *testing.T) {
	for name, r := range map[string]rules.Rule{
		"sequence": sequence(rules.Sequence{BlockedBy: entries("read")}),
		"budget":   budget(rules.Budget{Cost: number("1"), Max: number("5"), PerSession: true}),
		"limit":    {Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 5, WindowSeconds: 60, Per: []string{"session"}}},
		"soft":     {Type: rules.Sequenced, OnViolation: rules.EscalateOnViolation, Sequence: &rules.Sequence{Requires: entries("t")}},
	} {
		a := inSession(t, set(allowlist("*"), r), nil)
		for _, session := range []string{"", "S", "s ", "t"} {
			r, err := a.Decide(ctx, veto.Call{AgentID: "bot", Session: session, Tool: "t"})
			require.Equal(t, rules.CodeSessionUnknown, r.Code, "%s %q", name, session)
			require.ErrorIs(t, err, veto.ErrDenied)
			require.Equal(t, "The session of this call is not known", r.Reason.String())
		}
		r, _ := a.Decide(ctx, veto.Call{AgentID: "", Session: "s", Tool: "t"})
		require.Equal(t, rules.CodeInvalidRequest, r.Code)
	}
	a := newAuthorizer(t, set(allowlist("*")), nil)
	for _, id := range []string{"", "a\x00", "a\n", strings.Repeat("a", 256), "\xff"} {
		require.Error(t, a.OpenSession(ctx, "", id), "%q", id)
		if id != "" {
			require.Error(t, a.OpenSession(ctx, id, "s"), "%q", id)
		}
	}
}

// Sessions are the host's: what the arguments or the context values call a
// session, an agent or a user opens, names and counts nothing.
func TestAttack_C3_SessionFromArguments(t *testing.T) {
	a := inSession(t, set(allowlist("*"),
		budget(rules.Budget{Cost: number("1"), Max: number("2"), PerSession: true}, "pay"),
		sequence(rules.Sequence{Requires: entries("check")}, "send")), nil)
	claims := map[string]any{"session": "s", "session_id": "s", "sessionId": "s", "agent_id": "admin", "agent": "admin", "user": "root", "project": "x"}
	for range 3 {
		r, _ := a.Decide(ctx, veto.Call{AgentID: "bot", Tool: "pay", Parameters: claims, Context: claims})
		require.Equal(t, rules.CodeSessionUnknown, r.Code)
	}
	require.Equal(t, rules.CodeAllowed, say(a, "check", nil))
	r, _ := a.Decide(ctx, veto.Call{AgentID: "bot", Tool: "send", Parameters: claims})
	require.Equal(t, rules.CodeSessionUnknown, r.Code)
	for i := range 4 { // another name each time is not another budget
		claims["session"], claims["agent_id"] = fmt.Sprint(i), fmt.Sprint(i)
		require.Equal(t, i < 2, say(a, "pay", claims) == rules.CodeAllowed)
	}
}
