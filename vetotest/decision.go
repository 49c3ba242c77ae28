package vetotest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// want is what a test wants of a call: an outcome, and where there are codes,
// one of them.
type want struct {
	outcome veto.Outcome
	codes   []veto.Code
}

// String is how a Matrix writes it.
func (w want) String() string {
	s := w.outcome.String()
	for _, c := range w.codes {
		s += " " + c.String()
	}
	return s
}

// decision is a call that was decided for a test.
type decision struct {
	call veto.Call
	want want
	got  veto.Result
	// before is the answer and its trace at the moment before the call was
	// decided. A moment after, they would be those of the next call: this one
	// may have taken the last room in a limit.
	before veto.Explanation
}

func (p *Policies) decide(agentID, tool string, params any, w want) *decision {
	d := &decision{call: p.identity, want: w}
	d.call.AgentID, d.call.Tool, d.call.Parameters = agentID, tool, params
	d.before = p.a.Explain(context.Background(), d.call, &veto.ExplainOptions{Values: true})
	d.got, _ = p.a.Decide(context.Background(), d.call) // the result says what the error does
	return d
}

// ok reports whether the test got what it wants. A mishap has to be asked for
// by its code.
func (d *decision) ok() bool {
	c := d.got.Code
	return d.got.Outcome == d.want.outcome && (slices.Contains(d.want.codes, c) || len(d.want.codes) == 0 && !mishap(c))
}

// mishap reports whether a denial says that something is wrong, rather than
// that the policies are against the call.
func mishap(c veto.Code) bool {
	mishaps := []veto.Code{rules.CodeInvalidRequest, rules.CodeEvaluationError, rules.CodeSessionUnknown, rules.CodeCancelled}
	return slices.Contains(mishaps, c) || c.Outage()
}

// String says, over several lines, what the decision is about, what was
// wanted, what came and why.
func (d *decision) String() string {
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "\n  %-7s %s", name, text) }
	b.WriteString(describe(&d.call))
	line("want", d.want.String())
	got, before := answer(&d.got)+source(&d.got), answer(&d.before.Result)+source(&d.before.Result)
	line("got", got)
	if d.got.Outcome == d.want.outcome && len(d.want.codes) == 0 {
		b.WriteString("; a test that means this must name the code")
	}
	line("reason", d.got.Reason.String())
	line("time", d.got.EvaluatedAt.Format(time.RFC3339Nano))
	if before != got {
		line("before", before+"; the trace is of the moment before")
	}
	policies := d.before.Trace.Policies
	for i, p := range policies {
		name := map[bool]string{false: "trace", true: "shadow"}[p.Shadow]
		line(name, (&evaluator.Trace{Policies: policies[i : i+1]}).String())
	}
	if len(policies) == 0 {
		line("trace", "no policy with a rule about this agent and tool was looked at")
	}
	return b.String()
}

// answer is the outcome of a result, and its code.
func answer(r *veto.Result) string {
	if r.Code == rules.CodeAllowed {
		return r.Outcome.String()
	}
	return want{r.Outcome, []veto.Code{r.Code}}.String()
}

// source is what a result came from, and how long it stands.
func source(r *veto.Result) (s string) {
	if r.MatchedPolicyID != "" {
		s += fmt.Sprintf(" by policy %q", r.MatchedPolicyID)
	}
	if r.MatchedRuleID != "" {
		s += fmt.Sprintf(", rule %q", r.MatchedRuleID)
	}
	if r.RetryAfter > 0 {
		s += fmt.Sprintf(", for another %v", r.RetryAfter)
	}
	return s
}

// describe says who calls what.
func describe(call *veto.Call) string {
	s := fmt.Sprintf("%q calls %q with %s", call.AgentID, call.Tool, show(call.Parameters))
	for _, part := range [][2]string{{"project", call.Project}, {"session", call.Session}, {"user", call.User}, {"call id", call.CallID}} {
		if part[1] != "" {
			s += fmt.Sprintf(", %s %q", part[0], part[1])
		}
	}
	if call.Context != nil {
		s += ", context " + show(call.Context)
	}
	return s
}

// show writes parameters on one line, of bounded length.
func show(params any) string {
	raw, err := json.Marshal(params)
	switch v := params.(type) {
	case string:
		raw, err = []byte(v), nil
	case []byte:
		raw, err = v, nil
	}
	var b bytes.Buffer
	switch {
	case err != nil:
		return fmt.Sprintf("a %T that is no JSON (%v)", params, err)
	case params == nil || len(raw) == 0:
		return "no parameters"
	case json.Compact(&b, raw) != nil:
		b.WriteString(strconv.Quote(string(raw)))
	}
	if most := 1000; b.Len() > most {
		return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(b.String()[:most], ""), b.Len())
	}
	return b.String()
}
