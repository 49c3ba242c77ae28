package veto

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/evaluator"
)

// Reservation is what an allowed call holds of the budgets that it is part
// of, until its true cost is known, and the tickets that it was allowed under.
// Its end is said once: by Commit, by CommitBudget for every budget, or by
// Refund. A Reservation of which nobody hears again stays counted as it was
// reserved, and its call as one that did not succeed. It is safe for use by
// one goroutine at a time, copies included.
//
// The zero Reservation is that of a call that was not allowed. Where the mode
// lets such a call run all the same, its Reservation holds nothing, and what
// is said of it changes nothing.
type Reservation struct {
	allowed bool
	runs    bool  // it is not allowed, and runs all the same
	held    *held // nil where there is nothing to keep
}

// held is what all copies of a Reservation share.
type held struct {
	a       *Authorizer
	hold    *evaluator.Hold
	tickets []string // that were used up
	end     end
}

// end is what was said of a call.
type end uint8

const (
	open   end = iota
	partly     // the cost in some budgets
	committed
	refunded
)

// Reserve decides a call as Decide does, for a caller who will say what it
// cost and whether it succeeded. The error is nil exactly when the call is
// allowed.
func (a *Authorizer) Reserve(ctx context.Context, call Call) (res Reservation, r Result, err error) {
	d := pool.Get().(*decision)
	d.call, d.guarded = call, true
	err = a.decide(ctx, d, &r)
	res = a.reservation(d, &r)
	d.release()
	return res, r, err
}

// reservation returns what a decided call holds.
func (a *Authorizer) reservation(d *decision, r *Result) Reservation {
	if !r.Allowed {
		return Reservation{runs: r.RunsUnderMode()}
	}
	res := Reservation{allowed: true}
	if hold := d.eval.Hold(); hold != nil || len(d.used) > 0 {
		res.held = &held{a: a, hold: hold, tickets: d.used}
	}
	return res
}

// Commit says that the call was made and succeeded, and what it cost: actual,
// a number from 0 up to and without 10^18, takes the place of what was
// reserved in the budgets that sum. Costs above what was reserved count in
// full, also past the bound of the budget, which then denies until there is
// room again. An empty actual keeps what was reserved. The cost counts at the
// time of the decision: in a window that has passed since, it counts nowhere.
//
// Where the budgets of the call sum different things (two parameters, say, or
// a parameter and a fixed cost), one number cannot be the cost in all of them:
// that is an error, and CommitBudget says each. Where no budget sums, there is
// no cost to keep, and only the success counts.
//
// After an error that names the Store, what is counted is unknown: the cost
// that was reserved, or the one that was said. Nothing is said twice.
func (r Reservation) Commit(ctx context.Context, actual json.Number) error {
	if r.allowed && r.held == nil && actual == "" {
		return nil // most calls; this does not allocate
	}
	return r.commit(ctx, "Commit", "", "", actual, committed)
}

// CommitBudget says that the call was made and succeeded, and what it cost in
// the budget of one rule, where its budgets sum different things. Commit with
// an empty cost ends it: what the others reserved is then their cost.
func (r Reservation) CommitBudget(ctx context.Context, policyID, ruleID string, actual json.Number) error {
	if policyID == "" || ruleID == "" {
		return errors.New("veto: CommitBudget: no policy or no rule; Result and Usage name those of a budget")
	}
	return r.commit(ctx, "CommitBudget", policyID, ruleID, actual, partly)
}

// Refund says that the call cost nothing and did not succeed. It still counts
// as a call. What was said to have succeeded cannot be refunded.
func (r Reservation) Refund(ctx context.Context) error {
	h, err := r.ready(ctx, "Refund")
	if h == nil || err != nil {
		return err
	}
	if h.end != open {
		return errSettled("Refund")
	}
	h.end = refunded
	// It is so also when the caller no longer waits.
	ctx = context.WithoutCancel(ctx)
	return errors.Join(h.correct(ctx, "Refund", "", "", "0"), h.done(ctx, approval.Failed))
}

func (r Reservation) commit(ctx context.Context, method, policyID, ruleID string, actual json.Number, next end) error {
	h, err := r.ready(ctx, method)
	if h == nil || err != nil {
		return err
	}
	if h.end != open && h.end != partly {
		return errSettled(method)
	}
	ctx = context.WithoutCancel(ctx)
	err = h.correct(ctx, method, policyID, ruleID, string(actual))
	if errors.Is(err, ErrReservation) {
		return err // nothing has changed
	}
	first := h.end == open
	h.end = next
	if !first {
		return err
	}
	// Also where the cost was not kept, the call has succeeded.
	return errors.Join(err, h.a.succeeded(ctx, h.hold), h.done(ctx, approval.Ran))
}

// ready returns what r holds; nil where what is said changes nothing.
func (r Reservation) ready(ctx context.Context, method string) (*held, error) {
	switch {
	case r.runs:
		return nil, nil
	case !r.allowed:
		return nil, fmt.Errorf("%w: %s: the call was not allowed", ErrReservation, method)
	case ctx == nil:
		return nil, fmt.Errorf("%w: %s: the context is nil", ErrReservation, method)
	case r.held == nil:
		return &held{a: nobody}, nil
	default:
		return r.held, nil
	}
}

// ErrReservation is the error of a cost or an end that cannot be said of a
// Reservation: it was said before, is no number, or is about no such budget.
// Nothing has changed then.
var ErrReservation = errors.New("veto: Reservation")

func errSettled(method string) error {
	return fmt.Errorf("%w: %s: the end of this call was said before", ErrReservation, method)
}

func (h *held) correct(ctx context.Context, method, policyID, ruleID, actual string) error {
	err := h.a.correct(ctx, h.hold, policyID, ruleID, actual)
	about := ""
	if policyID != "" {
		about = fmt.Sprintf(" policy %q, rule %q:", policyID, ruleID)
	}
	switch {
	case errors.Is(err, evaluator.ErrNoAmount):
		err = fmt.Errorf("%w: %s:%s %w: %.40q", ErrReservation, method, about, err, actual)
	case errors.Is(err, evaluator.ErrSeveral):
		err = fmt.Errorf("%w: %s: %w; say each with CommitBudget", ErrReservation, method, err)
	case errors.Is(err, evaluator.ErrNoBudget), errors.Is(err, evaluator.ErrSaid):
		err = fmt.Errorf("%w: %s:%s %w", ErrReservation, method, about, err)
	}
	return err
}

// done says of the tickets what came of their call.
func (h *held) done(ctx context.Context, outcome approval.Outcome) error {
	var errs []error
	for _, id := range h.tickets {
		errs = append(errs, h.a.opts.Approvals.Done(ctx, id, outcome))
	}
	return errors.Join(errs...)
}
