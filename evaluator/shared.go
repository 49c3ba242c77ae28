package evaluator

import (
	"errors"
	"slices"
	"time"

	"github.com/useveto/veto-go/rules"
)

// maxRounds is how often a store is asked anew because the history of the
// session went on meanwhile.
const maxRounds = 8

// SettleShared is Settle where the counters and sessions are in a shared
// store, which ask asks; m is what this process has seen of its sessions. An
// error of ask, which is returned beside the verdict, denies. Where nothing is
// shared, nothing is asked.
func (e *Evaluation) SettleShared(m *Mirror, ask func(*Batch) error) (*Verdict, error) {
	v := &e.verdict
	if !v.stateful {
		return v, nil
	}
	err := e.settleShared(m, ask, v.Cause().Outcome == rules.Allowed)
	if err != nil {
		e.decided(noState)
	}
	return v, err
}

// PeekShared returns what SettleShared would, and takes nothing.
func (e *Evaluation) PeekShared(m *Mirror, ask func(*Batch) error) (*Verdict, error) {
	v := &e.verdict
	if !v.stateful {
		return v, nil
	}
	err := e.settleShared(m, ask, false)
	if err != nil {
		e.decided(noState)
	}
	v.stateful = v.Cause().Outcome == rules.Allowed // it is still to be settled
	return v, err
}

var errMoving = errors.New("evaluator: the session's history does not stand still")

func (e *Evaluation) settleShared(m *Mirror, ask func(*Batch) error, commit bool) error {
	e.verdict.stateful = false
	if e.call.Session != "" && commit {
		e.addTallies()
	}
	b := e.batch()
	if commit && e.call.Session != "" && e.recorded {
		b.Event = e.wire()
	}
	if len(b.Takes) == 0 && !b.NeedsHistory && b.Event == nil {
		return nil
	}
	for range maxRounds {
		past := m.of(e.call.Project, e.call.Session)
		refused := false
		if b.NeedsHistory {
			refused, b.Known, b.Begun = e.lookBack(past)
		}
		b.Op = OpLook
		if commit && !refused {
			b.Op = OpTake
		}
		b.forget()
		if err := ask(b); err != nil {
			return err
		}
		if b.Taken && b.NeedsHistory {
			e.lookAgain(past, b.Now)
		}
		if past != nil {
			past.follow(b, e.now)
		}
		if b.Stale {
			continue
		}
		e.heed(b)
		if b.Taken {
			e.taken, e.batched = true, b
		}
		switch {
		case e.refused():
			if err := e.GiveBackShared(ask); err != nil {
				return err
			}
			e.override(&e.verdict)
		case commit && !b.Taken:
			return errors.New("evaluator: the store has neither taken nor refused")
		}
		return nil
	}
	return errMoving
}

// batch returns the takes as a question.
func (e *Evaluation) batch() *Batch {
	b := &Batch{Project: e.call.Project, Agent: e.call.AgentID, Session: e.call.Session}
	for i := range e.takes {
		t := &e.takes[i]
		b.NeedsSession = b.NeedsSession || t.needsSession()
		b.NeedsHistory = b.NeedsHistory || t.sequence != nil
		if t.limit != nil {
			b.Takes = append(b.Takes, t.shared())
		}
	}
	return b
}

func (t *take) shared() Take {
	l := t.limit
	x := Take{
		Key: slices.Clone(t.key), Kind: l.meter, Window: l.window, Counts: t.rule == nil || t.covered,
		Max: l.max, Value: slices.Clone(t.value), By: t.by,
	}
	if l.meter == SumAmounts {
		x.Sum, x.Amount = l.sum.Digits(), t.amount.Digits()
	}
	return x
}

// forget clears the answers.
func (b *Batch) forget() {
	b.Open, b.Record, b.Stale, b.Taken, b.Events, b.Length = false, false, false, false, nil, 0
	for i := range b.Takes {
		b.Takes[i].Fits, b.Takes[i].RetryAfter, b.Takes[i].Mark = false, 0, ""
	}
}

// lookBack asks the sequences about what this process has seen of the session:
// so many events of that opening.
func (e *Evaluation) lookBack(past *mirrored) (refused bool, known int64, begun string) {
	past.mu.Lock()
	defer past.mu.Unlock()
	return e.lookAt(past, past.now(e.now)), past.length, past.begun
}

// lookAgain is lookBack at the time by the clock of the store, which only its
// answer tells; it may be another than was thought.
func (e *Evaluation) lookAgain(past *mirrored, now time.Time) {
	past.mu.Lock()
	defer past.mu.Unlock()
	e.lookAt(past, now.UnixNano())
}

func (e *Evaluation) lookAt(past *mirrored, now int64) (refused bool) {
	for i := range e.takes {
		t := &e.takes[i]
		if t.sequence == nil {
			continue
		}
		t.lookBack(e, &past.history, now)
		refused = refused || t.says.outcome != passes
	}
	return refused
}

// heed makes the answers of a store those of the takes.
func (e *Evaluation) heed(b *Batch) {
	next := 0
	for i := range e.takes {
		t := &e.takes[i]
		if t.limit != nil {
			x := &b.Takes[next]
			next++
			t.says, t.retryAfter = judgement{outcome: passes}, 0
			if !x.Fits {
				t.past()
				t.retryAfter = x.RetryAfter
			}
		}
		if t.needsSession() && !b.Open || t.sequence != nil && !b.Record {
			t.says, t.retryAfter = sessionless, 0
		}
	}
}

// refused reports whether something stands against the call.
func (e *Evaluation) refused() bool {
	return slices.ContainsFunc(e.takes, func(t take) bool { return t.says.outcome != passes })
}

// Recorded says that every allowed call of a session is to be appended to its
// history in the shared store. It is to be said after Decide and before
// SettleShared, from when on the policies have had a sequence.
func (e *Evaluation) Recorded() { e.recorded = true }

// HasSequences reports whether some rule asks about the history of sessions.
func (p *Program) HasSequences() bool { return p != nil && p.sequences }

// GiveBackShared returns what SettleShared took. It does nothing the second
// time, nor after Hold.
func (e *Evaluation) GiveBackShared(ask func(*Batch) error) error {
	b := e.batched
	if !e.taken || b == nil {
		return nil
	}
	e.taken, e.batched = false, nil
	b.Op = OpGiveBack
	if b.Event != nil {
		b.Event = wireEvent{Undo: b.Length}.encode()
	}
	return ask(b)
}
