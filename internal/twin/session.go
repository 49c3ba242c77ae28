package twin

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/useveto/veto-go/rules"
)

// OpenSession says that a session begins. One that is open goes on.
func (t *Twin) OpenSession(project, session string, _ time.Time) {
	id := fmt.Sprintf("%q", []string{project, session})
	if t.sessions[id] == 0 {
		t.opened++
		t.sessions[id] = t.opened
	}
}

// EndSession ends a session; what is remembered of it is of use to nobody.
func (t *Twin) EndSession(project, session string) {
	delete(t.sessions, fmt.Sprintf("%q", []string{project, session}))
}

// session returns the number of the call's session, no two of which are
// equal; 0 where the session is not open.
func (r *request) session() int {
	return r.twin.sessions[fmt.Sprintf("%q", []string{r.call.Project, r.call.Session})]
}

// sessionConstraints returns the session constraints of a tool policy.
func (r *request) sessionConstraints(p policy) []stateRule {
	c := p.tool.SessionConstraints
	if c == nil {
		return nil
	}
	var out []stateRule
	add := func(id string, soft bool, rule func(stateRule) stateful) {
		s := stateRule{policy: p.id, id: "session." + id, soft: soft, session: true}
		s.stateful = rule(s)
		out = append(out, s)
	}
	addSum := func(id, parameter string, cost *big.Rat, max json.Number) {
		add(id, false, func(s stateRule) stateful {
			return sum{key: r.sessionKey(p, s.id), keyed: true, parameter: parameter, cost: cost, max: string(max)}
		})
	}
	if c.MaxCalls != nil {
		addSum("maxCalls", "", big.NewRat(1, 1), json.Number(strconv.Itoa(*c.MaxCalls)))
	}
	if c.Budget != nil {
		addSum("budget", c.SpendArgument, nil, *c.Budget)
	}
	for i, l := range c.CumulativeLimits {
		addSum(fmt.Sprintf("cumulativeLimits[%d]", i), l.ArgumentName, nil, *l.MaxValue)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Counters)) {
		add("counters."+name, c.Counters[name].MaxAction == rules.EscalateOnViolation, func(s stateRule) stateful {
			return counter{r.sessionKey(p, s.id), c.Counters[name]}
		})
	}
	return out
}

func (r *request) sessionKey(p policy, rule string) string {
	return r.key(stateRule{policy: p.id, id: rule}, r.session())
}

// counter is a counter of a tool policy.
type counter struct {
	key string
	rules.SessionCounter
}

func (c counter) missing(*request) ruleVerdict { return ruleVerdict{} }

// value returns what is counted. It is no sum: it does not go below 0.
func (c counter) value(r *request) int {
	n := 0
	for _, e := range r.twin.entries {
		if e.key == c.key {
			n = max(0, n+int(e.amount.Num().Int64()))
		}
	}
	return n
}

// effect returns how far the call counts up or down.
func (c counter) effect(r *request) int {
	n := 0
	if anyTool(c.Increment, r.call.Tool) {
		n++
	}
	if anyTool(c.Decrement, r.call.Tool) {
		n--
	}
	return n
}

func anyTool(patterns []string, tool string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchFolded(p, tool) })
}

func (c counter) look(r *request) standing {
	if max(0, c.value(r)+c.effect(r)) <= *c.Max {
		return standing{}
	}
	return standing{violated: true, code: rules.CodeBudgetExceeded, max: strconv.Itoa(*c.Max)}
}

// count does nothing: countCounters counts.
func (c counter) count(*request) {}

// countCounters counts the call in every counter that it may concern,
// whatever tool the counter's policy is about.
func (r *request) countCounters() {
	for i := range r.twin.set.ToolPolicies {
		p := &r.twin.set.ToolPolicies[i]
		if !active(p) || !r.mine(p.ProjectID) || p.SessionConstraints == nil {
			continue
		}
		for name, sc := range p.SessionConstraints.Counters {
			c := counter{r.sessionKey(policy{id: p.PolicyID()}, "session.counters."+name), sc}
			r.enter(entry{key: c.key, amount: big.NewRat(int64(c.effect(r)), 1)})
		}
	}
}
