package twin

import (
	"cmp"
	"encoding/json"
	"errors"
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
	RetryAfter time.Duration
	Shadow     []rules.ShadowResult
}

func (s said) String() string {
	return fmt.Sprintf("%s %s policy=%q rule=%q parameter=%q retryAfter=%s shadow=%v", s.Outcome, s.Code, s.Policy, s.Rule, s.Parameter, s.RetryAfter, s.Shadow)
}

func sorted(shadow []rules.ShadowResult) []rules.ShadowResult {
	shadow = slices.Clone(shadow)
	slices.SortFunc(shadow, func(a, b rules.ShadowResult) int { return cmp.Compare(a.PolicyID, b.PolicyID) })
	return shadow
}

// conditions are the conditions that rules may have, with what they say: an
// interpreter that cannot be wrong.
var conditions = map[string]func(Vars) (bool, error){
	"true":           func(Vars) (bool, error) { return true, nil },
	"false":          func(Vars) (bool, error) { return false, nil },
	`tool == "read"`: func(v Vars) (bool, error) { return v.Call.Tool == "read", nil },
	`args.flag == true`: func(v Vars) (bool, error) {
		flag, ok := v.Args["flag"]
		if !ok {
			return false, errCondition
		}
		return flag == true, nil // values of two kinds are not equal
	},
	`has(args.to)`:          func(v Vars) (bool, error) { _, ok := v.Args["to"]; return ok, nil },
	`agent.startsWith("a")`: func(v Vars) (bool, error) { return strings.HasPrefix(v.Call.AgentID, "a"), nil },
	`user == "u"`: func(v Vars) (bool, error) {
		if v.Call.User == "" {
			return false, errCondition
		}
		return v.Call.User == "u", nil
	},
	`project == "p" || args.nothing == 1`: func(v Vars) (bool, error) {
		if v.Call.Project == "p" {
			return true, nil
		}
		return false, errCondition
	},
}

var errCondition = errors.New("the condition fails")

func condition(source string, vars Vars) (bool, error) {
	f, ok := conditions[source]
	if !ok {
		panic("no such condition: " + source)
	}
	return f(vars)
}

// timedCall is a call and when it is made.
type timedCall struct {
	call rules.Call
	now  time.Time
}

// history is a policy set and the calls that it decides; later is the set
// that takes its place before call number reload.
type history struct {
	set    *rules.PolicySet
	later  *rules.PolicySet
	reload int
	opts   evaluator.Options
	calls  []timedCall
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
		RequireSession: h.opts.RequireSession, Condition: condition,
	})
	for i, c := range h.calls {
		if i == h.reload {
			p = later
			t.SetPolicies(h.later)
		}
		engine, twin = askEngine(p, state, c), askTwin(t, c)
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
	explained, _ := p.Explain(&e, &c.call, c.now, true)
	foreseen := e.Peek(state, explained).Cause()
	access := p.Access(&e, &c.call, c.now)
	v := e.Settle(state, p.Decide(&e, &c.call, c.now))
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
		RetryAfter: v.RetryAfter, Shadow: sorted(e.Shadows()),
	}
	if cause.Code == rules.CodeConstraintViolated {
		s.Parameter = cause.Basis.Parameter
	}
	return s
}

func askTwin(t *Twin, c timedCall) said {
	a := t.Decide(c.call, c.now)
	s := said{
		Outcome: a.Outcome, Code: a.Code, Policy: a.MatchedPolicyID, Rule: a.MatchedRuleID,
		RetryAfter: a.RetryAfter, Shadow: sorted(a.Shadow),
	}
	if a.Code == rules.CodeConstraintViolated {
		s.Parameter = a.Parameter
	}
	return s
}

// newHistory makes the history of a seed.
func newHistory(seed uint64) *history {
	g := NewGenerator(seed)
	for source := range conditions {
		g.Conditions = append(g.Conditions, source)
	}
	slices.Sort(g.Conditions)
	h := &history{set: g.Set(), reload: -1}
	h.later = h.set
	if g.chance(20) {
		h.later, h.reload = g.Changed(h.set), callsPerSet/2
	}
	h.opts.StrictGrant = g.chance(5)
	if g.chance(10) {
		h.opts.Project = "p"
	}
	h.opts.RequireProject, h.opts.RequireSession = g.chance(4), g.chance(4)
	now := g.Start()
	for range callsPerSet {
		h.calls = append(h.calls, timedCall{g.Call(), now})
		now = now.Add(g.Step())
	}
	return h
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
		codes[twin.Code]++
	}
	t.Log("the last codes of each history:", codes)
}

