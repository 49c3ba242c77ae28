package veto_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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
	require.Equal(t, veto.Denied, new(evaluator.Verdict).Cause().Outcome)
}

// A clock that was never set, or is centuries off, limits as any other.
func TestAttack_D2_ClockThatIsNotSet(t *testing.T) {
	for _, at := range []time.Time{{}, time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		a := newAuthorizer(t, set(allowlist("t"), limit(2, 60)), &veto.Options{Now: func() time.Time { return at }})
		allowed := 0
		for range 10 {
			if _, err := a.Authorize(ctx, "bot", "t", nil); err == nil {
				allowed++
			}
		}
		require.Equal(t, 2, allowed, at)
	}
}

// A clock that jumps forward and back does not refill the limits of agents
// that were quiet meanwhile, although others' calls clear up.
func TestAttack_D2_JumpWhileOthersCall(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	a := newAuthorizer(t, set(allowlist("t"), limit(2, 3600)), &veto.Options{Now: func() time.Time { return now }})
	victim := 0
	use := func() {
		for range 3 {
			if _, err := a.Authorize(ctx, "victim", "t", nil); err == nil {
				victim++
			}
		}
	}
	use()
	now = start.Add(24 * time.Hour)
	for i := range 2000 {
		a.Authorize(ctx, fmt.Sprint("other-", i), "t", nil)
	}
	now = start.Add(time.Second)
	use()
	now = start.Add(2 * time.Hour)
	use()
	require.LessOrEqual(t, victim, 4, "two at most for the time before the jump, and two for after it")
}

// The worst decision that policies within the bounds can ask for ends soon.
func TestDecisionIsBounded(t *testing.T) {
	long := strings.Repeat("7", 390)
	var numbers []rules.Scalar
	for i := range 100 {
		numbers = append(numbers, rules.Scalar{Value: json.Number(fmt.Sprintf("%d.%s", i, long))})
	}
	var rs []rules.Rule
	for range 49 {
		rs = append(rs, constraint([]string{"t"}, map[string]rules.Constraint{"/a/*": {NotEnum: numbers}}))
	}
	a := newAuthorizer(t, set(rs...), nil)
	values := make([]any, 12_000)
	for i := range values {
		values[i] = 1.7
	}
	start := time.Now()
	r, _ := a.Authorize(ctx, "bot", "t", map[string]any{"a": values})
	require.Equal(t, rules.CodeEvaluationError, r.Code)
	require.Less(t, time.Since(start), 3*time.Second)
}

// Looking for members that are not there counts too.
func TestDecisionIsBoundedForPointers(t *testing.T) {
	object := map[string]any{}
	for i := range 9 {
		object[fmt.Sprint("k", i)] = 1
	}
	objects := make([]any, 900)
	for i := range objects {
		objects[i] = object
	}
	names := map[string]rules.Constraint{}
	for i := range 64 {
		names["/a/*/"+strings.Repeat("é", 200)+fmt.Sprint(i)] = rules.Constraint{Optional: true}
	}
	var rs []rules.Rule
	for range 50 {
		rs = append(rs, constraint([]string{"t"}, names))
	}
	a := newAuthorizer(t, set(rs...), nil)
	start := time.Now()
	r, _ := a.Authorize(ctx, "bot", "t", map[string]any{"a": objects})
	require.Equal(t, rules.CodeEvaluationError, r.Code)
	require.Less(t, time.Since(start), 5*time.Second)
}

// Asking for a member of what has none is an error, and not a no.
func TestAttack_A6_HasOfNoObject(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("t"), rules.Rule{Type: rules.ToolDenylist, Tools: []string{"t"}, When: "has(args.target.production)"}), nil)
	for _, target := range []any{"production", nil, 7, true, []any{"production"}} {
		r, _ := a.Authorize(ctx, "bot", "t", map[string]any{"target": target})
		require.Equal(t, rules.CodeEvaluationError, r.Code, target)
	}
	_, err := a.Authorize(ctx, "bot", "t", map[string]any{"target": map[string]any{}})
	require.NoError(t, err)
}
