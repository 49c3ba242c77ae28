package veto_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

func number(s string) *json.Number { n := json.Number(s); return &n }

func constraint(tools []string, parameters map[string]rules.Constraint) rules.Rule {
	return rules.Rule{Type: rules.ParameterConstraint, Tools: tools, Parameters: parameters}
}

// A limit on an amount holds whatever is put in the amount's place. A peer
// skips a forbid whose condition errs (cedar-policy/cedar#2428), and then a
// missing amount is allowed.
func TestAttack_A1_MissingOrMistypedArgument(t *testing.T) {
	a := newAuthorizer(t, set(
		allowlist("pay"),
		constraint([]string{"pay"}, map[string]rules.Constraint{"amount": {Max: number("100")}}),
	), nil)
	params := func(v any) any { return map[string]any{"amount": v} }
	for name, p := range map[string]any{
		"no parameters": nil, "missing": map[string]any{}, "other case": map[string]any{"Amount": 5},
		"null": params(nil), "text": params("500"), "small text": params("5"), "array": params([]any{500}),
		"small array": params([]any{5}), "object": params(map[string]any{}), "true": params(true),
		"NaN": params(math.NaN()), "+Inf": params(math.Inf(1)), "-Inf": params(math.Inf(-1)),
		"float32 NaN": params(float32(math.NaN())),
		"json.Number": params(json.Number("500")), "json.Number text": params(json.Number("five")),
		"json.Number NaN": params(json.Number("NaN")), "int32": params(int32(500)), "uint64": params(uint64(math.MaxUint64)),
		"big.Int": params(new(big.Int).Exp(big.NewInt(10), big.NewInt(40), nil)), "just over": params(100.00000000000001),
		"raw text": json.RawMessage(`{"amount":"5"}`), "raw over": json.RawMessage(`{"amount":1e400}`),
		"func": params(func() {}), "nil pointer": params((*int)(nil)),
	} {
		r, err := a.Authorize(ctx, "bot", "pay", p)
		require.False(t, r.Allowed, name)
		require.Error(t, err, name)
	}
	for name, p := range map[string]any{
		"int": params(100), "float": params(99.5), "int32": params(int32(5)), "uint8": params(uint8(5)),
		"number": params(json.Number("1e2")), "raw": json.RawMessage(`{"amount":100.0}`), "big": params(big.NewInt(7)),
	} {
		_, err := a.Authorize(ctx, "bot", "pay", p)
		require.NoError(t, err, name)
	}
}

// Numbers keep their digits: a float64 cannot tell 2^53 from 2^53+1.
func TestAttack_A2_ExactNumbers(t *testing.T) {
	a := newAuthorizer(t, set(constraint([]string{"pay"}, map[string]rules.Constraint{"n": {Max: number("9007199254740992")}})), nil)
	for text, want := range map[string]bool{
		"9007199254740992": true, "9007199254740993": false, "9007199254740992.0": true, "9007199254740992.1": false,
		"1e400": false, "-0": true, "1e2": true, "99999999999999999999": false, "-99999999999999999999": true,
	} {
		r, _ := a.Authorize(ctx, "bot", "pay", json.RawMessage(`{"n":`+text+`}`))
		require.Equal(t, want, r.Allowed, text)
	}
	for v, want := range map[any]bool{int64(9007199254740993): false, uint64(9007199254740993): false, int64(9007199254740992): true} {
		r, _ := a.Authorize(ctx, "bot", "pay", map[string]any{"n": v})
		require.Equal(t, want, r.Allowed, v)
	}
}

// A number is the same number in every Go and JSON kind, and never its text.
func TestAttack_A3_EnumAcrossKinds(t *testing.T) {
	a := newAuthorizer(t, set(constraint([]string{"t"}, map[string]rules.Constraint{
		"level": {Enum: []rules.Scalar{{Value: json.Number("1")}, {Value: json.Number("2.50")}}},
	})), nil)
	for _, c := range []struct {
		v    any
		want bool
	}{
		{1, true}, {1.0, true}, {json.Number("1.0"), true}, {uint8(1), true}, {json.Number("25e-1"), true}, {float32(2.5), true},
		{"1", false}, {true, false}, {3, false}, {1.0000001, false},
	} {
		r, _ := a.Authorize(ctx, "bot", "t", map[string]any{"level": c.v})
		require.Equal(t, c.want, r.Allowed, "%T %v", c.v, c.v)
	}
}

