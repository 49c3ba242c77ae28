package evaluator

import (
	"strconv"
	"time"

	"github.com/useveto/veto-go/internal/decimal"
)

// Usage is how much of one limit is used up.
type Usage struct {
	PolicyID string `json:"policyId"`
	RuleID   string `json:"ruleId"`
	// Used and Limit are numbers of calls or of values, or sums, as decimal
	// numbers.
	Used  string `json:"used"`
	Limit string `json:"limit"`
	// Window is that of the limit; 0 where it lasts as long as the session.
	Window time.Duration `json:"window"`
	// ResetIn is how long it takes until nothing is used any more, if nothing
	// happens in between; 0 where that is so now, or never.
	ResetIn time.Duration `json:"resetIn"`
	// RetryAfter is how long it takes until the call fits; 0 where it does
	// now, or never.
	RetryAfter time.Duration `json:"retryAfter"`
}

// Usage returns how much is used up of each limit on which the verdict rests,
// in the order of evaluation. It is to be asked after Decide and before
// Settle, and takes nothing.
func (e *Evaluation) Usage(s *State) []Usage {
	if !s.made() || e.call == nil {
		return nil
	}
	now := s.time(e.now)
	ses := s.lockSession(e, now)
	if ses != nil {
		defer ses.mu.Unlock()
	}
	defer unlock(s.lock(e.takes, ses, nil))
	var all []Usage
	for i := range e.takes {
		t := &e.takes[i]
		if t.limit == nil {
			continue
		}
		u := Usage{Used: "0"}
		if c := t.counter; c != nil {
			u = c.meter.usage(c.at(now))
			_, u.RetryAfter = c.meter.look(c.at(now), t)
		}
		t.describe(&u)
		all = append(all, u)
	}
	return all
}

// UsageShared is Usage where the counters are in a shared store.
func (e *Evaluation) UsageShared(ask func(*Batch) error) ([]Usage, error) {
	if e.call == nil {
		return nil, nil
	}
	b := e.batch()
	if len(b.Takes) == 0 {
		return nil, nil
	}
	b.NeedsHistory = false
	if err := ask(b); err != nil {
		return nil, err
	}
	all := make([]Usage, len(b.Takes))
	next := 0
	for i := range e.takes {
		if t := &e.takes[i]; t.limit != nil {
			x := &b.Takes[next]
			all[next] = Usage{Used: x.Used, ResetIn: x.ResetIn, RetryAfter: x.RetryAfter}
			if sum, ok := decimal.AmountOfDigits(x.Used); ok {
				all[next].Used = sum.String()
			}
			t.describe(&all[next])
			next++
		}
	}
	return all, nil
}

// describe fills in what u says of the rule.
func (t *take) describe(u *Usage) {
	l := t.limit
	u.PolicyID, u.RuleID, u.Window, u.Limit = t.rule.policy.id, t.rule.id, l.window, l.text
	if l.text == "" {
		u.Limit = strconv.Itoa(l.max)
	}
}