// shrink drops calls, policies, rules and parameters while a difference
// remains, and describes what is left.
func (h *history) shrink(engine, twin said) string {
	small := h.clone()
	differs := func(h *history) bool {
		at, e, w, err := h.run()
		if err != nil || at < 0 {
			return false
		}
		h.calls = h.calls[:at+1]
		engine, twin = e, w
		return true
	}
	differs(small)
	for again := true; again; {
		again = false
		for _, smaller := range small.smaller() {
			if differs(smaller) {
				small, again = smaller, true
				break
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "they differ\nengine: %s\ntwin:   %s\noptions: %+v\n%s\n", engine, twin, small.opts, dump(small.set))
	if small.reload >= 0 {
		fmt.Fprintf(&b, "before call %d replaced by\n%s\n", small.reload, dump(small.later))
	}
	for _, c := range small.calls {
		fmt.Fprintf(&b, "%s %s\n", c.now.Format(time.RFC3339Nano), describe(c.call))
	}
	return b.String()
}

func (h *history) clone() *history {
	c := *h
	c.set, c.later = cloneSet(h.set), cloneSet(h.later)
	c.calls = slices.Clone(h.calls)
	return &c
}

func cloneSet(set *rules.PolicySet) *rules.PolicySet {
	c := *set
	c.Policies = slices.Clone(set.Policies)
	for i := range c.Policies {
		c.Policies[i].Rules = slices.Clone(c.Policies[i].Rules)
	}
	c.ToolPolicies = slices.Clone(set.ToolPolicies)
	for i := range c.ToolPolicies {
		c.ToolPolicies[i].Constraints = slices.Clone(c.ToolPolicies[i].Constraints)
	}
	return &c
}

// smaller lists the histories that have one thing less than h.
func (h *history) smaller() []*history {
	var out []*history
	try := func(edit func(h *history)) {
		c := h.clone()
		edit(c)
		out = append(out, c)
	}
	if h.reload >= 0 {
		try(func(c *history) { c.later, c.reload = c.set, -1 })
		try(func(c *history) { c.set, c.reload = c.later, -1 })
	}
	for n := len(h.calls) / 2; n > 0; n /= 2 {
		for i := 0; i+n < len(h.calls); i += n {
			try(func(c *history) {
				c.calls = slices.Delete(c.calls, i, i+n)
				if i < c.reload {
					c.reload = max(0, c.reload-n)
				}
			})
		}
	}
	sets := []func(*history) *rules.PolicySet{func(h *history) *rules.PolicySet { return h.set }}
	if h.reload >= 0 {
		sets = append(sets, func(h *history) *rules.PolicySet { return h.later })
	}
	for _, of := range sets {
		trySet := func(edit func(*rules.PolicySet)) {
			try(func(c *history) {
				edit(of(c))
				if c.reload < 0 {
					c.later = c.set
				}
			})
		}
		set := of(h)
		for i := range set.Policies {
			trySet(func(s *rules.PolicySet) { s.Policies = slices.Delete(s.Policies, i, i+1) })
			for j := range set.Policies[i].Rules {
				if len(set.Policies[i].Rules) > 1 {
					trySet(func(s *rules.PolicySet) { s.Policies[i].Rules = slices.Delete(s.Policies[i].Rules, j, j+1) })
				}
				if set.Policies[i].Rules[j].When != "" {
					trySet(func(s *rules.PolicySet) { s.Policies[i].Rules[j].When = "" })
				}
				if ps := set.Policies[i].Rules[j].Parameters; len(ps) > 1 {
					for name := range ps {
						trySet(func(s *rules.PolicySet) {
							s.Policies[i].Rules[j].Parameters = map[string]rules.Constraint{name: ps[name]}
						})
					}
				}
			}
		}
		for i := range set.ToolPolicies {
			trySet(func(s *rules.PolicySet) { s.ToolPolicies = slices.Delete(s.ToolPolicies, i, i+1) })
			for j := range set.ToolPolicies[i].Constraints {
				trySet(func(s *rules.PolicySet) {
					s.ToolPolicies[i].Constraints = slices.Delete(s.ToolPolicies[i].Constraints, j, j+1)
				})
			}
		}
		if set.Agents != nil {
			trySet(func(s *rules.PolicySet) { s.Agents = nil })
		}
	}
	last := len(h.calls) - 1
	if args, ok := h.calls[last].call.Parameters.(map[string]any); ok {
		for name := range args {
			try(func(c *history) {
				less := map[string]any{}
				for k, v := range args {
					if k != name {
						less[k] = v
					}
				}
				c.calls[last].call.Parameters = less
			})
		}
	} else if text, ok := rawText(h.calls[last].call.Parameters); ok {
		var args map[string]any
		if d := json.NewDecoder(strings.NewReader(text)); text != "" {
			d.UseNumber()
			if d.Decode(&args) == nil && args != nil {
				try(func(c *history) { c.calls[last].call.Parameters = args })
			}
		}
	}
	return out
}

func dump(set *rules.PolicySet) string {
	text, err := json.MarshalIndent(struct {
		*rules.PolicySet
		Lists any `json:"lists,omitempty"`
	}{PolicySet: set}, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func rawText(v any) (string, bool) {
	switch v := v.(type) {
	case json.RawMessage:
		return string(v), true
	case []byte:
		return string(v), true
	case string:
		return v, true
	}
	return "", false
}

// describe shows a call on one line, with the Go types of its parameters.
func describe(c rules.Call) string {
	args := fmt.Sprintf("%#v", c.Parameters)
	if text, ok := rawText(c.Parameters); ok {
		args = fmt.Sprintf("%T(%q)", c.Parameters, text)
	}
	if len(args) > 2000 {
		args = args[:2000] + "…"
	}
	return fmt.Sprintf("agent=%q tool=%q project=%q session=%q user=%q parameters=%s context=%#v", c.AgentID, c.Tool, c.Project, c.Session, c.User, args, c.Context)
}