// An allow whose constrained argument is absent does not allow; the empty
// string, the missing key and null are three things.
func TestAttack_A4_AbsentIsNotEmpty(t *testing.T) {
	regex := "^[a-z]*$"
	for _, c := range []struct {
		constraint rules.Constraint
		params     string
		want       bool
	}{
		{rules.Constraint{Regex: &regex}, `{}`, false},
		{rules.Constraint{Regex: &regex}, `{"to":null}`, false},
		{rules.Constraint{Regex: &regex}, `{"to":""}`, true},
		{rules.Constraint{Regex: &regex, Optional: true}, `{}`, true},
		{rules.Constraint{Regex: &regex, Optional: true}, `{"to":null}`, false},
		{rules.Constraint{Regex: &regex, Optional: true}, `{"to":5}`, false},
	} {
		a := newAuthorizer(t, set(constraint([]string{"t"}, map[string]rules.Constraint{"to": c.constraint})), nil)
		r, _ := a.Authorize(ctx, "bot", "t", json.RawMessage(c.params))
		require.Equal(t, c.want, r.Allowed, c.params)
	}
}

// Hours and days are those of the rule's zone, whatever the host's; both
// daylight-saving changes and the 29th of February are ordinary days.
func TestAttack_A9_TimeWindows(t *testing.T) {
	for _, c := range []struct {
		name  string
		hours []int
		days  []int
		zone  string
		at    string
		want  bool
	}{
		{"night, before midnight", []int{22, 23, 0, 1}, nil, "", "2026-03-01T23:59:59Z", true},
		{"night, after midnight", []int{22, 23, 0, 1}, nil, "", "2026-03-02T01:59:59Z", true},
		{"night over", []int{22, 23, 0, 1}, nil, "", "2026-03-02T02:00:00Z", false},
		{"host zone does not count", []int{9}, nil, "", "2026-03-02T09:30:00+05:00", false},
		{"zone", []int{9}, nil, "America/New_York", "2026-01-15T14:30:00Z", true},
		{"zone in summer", []int{9}, nil, "America/New_York", "2026-07-15T13:30:00Z", true},
		{"spring forward, before", []int{1}, nil, "America/New_York", "2026-03-08T06:59:59Z", true},
		{"spring forward, the hour that is not", []int{2}, nil, "America/New_York", "2026-03-08T07:00:00Z", false},
		{"spring forward, after", []int{3}, nil, "America/New_York", "2026-03-08T07:00:00Z", true},
		{"fall back, first time", []int{1}, nil, "America/New_York", "2026-11-01T05:30:00Z", true},
		{"fall back, second time", []int{1}, nil, "America/New_York", "2026-11-01T06:30:00Z", true},
		{"leap day", nil, []int{4}, "", "2024-02-29T12:00:00Z", true},
		{"day after leap day", nil, []int{4}, "", "2024-03-01T12:00:00Z", false},
		{"day of the zone", nil, []int{1}, "Asia/Tokyo", "2026-03-01T20:00:00Z", true},
		{"both must hold", []int{9}, []int{1}, "", "2026-03-01T09:00:00Z", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			require.NoError(t, err)
			a := newAuthorizer(t, set(allowlist("t"), rules.Rule{Type: rules.TimeBased, TimeWindow: &rules.TimeWindow{
				AllowedHours: c.hours, AllowedDays: c.days, Timezone: c.zone,
			}}), &veto.Options{Now: func() time.Time { return at }})
			r, _ := a.Authorize(ctx, "bot", "t", nil)
			require.Equal(t, c.want, r.Allowed)
			if !c.want {
				require.Equal(t, rules.CodeOutsideTimeWindow, r.Code)
			}
		})
	}
	_, err := veto.New(set(allowlist("t"), rules.Rule{Type: rules.TimeBased, TimeWindow: &rules.TimeWindow{AllowedHours: []int{9}, Timezone: "Mars/Olympus"}}), nil)
	require.ErrorContains(t, err, "Mars/Olympus")
}

