package evaluator

import (
	"errors"
	"slices"
	"time"

	"github.com/useveto/veto-go/internal/decimal"
)

// Hold is what an allowed call took from a State, kept for longer than its
// Evaluation: to correct what the call costs, and to say that it succeeded.
// What it costs is said once for each sum: a correction that could be made
// again could make a cost small after it was known. A Hold is not safe for
// concurrent use.
type Hold struct {
	sums       []heldSum
	from       *State // that it was taken from; nil: a shared store
	owner      string // whose the counters are
	session    *session
	remembered remembered
	batch      *Batch // where it was taken from a shared store
}

// heldSum is a sum that the call is part of.
type heldSum struct {
	rule *rule
	in   take // of a State
	at   Take // of a shared store
	said bool // what the call costs in it
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
	h := &Hold{from: e.from, session: e.session, remembered: e.remembered}
	for i := range e.takes {
		if t := e.takes[i]; t.sums() {
			t.key, t.value, t.counter = slices.Clone(t.key), nil, nil
			h.sums = append(h.sums, heldSum{rule: t.rule, in: t})
		}
	}
	if h.sums == nil && h.remembered.event == nil {
		return nil
	}
	e.taken = false // it is the Hold's: given back too, it would be taken out twice
	if h.sums != nil {
		h.owner = string(appendPart(appendPart(nil, e.call.Project), e.call.AgentID))
	}
	return h
}

func (t *take) sums() bool { return t.limit != nil && t.limit.meter == SumAmounts }

// Correct makes actual, a number from 0 up to and without 10^18, what the call
// costs in the sums of which that was not said yet, or in that of one rule
// where policyID is not empty. An empty actual is what was taken. A sum may
// come out above its bound: then it denies until it has fallen. The error is
// ErrNoAmount where actual is no such number, ErrSaid where the cost is known,
// ErrNoBudget where there is no such sum, and ErrSeveral where the sums are of
// different things and would get one number. After these nothing has changed.
// After ErrClosed the cost is said, and not all of it is counted.
func (s *State) Correct(h *Hold, now time.Time, policyID, ruleID, actual string) error {
	if h != nil && h.from != s {
		return ErrNoBudget // of another State, whose calls it is not to take back
	}
	chosen, amount, err := h.choose(policyID, ruleID, actual)
	if err != nil || len(chosen) == 0 {
		return err
	}
	at := s.time(now)
	if h.session != nil {
		h.session.mu.Lock()
		defer h.session.mu.Unlock()
	}
	for _, x := range chosen {
		if !s.correct(h, &x.in, at, amount) {
			err = ErrClosed
		}
	}
	return err
}

// correct reports whether s is not closed.
func (s *State) correct(h *Hold, t *take, at int64, amount decimal.Amount) bool {
	one := []take{*t}
	t = &one[0]
	for {
		locked := s.lock(one, h.session, nil)
		if t.counter == nil && !t.inSession() && at-t.at < int64(t.limit.window) {
			// It counted nothing but amounts of zero, and was dropped.
			if !s.revive(t, h.owner) {
				unlock(locked)
				continue
			}
			locked = append(locked, t.counter)
		}
		open := !s.closed.Load() // under the lock, so that what is saved has it
		if c := t.counter; c != nil && open {
			if m, ok := c.meter.(*sumMeter); ok {
				m.correct(c.at(at), t, amount)
			}
		}
		unlock(locked)
		return open
	}
}

// Succeeded says that the call was made and succeeded.
func (s *State) Succeeded(h *Hold) {
	if h == nil || h.from != s || h.session == nil {
		return
	}
	h.session.mu.Lock()
	defer h.session.mu.Unlock()
	h.remembered.succeed()
}

// sharedHold is Hold of a shared store.
func (e *Evaluation) sharedHold() *Hold {
	b := *e.batched
	h := &Hold{batch: &b}
	next := 0
	for i := range e.takes {
		t := &e.takes[i]
		if t.limit == nil {
			continue
		}
		if t.sums() {
			h.sums = append(h.sums, heldSum{rule: t.rule, in: take{limit: t.limit}, at: b.Takes[next]})
		}
		next++
	}
	b.Takes = nil
	if h.sums == nil && b.Event == nil {
		return nil
	}
	e.taken = false
	return h
}

// Shared reports whether what is held was taken from a shared store.
func (h *Hold) Shared() bool { return h != nil && h.batch != nil }

// CorrectShared is Correct where the counters are in a shared store. After an
// error of ask nobody knows whether it was heard; it is not asked again.
func (h *Hold) CorrectShared(policyID, ruleID, actual string, ask func(*Batch) error) error {
	chosen, amount, err := h.choose(policyID, ruleID, actual)
	if err != nil || len(chosen) == 0 {
		return err
	}
	b := *h.batch
	b.Op, b.Takes, b.Event = OpCorrect, nil, nil
	for _, x := range chosen {
		x.at.Actual = amount.Digits()
		b.Takes = append(b.Takes, x.at)
	}
	return ask(&b)
}

// SucceededShared is Succeeded where the session is in a shared store.
func (h *Hold) SucceededShared(ask func(*Batch) error) error {
	if h.batch.Event == nil || !h.batch.Open {
		return nil // it is in no history
	}
	return ask(&Batch{
		Op: OpAppend, Project: h.batch.Project, Agent: h.batch.Agent, Session: h.batch.Session, Begun: h.batch.Begun,
		Event: wireEvent{Succeeded: h.batch.Length}.encode(),
	})
}

// The errors of a cost that cannot be said.
var (
	ErrNoAmount = errors.New("the cost is no number from 0 up to 10^18 with at most 18 digits after the point")
	ErrSaid     = errors.New("what the call costs was said before")
	ErrNoBudget = errors.New("the call is part of no such budget")
	ErrSeveral  = errors.New("the budgets of the call sum different things, which cannot all be given one cost")
)

// choose returns the sums that get a cost now, and the cost. No later call
// returns them again.
func (h *Hold) choose(policyID, ruleID, actual string) (chosen []*heldSum, cost decimal.Amount, err error) {
	if actual != "" {
		fit := decimal.TooLarge
		if decimal.Valid(actual) {
			cost, fit = decimal.ParseAmount(actual)
		}
		if fit != decimal.Fits {
			return nil, cost, ErrNoAmount
		}
	}
	if h == nil {
		h = &Hold{}
	}
	var first *limit
	found := false
	for i := range h.sums {
		x := &h.sums[i]
		switch {
		case policyID != "" && (x.rule.policy.id != policyID || x.rule.id != ruleID):
		case !x.said:
			l := x.in.limit
			if first == nil {
				first = l
			}
			if actual != "" && !cost.IsZero() && !l.countsAs(first) {
				return nil, cost, ErrSeveral
			}
			chosen = append(chosen, x)
		case policyID != "":
			return nil, cost, ErrSaid
		}
		found = found || x.rule.policy.id == policyID && x.rule.id == ruleID
	}
	if policyID != "" && !found {
		return nil, cost, ErrNoBudget
	}
	for _, x := range chosen {
		x.said = true
	}
	if actual == "" {
		chosen = nil // it stays as it is
	}
	return chosen, cost, nil
}

// countsAs reports whether both sum the same parameter, or the same cost.
func (l *limit) countsAs(other *limit) bool {
	if l.parameter == nil || other.parameter == nil {
		return l.parameter == other.parameter && l.cost.Compare(other.cost) == 0
	}
	return l.parameter.name == other.parameter.name
}
