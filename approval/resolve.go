package approval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Answer signs an answer with the key of the book and resolves the ticket by
// it. The errors are those of [Key.Sign] and [Book.Resolve].
func (b *Book) Answer(ctx context.Context, id string, a Answer) error {
	t, err := b.Get(ctx, id)
	if err != nil {
		return err
	}
	r, err := b.key.Sign(t, a, b.now())
	if err != nil {
		return err
	}
	return b.Resolve(ctx, r)
}

// Resolve approves or denies a ticket. A nil error says that this is its
// answer, durably. Nothing changes where r was not signed with the key, for
// the ticket as it is: that is ErrForged.
//
// The first answer stands. The same verdict again is no error, so that it can
// be sent again, but with another grant it is ErrMismatch. A denial after an
// approval revokes it and its grant; an approval after a denial is ErrDenied.
// ErrUsed says that it is too late, but for the grant, which a denial takes
// back all the same; ErrExpired that it is too late, and ErrLimit that a
// hundred grants are live.
func (b *Book) Resolve(ctx context.Context, r Resolution) error {
	if err := b.ready(); err != nil {
		return err
	}
	unlock, held, err := b.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	t, err := b.load(ctx, r.TicketID)
	if err != nil {
		return err
	}
	if err := b.key.verify(&t.Ticket, &r); err != nil {
		return err
	}
	now := b.now()
	switch {
	case r.At.After(now.Add(skew)):
		return fmt.Errorf("%w answer: from the future", ErrInvalid)
	case !r.Approve && t.Grant != nil && (t.State == Used || t.State == Expired):
		return b.Revoke(ctx, t.ID) // too late for the call, but not for the grant
	case t.State == Used, t.State == Expired, t.State == Denied && r.Approve:
		return refusal(t.ID, t.State.Err(), nil)
	case t.State == Denied && t.Revoked:
		return nil
	}
	if t.State == Pending && r.Grant != nil {
		if err := b.roomForGrant(ctx); err != nil {
			return err
		}
	}
	if err := b.repair(ctx, t, held); err != nil {
		return err
	}
	return b.keepResolution(ctx, &r)
}

// repair removes a resolution that is not authentic, which was never one. It
// needs the lock, lest it remove one that has come in its place.
func (b *Book) repair(ctx context.Context, t *reading, held bool) error {
	if t.resolution != nil || t.flaw() == nil {
		return nil
	}
	name := t.ID + resolutionPart
	if _, found, _, err := b.read(ctx, name); err != nil || !found {
		return err
	}
	if !held {
		return t.flaw()
	}
	return b.store.Remove(ctx, name)
}

// keepResolution writes r, or finds that it is there. It writes also where it
// could know that it is there: only then the entry is sure to be durable.
func (b *Book) keepResolution(ctx context.Context, r *Resolution) error {
	entry, err := r.seal(b.key)
	if err != nil {
		return err
	}
	err = b.store.Create(ctx, r.TicketID+resolutionPart, entry)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("approval: keep a resolution: %w", err)
	}
	t, err := b.load(ctx, r.TicketID)
	b.notify(r.TicketID)
	if err != nil {
		return err
	}
	stands := t.resolution
	switch {
	case stands == nil:
		return refusal(t.ID, ErrPending, errors.Join(t.flaw(), ErrForged))
	case stands.Approve && !r.Approve:
		return b.Revoke(ctx, t.ID)
	case r.Approve && (t.Revoked || !stands.Approve):
		return refusal(t.ID, ErrDenied, nil)
	case !sameGrant(stands.Grant, r.Grant):
		return refusal(t.ID, ErrMismatch, nil)
	}
	return nil
}