// Under an allowlist of "*", a name that is not plain is refused, and a name
// in another case still meets the rules on it.
func TestAttack_C1_ToolNames(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("*"), denylist("wire_transfer")), nil)
	for _, name := range []string{
		"Wire_Transfer", "WIRE_TRANSFER", "wire_transfer ", " wire_transfer", "wire_transfer\u200b", "wire\u00a0transfer",
		"wіre_transfer" /* Cyrillic i */, "ｗire_transfer", "wire_transfe\u0301r", "wire_transfer\x00", "wire_transfer\n",
		"", strings.Repeat("a", 256), "wire_transfer\xff", "wire transfer", "wire\ttransfer", "\ufeffwire_transfer",
	} {
		r, err := a.Authorize(ctx, "bot", name, nil)
		require.Error(t, err, "%q", name)
		require.False(t, r.Allowed, "%q", name)
	}
	// What looks like a pattern or a path in a call is only a name.
	for _, name := range []string{"wire_*", "*", "a/b/wire_transfer", strings.Repeat("a", 255)} {
		_, err := a.Authorize(ctx, "bot", name, nil)
		require.NoError(t, err, "%q", name)
	}
	narrow := newAuthorizer(t, set(allowlist("wire_transfer", "file.*")), nil)
	for _, name := range []string{"wire_*", "*", "file", "FILE.read", "Wire_transfer", "file*"} {
		_, err := narrow.Authorize(ctx, "bot", name, nil)
		require.Error(t, err, "%q", name)
	}
}

// Identity is what the host says. An agent id among the arguments chooses no
// policy and no counter.
func TestAttack_C3_IdentityFromArguments(t *testing.T) {
	policies := &veto.PolicySet{Policies: []rules.Policy{
		{ID: "admin", AgentID: "admin", Rules: []rules.Rule{allowlist("*")}},
		{ID: "bot", AgentID: "bot", Rules: []rules.Rule{allowlist("read"), limit(1, 60)}},
	}}
	a := newAuthorizer(t, policies, nil)
	claim := map[string]any{"agent_id": "admin", "agentId": "admin", "agent": "admin", "project": "x"}
	_, err := a.Authorize(ctx, "bot", "delete", claim)
	require.ErrorIs(t, err, veto.ErrDenied)
	_, err = a.Authorize(ctx, "bot", "read", claim)
	require.NoError(t, err)
	claim["agent_id"] = "other"
	_, err = a.Authorize(ctx, "bot", "read", claim)
	require.ErrorIs(t, err, veto.ErrDenied)
}

// Counters are keyed by parts with their lengths, so no two identities can be
// written to share one. (OpenFGA CVE-2026-48096, SpiceDB CVE-2026-46668)
func TestAttack_C4_CompositeKeys(t *testing.T) {
	per := limit(1, 60)
	per.RateLimit.Per = []string{"agent", "user", "param:k"}
	a := newAuthorizer(t, set(allowlist("t"), per), nil)
	for _, c := range []veto.Call{
		{AgentID: "a", User: "bc", Parameters: map[string]any{"k": "d"}},
		{AgentID: "ab", User: "c", Parameters: map[string]any{"k": "d"}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": "cd"}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": 1}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": "1"}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": true}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": "true"}},
		{AgentID: "a", User: "b", Project: "p", Parameters: map[string]any{"k": "1"}},
		{AgentID: "a", User: "b", Project: "p1", Parameters: map[string]any{"k": "1"}},
	} {
		c.Tool = "t"
		_, err := a.Decide(ctx, c)
		require.NoError(t, err, "%+v", c)
		_, err = a.Decide(ctx, c)
		require.ErrorIs(t, err, veto.ErrDenied, "%+v", c)
	}
	// One number, one counter, however it is written.
	_, err := a.Decide(ctx, veto.Call{AgentID: "a", User: "b", Tool: "t", Parameters: json.RawMessage(`{"k":1.0}`)})
	require.ErrorIs(t, err, veto.ErrDenied)
}

// An identity that a rule or the host needs, and that is empty, denies.
func TestAttack_C5_EmptyIdentity(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("*")), nil)
	for _, agent := range []string{"", "*", "a\x00", "a\n", "\u0085", strings.Repeat("a", 256), "\xff"} {
		r, _ := a.Authorize(ctx, agent, "t", nil)
		require.Equal(t, rules.CodeInvalidRequest, r.Code, "%q", agent)
	}
	a = newAuthorizer(t, set(allowlist("*")), &veto.Options{RequireSession: true, RequireProject: true})
	for _, c := range []veto.Call{{}, {Session: "s"}, {Project: "p"}} {
		c.AgentID, c.Tool = "bot", "t"
		r, _ := a.Decide(ctx, c)
		require.Equal(t, rules.CodeInvalidRequest, r.Code)
	}
	_, err := a.Decide(ctx, veto.Call{AgentID: "bot", Tool: "t", Session: "s", Project: "p"})
	require.NoError(t, err)
	perUser := limit(1, 60)
	perUser.RateLimit.Per = []string{"user"}
	a = newAuthorizer(t, set(allowlist("*"), perUser), nil)
	r, _ := a.Authorize(ctx, "bot", "t", nil)
	require.Equal(t, rules.CodeEvaluationError, r.Code)
}

