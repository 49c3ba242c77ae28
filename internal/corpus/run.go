package corpus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing/fstest"
	"time"

	"github.com/useveto/veto-go"
)

// begin is the time of the first call of a case.
var begin = time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)

// Run runs the case and returns where it came out differently, a sentence for
// each place; nothing if all is as it should be.
func (c *Case) Run() (differ []string) {
	set, err := c.loadSet(c.first())
	if c.faults != nil {
		var load *veto.LoadError
		if !errors.As(err, &load) {
			return []string{fmt.Sprintf("the documents should not load; the error is %v", err)}
		}
		return differences(c.faults, load.Faults)
	}
	if err != nil {
		return []string{err.Error()}
	}
	r := run{c: c, now: begin, ctx: context.Background()}
	opts := c.options
	opts.Now = func() time.Time { return r.now }
	if r.auth, err = veto.New(set, &opts); err != nil {
		return []string{err.Error()}
	}
	for i := range c.steps {
		r.step(&c.steps[i])
	}
	return r.differ
}

func (c *Case) loadSet(names []string) (*veto.PolicySet, error) {
	if len(names) == 0 {
		return nil, errors.New("no document is loaded at the start")
	}
	fsys := make(fstest.MapFS)
	for _, name := range names {
		fsys[name] = &fstest.MapFile{Data: []byte(c.documents[name].text)}
	}
	return veto.LoadFS(fsys)
}

// run is a case that is being run.
type run struct {
	c      *Case
	auth   *veto.Authorizer
	ctx    context.Context
	now    time.Time
	differ []string
}

func (r *run) note(s *step, format string, args ...any) {
	r.differ = append(r.differ, fmt.Sprintf("%s.txtar:%d: ", r.c.Name, s.line)+fmt.Sprintf(format, args...))
}

func (r *run) step(s *step) {
	switch {
	case s.call != nil:
		result, err := r.auth.Decide(r.ctx, *s.call)
		r.compare(s, result, err)
	case !s.at.IsZero():
		r.now = s.at
	case s.move != 0:
		r.now = r.now.Add(s.move)
	default:
		r.act(s)
	}
}

func (r *run) act(s *step) {
	switch s.action {
	case "suspend":
		if s.agent == "*" {
			r.auth.SuspendAll()
		} else {
			r.auth.Suspend(s.agent)
		}
	case "resume":
		if s.agent == "*" {
			r.auth.ResumeAll()
		} else {
			r.auth.Resume(s.agent)
		}
	case "load", "refuse":
		set, err := r.c.loadSet(s.load)
		if err == nil {
			err = r.auth.SetPolicies(set)
		}
		if (err == nil) != (s.action == "load") {
			r.note(s, "%s %s: %v", s.action, strings.Join(s.load, " "), err)
		}
	case "list":
		if err := r.auth.SetList(s.list[0], s.list[1:]); err != nil {
			r.note(s, "%v", err)
		}
	case "open":
		if err := r.auth.OpenSession(r.ctx, s.project, s.session); err != nil {
			r.note(s, "%v", err)
		}
	case "end":
		if err := r.auth.EndSession(r.ctx, s.project, s.session); err != nil {
			r.note(s, "%v", err)
		}
	case "cancel":
		ctx, cancel := context.WithCancel(r.ctx)
		cancel()
		r.ctx = ctx
	}
}

// line says a result as an answer is written.
func line(res veto.Result) string {
	words := []string{res.Outcome.String()}
	if res.Outcome == veto.Denied {
		words = append(words, res.Code.String())
	}
	words = append(words, res.MatchedPolicyID, res.MatchedRuleID)
	return strings.TrimSpace(strings.Join(words, " "))
}

func (a *answer) String() string {
	words := []string{a.outcome}
	if a.outcome == "denied" {
		words = append(words, a.code)
	}
	return strings.TrimSpace(strings.Join(append(words, a.policy, a.rule), " "))
}

func (r *run) compare(s *step, res veto.Result, err error) {
	a := &s.answer
	want, got := a.String(), line(res)
	if want != got || res.Code.String() != a.code {
		r.note(s, "want %s\n\tgot  %s (%s)", want, got, res.Reason)
	}
	if a.reason != nil && *a.reason != res.Reason.String() {
		r.note(s, "want the reason %s\n\tgot %s", *a.reason, res.Reason)
	}
	switch {
	case a.retry != nil:
		if *a.retry != res.RetryAfter {
			r.note(s, "want retry %s, got %s", *a.retry, res.RetryAfter)
		}
	case a.code != "rate_limited" && a.code != "budget_exceeded" && res.RetryAfter != 0:
		r.note(s, "there is nothing to wait for, and retry is %s", res.RetryAfter)
	}
	var shadow []string
	for _, x := range res.Shadow {
		shadow = append(shadow, fmt.Sprintf("%s %s %s %s", x.PolicyID, x.RuleID, x.Outcome, x.Code))
	}
	if want, got := strings.Join(a.shadow, "\n\t"), strings.Join(shadow, "\n\t"); want != got {
		r.note(s, "want the shadows\n\t%s\n\tgot\n\t%s", want, got)
	}
	if a.runs != nil && *a.runs != res.RunsUnderMode() {
		r.note(s, "a guard runs the tool: %t", res.RunsUnderMode())
	}
	if a.json != nil {
		if got := travels(res); !sameJSON(*a.json, got) {
			r.note(s, "want %s\n\tgot  %s", *a.json, got)
		}
	}
	if problem := inconsistent(res, err); problem != "" {
		r.note(s, "%s", problem)
	}
}

// inconsistent says what is wrong with any decision in which an answer, an
// error and a result do not say the same.
func inconsistent(res veto.Result, err error) string {
	var denied *veto.DeniedError
	switch {
	case res.Allowed != (res.Outcome == veto.Allowed):
		return "Allowed and Outcome differ"
	case res.Allowed != (err == nil):
		return "Allowed and the error differ"
	case err == nil:
		return ""
	case !errors.As(err, &denied):
		return "the error is no *DeniedError"
	case errors.Is(err, veto.ErrEscalated) != (res.Outcome == veto.Escalated),
		errors.Is(err, veto.ErrDenied) != (res.Outcome == veto.Denied):
		return "the class of the error is not the outcome"
	case denied.Denial().Code != res.Code || denied.Denial().PolicyID != res.MatchedPolicyID || denied.Denial().RuleID != res.MatchedRuleID:
		return "the error and the result differ"
	}
	return ""
}

// travels returns the result in JSON, without what differs at every run.
func travels(res veto.Result) string {
	text, err := json.Marshal(res)
	if err != nil {
		return err.Error()
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		return err.Error()
	}
	delete(m, "decisionId")
	delete(m, "policyRevision")
	text, err = json.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func sameJSON(a, b string) bool {
	normal := func(s string) string {
		var v any
		if json.Unmarshal([]byte(s), &v) != nil {
			return s
		}
		out, err := json.Marshal(v)
		if err != nil {
			return s
		}
		return string(out)
	}
	return normal(a) == normal(b)
}
