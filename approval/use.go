package approval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Use uses the ticket up, for the call with this binding. A nil error says
// that the ticket was approved for exactly this call, is still valid, and is
// used now, durably, and by nobody else: run the call, once, and then call
// Done. With any other error the call must not run; the ticket may be used up
// all the same.
//
// The errors: ErrNotFound, ErrForged, ErrMismatch, and those of [State.Err].
func (b *Book) Use(ctx context.Context, id string, binding Binding) error {
	if err := b.ready(); err != nil {
		return err
	}
	t, err := b.load(ctx, id)
	if err != nil {
		return err
	}
	if !t.equal(&binding) {
		return fmt.Errorf("%w: %s", ErrMismatch, id)
	}
	if err := t.State.Err(); err != nil {
		return refusal(id, err, t.flaw())
	}
	// Whoever makes the mark has the use. Nothing that happens from here on
	// gives it back.
	err = b.writeMark(ctx, id+usedPart, mark{})
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	t.State = Used
	b.note(&t.Ticket, hasUsed)
	b.notify(id)
	if err != nil {
		return refusal(id, ErrUsed, nil)
	}
	// What was so before the mark need not be so after it: the write may have
	// taken long. Who revoked a ticket looks for the mark afterwards, so that
	// one of the two sees the other; and who removes a ticket begins with the
	// ticket, so that where the mark of another use is gone, it is too.
	after, err := b.load(ctx, id)
	switch {
	case err != nil:
		return err
	case after.Revoked:
		err = refusal(id, ErrDenied, nil)
	case !after.validAt(b.now()):
		err = refusal(id, ErrExpired, nil)
	default:
		return nil
	}
	// So that nobody wonders what came of it; if this fails, they may.
	_ = b.writeMark(ctx, id+donePart, mark{Outcome: NotRun})
	return err
}

// refusal names the ticket, and an entry that is not authentic if there is one.
func refusal(id string, err, flaw error) error {
	if flaw != nil {
		return fmt.Errorf("%w: %s: %w", err, id, flaw)
	}
	return fmt.Errorf("%w: %s", err, id)
}

// Done says what came of the call for which a ticket was used: Ran, Failed, or
// NotRun where the caller thought better of it, which does not give the ticket
// back. It returns ErrPending if the ticket is not used, and ErrMismatch if another
// outcome is recorded.
func (b *Book) Done(ctx context.Context, id string, outcome Outcome) error {
	if err := b.ready(); err != nil {
		return err
	}
	if outcome != Ran && outcome != Failed && outcome != NotRun {
		return fmt.Errorf("%w outcome", ErrInvalid)
	}
	t, err := b.load(ctx, id)
	switch {
	case err != nil:
		return err
	case t.State != Used:
		return refusal(id, ErrPending, nil)
	}
	err = b.writeMark(ctx, id+donePart, mark{Outcome: outcome})
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if t, err = b.load(ctx, id); err != nil {
		return err
	}
	if t.Outcome != outcome {
		return refusal(id, ErrMismatch, nil)
	}
	return nil
}

// Revoke takes back an approval and the grant that came with it, or denies a
// ticket that is pending. It returns ErrUsed where the call of the ticket may
// have run; its grant is taken back all the same. Nobody need sign it: it
// permits nothing.
func (b *Book) Revoke(ctx context.Context, id string) error {
	if err := b.ready(); err != nil {
		return err
	}
	if _, err := b.load(ctx, id); err != nil {
		return err
	}
	if err := b.writeMark(ctx, id+revokedPart, mark{}); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	t, err := b.load(ctx, id)
	b.notify(id)
	switch {
	case err != nil:
		return err
	case t.State == Used:
		return refusal(id, ErrUsed, nil)
	}
	return nil
}