// 64 goroutines on one limit get exactly what it permits; a call that is
// denied, by the limit or by a later rule, takes nothing.
func TestAttack_D1_ConcurrentLimit(t *testing.T) {
	for _, maxCalls := range []int{1, 20, 32, 33, 500} {
		a := newAuthorizer(t, set(allowlist("t"), denylist("bad"), limit(maxCalls, 3600)), nil)
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for range 20 {
					if _, err := a.Authorize(ctx, "bot", "t", nil); err == nil {
						allowed.Add(1)
					}
					a.Authorize(ctx, "bot", "bad", nil)
					a.Authorize(ctx, "bot", "unknown", nil)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, maxCalls, allowed.Load())
	}
}

// A fixed window lets twice the limit through at its boundary; a rolling one
// does not.
func TestAttack_D1_BoundaryBurst(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 59, 0, time.UTC)
	a := newAuthorizer(t, set(allowlist("t"), limit(10, 60)), &veto.Options{Now: func() time.Time { return now }})
	allowed := 0
	for range 40 { // from 0:59 on, over the minute's boundary
		if _, err := a.Authorize(ctx, "bot", "t", nil); err == nil {
			allowed++
		}
		now = now.Add(100 * time.Millisecond)
	}
	require.Equal(t, 10, allowed)
	r, _ := a.Authorize(ctx, "bot", "t", nil)
	require.Equal(t, rules.CodeRateLimited, r.Code)
	require.Equal(t, 56*time.Second, r.RetryAfter) // the first call was 4 s ago
	now = now.Add(r.RetryAfter)
	_, err := a.Authorize(ctx, "bot", "t", nil)
	require.NoError(t, err)
}

// Two limits on one call are taken together or not at all.
func TestAttack_D1_AllOrNothing(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := newAuthorizer(t, set(allowlist("*"), limit(2, 60, "t"), limit(3, 60)), &veto.Options{Now: func() time.Time { return now }})
	var codes []string
	for _, tool := range []string{"t", "t", "t", "t", "u", "u"} {
		r, _ := a.Authorize(ctx, "bot", tool, nil)
		codes = append(codes, r.Code.String())
	}
	require.Equal(t, []string{"allowed", "allowed", "rate_limited", "rate_limited", "allowed", "rate_limited"}, codes)
}

// A clock that is set back, or ten years forward and back, frees nothing.
func TestAttack_D2_Clock(t *testing.T) {
	start := time.Now()
	for name, jumps := range map[string][]time.Duration{
		"back an hour":      {0, 0, -time.Hour, -time.Hour, -time.Hour},
		"back and again":    {0, 0, -time.Hour, -30 * time.Minute, 0},
		"forward, and back": {0, 87600 * time.Hour, 0, 87600 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var now time.Time
			a := newAuthorizer(t, set(allowlist("t"), limit(2, 60)), &veto.Options{Now: func() time.Time { return now }})
			var times []time.Duration
			for _, j := range jumps {
				now = start.Add(j).Round(0) // without the monotonic reading
				for range 3 {
					if _, err := a.Authorize(ctx, "bot", "t", nil); err == nil {
						times = append(times, j)
					}
				}
			}
			// Seen by a clock that never goes back, no window holds three.
			latest := time.Duration(math.MinInt64)
			for i := range times {
				latest = max(latest, times[i])
				times[i] = latest
				require.False(t, i >= 2 && times[i]-times[i-2] < time.Minute, "%v", times)
			}
		})
	}
	// With a monotonic reading the wall clock does not matter at all.
	now := time.Now()
	a := newAuthorizer(t, set(allowlist("t"), limit(2, 60)), &veto.Options{Now: func() time.Time { return now }})
	a.Authorize(ctx, "bot", "t", nil)
	a.Authorize(ctx, "bot", "t", nil)
	now = now.Add(59 * time.Second)
	_, err := a.Authorize(ctx, "bot", "t", nil)
	require.ErrorIs(t, err, veto.ErrDenied)
	now = now.Add(time.Second)
	_, err = a.Authorize(ctx, "bot", "t", nil)
	require.NoError(t, err)
}

