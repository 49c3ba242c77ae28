package veto

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/useveto/veto-go/evaluator"
)

// Reservation is what an allowed call holds of the budgets that it is part
// of, until its true cost is known. It is safe for use by one goroutine at a
// time. A Reservation of which nobody hears again stays counted as it was
// reserved, and its call as one that did not succeed.
// The zero Reservation is that of a call that was not allowed.
type Reservation struct {
	a    *Authorizer
	hold *evaluator.Hold
	of   bool // an allowed call
}

// Reserve decides a call as Decide does, for a caller who will say what it
// cost and whether it succeeded. The error is nil exactly when the call is
// allowed, and else the Reservation is good for nothing.
func (a *Authorizer) Reserve(ctx context.Context, call Call) (res Reservation, r Result, err error) {
	d := pool.Get().(*decision)
	d.call, d.guarded = call, true
	if err = a.decide(ctx, d, &r); err == nil {
		res = Reservation{a, d.eval.Hold(), true}
	}
	d.release()
	return res, r, err
}

// Commit says that the call was made and succeeded, and what it cost: actual,
// a number from 0 up to and without 10^18, takes the place of what was
// reserved in every budget that sums. Costs above what was reserved count in
// full, also past the bound of the budget, which then denies until there is
// room again. An empty actual keeps what was reserved.
func (r Reservation) Commit(ctx context.Context, actual json.Number) error {
	if err := r.correct(ctx, "", "", actual); err != nil {
		return err
	}
	return r.succeed(ctx)
}

// CommitBudget says what the call cost in the budget of one rule, where its
// budgets sum different things.
func (r Reservation) CommitBudget(ctx context.Context, policyID, ruleID string, actual json.Number) error {
	if err := r.correct(ctx, policyID, ruleID, actual); err != nil {
		return err
	}
	return r.succeed(ctx)
}

// Refund says that the call cost nothing and did not succeed. It still counts
// as a call.
func (r Reservation) Refund(ctx context.Context) error { return r.correct(ctx, "", "", "0") }

func (r Reservation) succeed(ctx context.Context) error {
	if r.hold == nil || ctx == nil {
		return nil
	}
	return r.a.succeeded(context.WithoutCancel(ctx), r.hold)
}

func (r Reservation) correct(ctx context.Context, policyID, ruleID string, actual json.Number) error {
	if !r.of {
		return errors.New("veto: the call of this Reservation was not allowed")
	}
	if actual == "" || r.hold == nil {
		return nil
	}
	if ctx == nil {
		return errors.New("veto: Commit: the context is nil")
	}
	now, err := r.a.now()
	if err != nil {
		return err
	}
	// What it cost is so also when the caller no longer waits.
	ok, err := r.a.correct(context.WithoutCancel(ctx), r.hold, now, policyID, ruleID, string(actual))
	if err != nil {
		return err
	}
	if !ok && actual != "0" {
		return fmt.Errorf("veto: Commit: %.40q is no number from 0 up to 10^18 with at most 18 digits after the point, or the call is part of no such budget", string(actual))
	}
	return nil
}
