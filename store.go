package veto

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/useveto/veto-go/evaluator"
)

// Store keeps the counters and sessions of several processes. Do answers the
// Batch by filling it in, atomically: see [evaluator.Batch]. It must answer or
// fail within a bound of its own, since decisions wait for it, and must be
// safe for concurrent use. An error denies the call; what was taken before an
// error stays taken.
type Store interface {
	Do(ctx context.Context, b *evaluator.Batch) error
}

// shared is the use of a Store.
type shared struct {
	store    Store
	mirror   *evaluator.Mirror
	recorded atomic.Bool // some policies had a sequence: sessions record
	down     atomic.Bool
	failures atomic.Int64
}

// ask asks the store. Failures are counted, and logged when they begin and
// end. A store that has no room for a counter of the call has answered, and of
// one whose caller no longer waits nobody knows.
func (a *Authorizer) ask(ctx context.Context, b *evaluator.Batch) (err error) {
	s := a.shared
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the store panicked: %s", panicText(p))
		}
		switch {
		case err != nil && errors.Is(ctx.Err(), context.Canceled):
		case err != nil && !errors.Is(err, evaluator.ErrNoRoom):
			s.failures.Add(1)
			if !s.down.Swap(true) {
				a.logger().Error("the limit store does not answer; calls that need it are denied", zap.Error(err))
			}
		case s.down.Load() && s.down.Swap(false):
			a.logger().Warn("the limit store answers again", zap.Int64("failures", s.failures.Load()))
		}
	}()
	return s.store.Do(ctx, b)
}

// StoreFailures is how often Options.Store did not answer so far.
func (a *Authorizer) StoreFailures() int64 {
	if a == nil || a.shared == nil {
		return 0
	}
	return a.shared.failures.Load()
}

// settle takes the limits of an allowed call, or looks what they say of one
// that is not.
func (a *Authorizer) settle(ctx context.Context, d *decision) *evaluator.Verdict {
	if d.guarded {
		d.eval.Guarded()
	}
	if a.shared == nil {
		return d.eval.Settle(a.state)
	}
	if a.shared.recorded.Load() {
		d.eval.Recorded()
	}
	v, _ := d.eval.SettleShared(a.shared.mirror, func(b *evaluator.Batch) error { return a.ask(ctx, b) })
	return v
}

// giveBack returns what a decision took that is not delivered as allowed. A
// store that does not answer keeps it: that permits less, not more.
func (a *Authorizer) giveBack(ctx context.Context, d *decision) {
	if len(d.used) > 0 && ctx != nil {
		a.notRun(ctx, d)
	}
	if a.shared == nil {
		d.eval.GiveBack(a.state)
		return
	}
	if ctx == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	_ = d.eval.GiveBackShared(func(b *evaluator.Batch) error { return a.ask(ctx, b) })
}

// peek is settle that takes nothing.
func (a *Authorizer) peek(ctx context.Context, e *evaluator.Evaluation) *evaluator.Verdict {
	if a.shared == nil {
		return e.Peek(a.state)
	}
	v, _ := e.PeekShared(a.shared.mirror, func(b *evaluator.Batch) error { return a.ask(ctx, b) })
	return v
}

// session opens or ends a session of the store.
func (a *Authorizer) session(ctx context.Context, op evaluator.Op, project, id string) error {
	b := &evaluator.Batch{Op: op, Project: project, Session: id, Records: a.shared.recorded.Load()}
	if err := evaluator.CheckSession(project, id); err != nil {
		return err
	}
	if err := a.ask(ctx, b); err != nil {
		return err
	}
	if op == evaluator.OpOpen && !b.Open {
		return errors.New("veto: the store has not opened the session")
	}
	return nil
}

func newShared(s Store) *shared {
	if s == nil {
		return nil
	}
	return &shared{store: s, mirror: evaluator.NewMirror()}
}

// correct says what a held call costs.
func (a *Authorizer) correct(ctx context.Context, h *evaluator.Hold, policyID, ruleID, actual string) error {
	if h.Shared() {
		return h.CorrectShared(policyID, ruleID, actual, func(b *evaluator.Batch) error { return a.ask(ctx, b) })
	}
	now, err := a.now()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrReservation, err)
	}
	return a.state.Correct(h, now, policyID, ruleID, actual)
}

// succeeded says that a held call succeeded.
func (a *Authorizer) succeeded(ctx context.Context, h *evaluator.Hold) error {
	if h == nil {
		return nil
	}
	if !h.Shared() {
		a.state.Succeeded(h)
		return nil
	}
	return h.SucceededShared(func(b *evaluator.Batch) error { return a.ask(ctx, b) })
}