// Ten thousand keys against a cap of a thousand: new ones are denied, the
// counters that live keep counting, another agent has its own room, and what
// has run out makes room.
func TestAttack_D3_ManyKeys(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	per := limit(1, 60)
	per.RateLimit.Per = []string{"param:k"}
	a := newAuthorizer(t, set(allowlist("*"), per), &veto.Options{
		Now:   func() time.Time { return now },
		State: evaluator.NewState(&evaluator.StateOptions{MaxKeys: 2000, MaxKeysPerAgent: 1000}),
	})
	use := func(agent string, k int) (veto.Result, error) {
		return a.Authorize(ctx, agent, "t", map[string]any{"k": k})
	}
	allowed := 0
	for k := range 10000 {
		r, err := use("bot", k)
		if err == nil {
			allowed++
			continue
		}
		require.Equal(t, rules.CodeLimitsUnavailable, r.Code)
		require.ErrorIs(t, err, veto.ErrUnavailable)
	}
	require.Equal(t, 1000, allowed)
	r, _ := use("bot", 0)
	require.Equal(t, rules.CodeRateLimited, r.Code)
	_, err := use("other", -1)
	require.NoError(t, err)
	now = now.Add(time.Minute)
	allowed = 0
	for k := range 500 {
		if _, err := use("bot", 20000+k); err == nil {
			allowed++
		}
	}
	require.Greater(t, allowed, 400)
}

// During a storm of reloads every decision is one revision's, and what that
// revision says; a reload that fails changes nothing; an empty one denies.
func TestAttack_D4_ReloadStorm(t *testing.T) {
	variants := []*veto.PolicySet{set(allowlist("a")), set(allowlist("b")), set(allowlist("a", "b"), denylist("b"))}
	says := map[string]map[string]bool{}
	for _, s := range variants {
		a := newAuthorizer(t, s, nil)
		says[a.Revision()] = map[string]bool{}
		for _, tool := range []string{"a", "b"} {
			r, _ := a.Authorize(ctx, "bot", tool, nil)
			says[a.Revision()][tool] = r.Allowed
		}
	}
	a := newAuthorizer(t, variants[0], nil)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if i%5 == 4 {
				require.Error(t, a.SetPolicies(set(rules.Rule{Type: "nonsense"})))
				continue
			}
			require.NoError(t, a.SetPolicies(variants[i%3]))
		}
	})
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for i := range 3000 {
				tool := []string{"a", "b"}[i%2]
				r, _ := a.Authorize(ctx, "bot", tool, nil)
				want, known := says[r.PolicyRevision]
				if !known || want[tool] != r.Allowed {
					t.Errorf("revision %s: %s is %v", r.PolicyRevision, tool, r.Outcome)
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	writer.Wait()

	require.NoError(t, a.SetPolicies(variants[0]))
	revision := a.Revision()
	require.Error(t, a.SetPolicies(nil))
	require.Error(t, a.SetPolicies(set(rules.Rule{Type: "nonsense"})))
	require.Equal(t, revision, a.Revision())
	require.NoError(t, a.SetPolicies(&veto.PolicySet{}))
	_, err := a.Authorize(ctx, "bot", "a", nil)
	require.ErrorIs(t, err, veto.ErrDenied)
}

// A reload does not refill a limit, also where it lowers the number.
func TestAttack_D4_ReloadKeepsCounts(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("t"), limit(3, 60)), nil)
	for range 3 {
		_, err := a.Authorize(ctx, "bot", "t", nil)
		require.NoError(t, err)
	}
	for _, maxCalls := range []int{3, 2, 1, 1000} {
		require.NoError(t, a.SetPolicies(set(allowlist("t"), limit(maxCalls, 60))))
		r, _ := a.Authorize(ctx, "bot", "t", nil)
		require.Equal(t, maxCalls == 1000, r.Allowed, maxCalls)
	}
}

