package evaluator

import (
	"slices"
	"time"

	"github.com/useveto/veto-go/internal/decimal"
)

// Hold is what an allowed call took from a State, kept for longer than its
// Evaluation: to correct what the call costs, and to say that it succeeded.
// It is not safe for concurrent use.
type Hold struct {
	takes      []take
	session    *session
	remembered remembered
}

// Guarded says that a Hold will report whether the call succeeds: until then
// it does not count as one that a sequence requires. It is to be said after
// Decide and before Settle.
func (e *Evaluation) Guarded() { e.guarded = true }

// Hold returns what Settle took for the call; nil where that is nothing that
// can change any more.
func (e *Evaluation) Hold() *Hold {
	if !e.taken {
		return nil
	}
	h := &Hold{session: e.session, remembered: e.remembered}
	for i := range e.takes {
		if t := e.takes[i]; t.limit != nil && t.limit.meter == SumAmounts {
			t.key, t.value = slices.Clone(t.key), nil
			h.takes = append(h.takes, t)
		}
	}
	if h.takes == nil && h.remembered.event == nil {
		return nil
	}
	return h
}

// Correct makes actual, a decimal number from 0 up to and without 10^18, what
// the call costs in the sums that it is part of, or in that of one rule where
// policyID and ruleID are not empty. A sum may come out above its bound: then
// it denies until it has fallen. It reports whether actual is such a number,
// and there is such a sum.
func (s *State) Correct(h *Hold, now time.Time, policyID, ruleID, actual string) bool {
	if !decimal.Valid(actual) {
		return false
	}
	amount, fit := decimal.ParseAmount(actual)
	if fit != decimal.Fits || h == nil {
		return false
	}
	at, any := s.time(now), false
	s.withHold(h, func() {
		for i := range h.takes {
			t := &h.takes[i]
			if policyID != "" && t.rule.policy.id != policyID || ruleID != "" && t.rule.id != ruleID {
				continue
			}
			any = true
			if c := s.find(t, h.session); c != nil {
				if m, ok := c.meter.(*sumMeter); ok {
					m.correct(c.at(at), t, amount)
				}
			}
		}
	})
	return any
}

// Succeeded says that the call was made and succeeded.
func (s *State) Succeeded(h *Hold) {
	if h == nil || h.session == nil {
		return
	}
	h.session.mu.Lock()
	defer h.session.mu.Unlock()
	if ev := h.remembered.event; ev != nil {
		ev.succeeded = max(ev.succeeded, h.remembered.at)
	}
}

// withHold calls f with everything locked that the takes of h are about.
func (s *State) withHold(h *Hold, f func()) {
	if h.session != nil {
		h.session.mu.Lock()
		defer h.session.mu.Unlock()
	}
	locked := s.lock(h.takes)
	defer s.unlock(locked)
	f()
}
