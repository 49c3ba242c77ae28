package twin

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

var (
	pairs = flag.Int("pairs", 100_000, "how many calls to compare")
	seed  = flag.Uint64("seed", 1, "the first seed; each policy set has the next")
	most  = flag.Int("differences", 1, "after how many differences to stop")
)

// callsPerSet is how many calls are decided with one history.
const callsPerSet = 100

// said is what is compared of an answer.
type said struct {
	Outcome    rules.Outcome
	Code       rules.Code
	Policy     string
	Rule       string
	Parameter  string
	Max        string
	Earlier    bool
	RetryAfter time.Duration
	Shadow     []rules.ShadowResult
}

func (s said) String() string {
	return fmt.Sprintf("%s %s policy=%q rule=%q parameter=%q max=%q earlier=%t retryAfter=%s shadow=%v",
		s.Outcome, s.Code, s.Policy, s.Rule, s.Parameter, s.Max, s.Earlier, s.RetryAfter, s.Shadow)
}

func sorted(shadow []rules.ShadowResult) []rules.ShadowResult {
	shadow = slices.Clone(shadow)
	slices.SortFunc(shadow, func(a, b rules.ShadowResult) int { return cmp.Compare(a.PolicyID, b.PolicyID) })
	return shadow
}

// timedCall is a call and when it is made; before it, sessions begin and end.
type timedCall struct {
	call   rules.Call
	now    time.Time
	before []sessionStep
}

// sessionStep is a session that begins or ends.
type sessionStep struct {
	project, session string
	end              bool
}

// history is a policy set and the calls that it decides; later is the set
// that takes its place before call number reload.
type history struct {
	set    *rules.PolicySet
	later  *rules.PolicySet
	reload int
	opts   evaluator.Options
	calls  []timedCall
	codes  map[rules.Code]int // if not nil, run counts the codes of the calls
	each   func(said)         // if not nil, run gives it each answer
}

// run decides the calls both ways and returns the number of the first call on
// which the two differ, or -1.
func (h *history) run() (at int, engine, twin said, err error) {
	p, err := evaluator.Compile(h.set, &h.opts)
	if err != nil {
		return -1, engine, twin, err
	}
	later, err := evaluator.Compile(h.later, &h.opts)
	if err != nil {
		return -1, engine, twin, err
	}
	state := evaluator.NewState(nil)
	t := New(h.set, Options{
		StrictGrant: h.opts.StrictGrant, Project: h.opts.Project, RequireProject: h.opts.RequireProject,
		RequireSession: h.opts.RequireSession, Condition: condition, MaxParameterBytes: h.opts.MaxParameterBytes,
	})
	for i, c := range h.calls {
		if i == h.reload {
			p = later
			t.SetPolicies(h.later)
		}
		for _, step := range c.before {
			if step.end {
				state.EndSession(step.project, step.session)
				t.EndSession(step.project, step.session)
				continue
			}
			if err := state.OpenSession(step.project, step.session, c.now); err != nil {
				return i, engine, twin, err
			}
			t.OpenSession(step.project, step.session, c.now)
		}
		engine, twin = askEngine(p, state, c), askTwin(t, c)
		if h.codes != nil {
			h.codes[twin.Code]++
		}
		if h.each != nil {
			h.each(twin)
		}
		if engine.String() != twin.String() {
			return i, engine, twin, nil
		}
	}
	return -1, engine, twin, nil
}

// askEngine also holds the engine to itself: Explain says what Decide does,
// and what Access calls never is never allowed.
func askEngine(p *evaluator.Program, state *evaluator.State, c timedCall) said {
	var e evaluator.Evaluation
	p.Explain(&e, &c.call, c.now, true)
	foreseen := e.Peek(state).Cause()
	access := p.Access(&e, &c.call, c.now)
	p.Decide(&e, &c.call, c.now)
	v := e.Settle(state)
	cause := v.Cause()
	switch {
	case foreseen != cause:
		return said{Policy: fmt.Sprintf("Explain says %+v, Decide %+v", foreseen, cause)}
	case access == evaluator.Never && cause.Outcome != rules.Denied,
		access == evaluator.Escalates && cause.Outcome == rules.Allowed:
		return said{Policy: fmt.Sprintf("Access says %v, Decide %+v", access, cause)}
	}
	s := said{
		Outcome: cause.Outcome, Code: cause.Code, Policy: cause.PolicyID, Rule: cause.RuleID,
		RetryAfter: v.RetryAfter(), Shadow: sorted(e.Shadows()),
	}
	switch cause.Code {
	case rules.CodeConstraintViolated, rules.CodeEvaluationError:
		s.Parameter = cause.Basis.Parameter
	case rules.CodeBudgetExceeded:
		s.Parameter, s.Max = cause.Basis.Parameter, cause.Basis.Max
	case rules.CodeSequenceViolated:
		s.Earlier = cause.Basis.Earlier
	}
	return s
}

