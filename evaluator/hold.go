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
	batch      *Batch // where it was taken from a shared store: the sums
	rules      []*rule
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
	if e.batched != nil {
		return e.sharedHold()
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
	any := false
	at := s.time(now)
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
	h.remembered.succeed()
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

// sharedHold is Hold of a shared store.
func (e *Evaluation) sharedHold() *Hold {
	b := *e.batched
	h := &Hold{batch: &b}
	b.Takes = nil
	next := 0
	for i := range e.takes {
		t := &e.takes[i]
		if t.limit == nil {
			continue
		}
		if x := e.batched.Takes[next]; x.Kind == SumAmounts {
			b.Takes = append(b.Takes, x)
			h.rules = append(h.rules, t.rule)
		}
		next++
	}
	if b.Takes == nil && b.Event == nil {
		return nil
	}
	return h
}

// Shared reports whether what is held was taken from a shared store.
func (h *Hold) Shared() bool { return h != nil && h.batch != nil }

// CorrectShared is Correct where the counters are in a shared store.
func (h *Hold) CorrectShared(policyID, ruleID, actual string, ask func(*Batch) error) (bool, error) {
	if !decimal.Valid(actual) {
		return false, nil
	}
	amount, fit := decimal.ParseAmount(actual)
	if fit != decimal.Fits {
		return false, nil
	}
	b := *h.batch
	b.Op, b.Takes, b.Event = OpCorrect, nil, nil
	for i, x := range h.batch.Takes {
		if r := h.rules[i]; (policyID == "" || r.policy.id == policyID) && (ruleID == "" || r.id == ruleID) {
			x.Actual = amount.Digits()
			b.Takes = append(b.Takes, x)
		}
	}
	if b.Takes == nil {
		return false, nil
	}
	if err := ask(&b); err != nil {
		return true, err
	}
	for i := range h.batch.Takes {
		if r := h.rules[i]; (policyID == "" || r.policy.id == policyID) && (ruleID == "" || r.id == ruleID) {
			h.batch.Takes[i].Amount = amount.Digits()
		}
	}
	return true, nil
}

// SucceededShared is Succeeded where the session is in a shared store.
func (h *Hold) SucceededShared(ask func(*Batch) error) error {
	if h.batch.Event == nil {
		return nil
	}
	return ask(&Batch{
		Op: OpAppend, Project: h.batch.Project, Agent: h.batch.Agent, Session: h.batch.Session,
		Event: wireEvent{Succeeded: h.batch.Length}.encode(),
	})
}