// No answer depends on the order of the document.
func TestAttack_D5_PriorityTies(t *testing.T) {
	policies := []rules.Policy{
		{ID: "e", AgentID: "*", Rules: []rules.Rule{allowlist("t", "u")}},
		{ID: "c", AgentID: "bot", Rules: []rules.Rule{allowlist("*")}},
		{ID: "b", AgentID: "bot", Rules: []rules.Rule{denylist("t")}},
		{ID: "a", AgentID: "bot", Priority: 0, Rules: []rules.Rule{limit(1000000, 60)}},
		{ID: "d", AgentID: "*", Rules: []rules.Rule{denylist("t")}},
		{ID: "f", AgentID: "b*", Rules: []rules.Rule{{Type: rules.RequireApproval, Tools: []string{"u", "t"}}}},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	revision := ""
	for range 1000 {
		rng.Shuffle(len(policies), func(i, j int) { policies[i], policies[j] = policies[j], policies[i] })
		a := newAuthorizer(t, &veto.PolicySet{Policies: policies}, nil)
		for tool, want := range map[string]string{"t": "denied b", "u": "escalated f", "v": "allowed c"} {
			r, _ := a.Authorize(ctx, "bot", tool, nil)
			require.Equal(t, want, fmt.Sprint(r.Outcome, " ", r.MatchedPolicyID))
		}
		if revision == "" {
			revision = a.Revision()
		}
		require.Equal(t, revision, a.Revision())
	}
}

type badSink struct{ err error }

func (s badSink) Record(context.Context, *audit.Record) error {
	if s.err == nil {
		panic("sink")
	}
	return s.err
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("marshal") }

// A panic in a sink or in the caller's values denies, and the process lives.
// What a refused record had taken is given back.
func TestAttack_G8_Panics(t *testing.T) {
	for _, sink := range []badSink{{}, {errors.New("disk full")}} {
		state := evaluator.NewState(nil)
		a := newAuthorizer(t, set(allowlist("t"), limit(1, 60)), &veto.Options{Sink: sink, State: state})
		for range 3 {
			r, err := a.Authorize(ctx, "bot", "t", nil)
			require.Equal(t, rules.CodeAuditFailed, r.Code)
			require.False(t, r.Allowed)
			require.ErrorIs(t, err, veto.ErrUnavailable)
			require.ErrorIs(t, err, veto.ErrDenied)
		}
		a = newAuthorizer(t, set(allowlist("t"), limit(1, 60)), &veto.Options{State: state})
		_, err := a.Authorize(ctx, "bot", "t", nil)
		require.NoError(t, err, "the failed records gave their calls back")
	}
	a := newAuthorizer(t, set(allowlist("t")), nil)
	r, _ := a.Authorize(ctx, "bot", "t", map[string]any{"v": panics{}})
	require.Equal(t, rules.CodeInvalidRequest, r.Code)
}

// Zero values, nil receivers, nil and cancelled contexts deny.
func TestAttack_G9_ZeroAndNil(t *testing.T) {
	var none *veto.Authorizer
	for name, a := range map[string]*veto.Authorizer{"nil": none, "zero": {}, "default": veto.Default()} {
		r, err := a.Authorize(ctx, "bot", "t", nil)
		require.Equal(t, rules.CodePoliciesUnavailable, r.Code, name)
		require.ErrorIs(t, err, veto.ErrUnavailable, name)
		require.False(t, a.Explain(ctx, veto.Call{AgentID: "bot", Tool: "t"}, nil).Result.Allowed, name)
		require.Equal(t, "never", a.Tools(ctx, "bot", []string{"t"})[0].Access.String(), name)
	}
	_, err := veto.Authorize(ctx, "bot", "t", nil)
	require.ErrorIs(t, err, veto.ErrUnavailable)
	a := newAuthorizer(t, set(allowlist("*")), nil)
	var nilContext context.Context
	r, err := a.Authorize(nilContext, "bot", "t", nil)
	require.Error(t, err)
	require.Equal(t, rules.CodeInvalidRequest, r.Code)
	done, cancel := context.WithCancel(ctx)
	cancel()
	r, err = a.Authorize(done, "bot", "t", nil)
	require.Error(t, err)
	require.Equal(t, rules.CodeCancelled, r.Code)

	require.Equal(t, veto.Denied, veto.Result{}.Outcome)
	require.False(t, veto.Result{}.Allowed)
	require.Equal(t, "denied", veto.Outcome(99).String())
	empty := newAuthorizer(t, &veto.PolicySet{}, nil)
	r, _ = empty.Authorize(ctx, "bot", "t", nil)
	require.Equal(t, rules.CodeDefaultDeny, r.Code)
	var program *evaluator.Program
	var e evaluator.Evaluation
	require.Equal(t, veto.Denied, program.Decide(&e, &veto.Call{AgentID: "a", Tool: "t"}, time.Now()).Cause().Outcome)
	require.Error(t, program.Decide(&e, nil, time.Now()).Cause().Err)
	require.Equal(t, veto.Denied, evaluator.Verdict{}.Cause().Outcome)
}