func askTwin(t *Twin, c timedCall) said {
	a := t.Decide(c.call, c.now)
	s := said{
		Outcome: a.Outcome, Code: a.Code, Policy: a.MatchedPolicyID, Rule: a.MatchedRuleID,
		Max: a.Max, Earlier: a.Earlier, RetryAfter: a.RetryAfter, Shadow: sorted(a.Shadow),
	}
	switch a.Code {
	case rules.CodeConstraintViolated, rules.CodeEvaluationError, rules.CodeBudgetExceeded:
		s.Parameter = a.Parameter
	}
	return s
}

// newHistory makes the history of a seed.
func newHistory(seed uint64) *history {
	g := NewGenerator(seed)
	for source := range conditions {
		g.Conditions = append(g.Conditions, source)
		if !strings.HasPrefix(source, "now") {
			g.Earlier = append(g.Earlier, source)
		}
	}
	slices.Sort(g.Conditions)
	slices.Sort(g.Earlier)
	for source := range expressions {
		g.Expressions = append(g.Expressions, source)
	}
	slices.Sort(g.Expressions)
	g.Steady, g.Sessions = g.chance(60), g.chance(85)
	g.Stateful = g.Steady && g.chance(60)
	h := &history{set: g.Set(), reload: -1}
	h.later = h.set
	if g.chance(25) {
		h.later, h.reload = g.Changed(h.set), callsPerSet/2
	}
	h.opts.StrictGrant = g.chance(5)
	if g.chance(10) {
		h.opts.Project = "p"
	}
	if g.chance(10) {
		h.opts.MaxParameterBytes = pick(g, 10, 50, 60, 100, 1<<20)
	}
	h.opts.RequireProject, h.opts.RequireSession = g.chance(4), g.chance(4)
	start := g.Start()
	now := start
	for i := range callsPerSet {
		c := g.Call()
		if h.opts.MaxParameterBytes != 0 {
			c.Context = nil // beside it fractions count as their longest text
		}
		h.calls = append(h.calls, timedCall{c, now, g.sessionSteps(i == 0)})
		step := g.Step()
		if g.Sessions && now.Add(step).Sub(start) >= 24*time.Hour {
			step = time.Millisecond // a session that is not used for a day ends
		}
		now = now.Add(step)
	}
	return h
}

// sessionSteps returns the sessions that begin and end before a call. Some
// never do.
func (g *Generator) sessionSteps(first bool) []sessionStep {
	var steps []sessionStep
	if !g.Sessions {
		return nil
	}
	if first {
		for _, project := range []string{"", "p", "q", "r"} {
			for _, session := range []string{"s", "t"} {
				if g.chance(70) || g.Steady && project == "p" && session == "s" {
					steps = append(steps, sessionStep{project: project, session: session})
				}
			}
		}
	}
	if g.chance(4) {
		steps = append(steps, sessionStep{pick(g, "", "p", "p", "p", "q"), pick(g, "s", "s", "t"), true})
	}
	if g.chance(12) {
		steps = append(steps, sessionStep{pick(g, "", "p", "p", "p", "q"), pick(g, "s", "s", "t"), false})
	}
	return steps
}

// TestEngineAgreesWithTwin compares the engine with the twin on random
// histories.
func TestEngineAgreesWithTwin(t *testing.T) {
	differences := 0
	codes := map[rules.Code]int{}
	n := *pairs
	if testing.Short() {
		n = min(n, 5_000)
	}
	for i := range uint64(max(1, n/callsPerSet)) {
		h := newHistory(*seed + i)
		h.codes = codes
		require.Empty(t, rules.Validate(h.set), "seed %d makes a set that is not valid", *seed+i)
		require.Empty(t, rules.Validate(h.later), "seed %d makes a set that is not valid", *seed+i)
		at, engine, twin, err := h.run()
		require.NoError(t, err, "seed %d\n%s", *seed+i, dump(h.set))
		if at >= 0 {
			t.Errorf("seed %d, call %d: %s", *seed+i, at, h.shrink(engine, twin))
			if differences++; differences >= *most {
				return
			}
		}
	}
	t.Log("how often each code was the answer:", codes)
	if !testing.Short() {
		for _, code := range []rules.Code{
			rules.CodeAllowed, rules.CodeDefaultDeny, rules.CodePolicyNotFound, rules.CodeToolDenied, rules.CodeConstraintViolated,
			rules.CodeRateLimited, rules.CodeOutsideTimeWindow, rules.CodeApprovalRequired, rules.CodeAgentSuspended,
			rules.CodeAgentRevoked, rules.CodeAgentNotFound, rules.CodeInvalidRequest, rules.CodeEvaluationError,
			rules.CodeBudgetExceeded, rules.CodeSequenceViolated, rules.CodeSessionUnknown,
		} {
			require.NotZero(t, codes[code], "no call was answered %s: there is nothing to compare", code)
		}
	}
}
