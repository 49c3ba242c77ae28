package approval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// roomForGrant returns ErrLimit where no grant may be added.
func (b *Book) roomForGrant(ctx context.Context) error {
	if _, err := b.scan(ctx); err != nil {
		return err
	}
	defer b.hold()()
	live := 0
	for e := range b.index.granted {
		if e.uses < e.grant.Times {
			live++
		}
	}
	if live >= MaxGrants {
		return fmt.Errorf("%w: %d grants are live", ErrLimit, MaxGrants)
	}
	return nil
}

// Grants returns the live grants that cover calls with this binding, whatever
// its arguments, the oldest first. Whether the arguments keep the constraints
// of one is for the caller to find out; then UseGrant. Where it knows of none
// it lists the store.
func (b *Book) Grants(ctx context.Context, binding Binding) ([]LiveGrant, error) {
	if err := b.ready(); err != nil {
		return nil, err
	}
	grants := b.grants(binding)
	if len(grants) > 0 {
		return grants, nil
	}
	if _, err := b.scan(ctx); err != nil {
		return nil, err
	}
	return b.grants(binding), nil
}

func (b *Book) grants(binding Binding) (grants []LiveGrant) {
	defer b.hold()()
	for e := range b.index.granted {
		if e.uses < e.grant.Times && e.grant.covers(e.binding, binding) {
			grants = append(grants, LiveGrant{ID: e.id, Binding: e.binding, By: e.by, Grant: e.grant.clone(), Left: e.grant.Times - e.uses})
		}
	}
	slices.SortFunc(grants, func(x, y LiveGrant) int { return strings.Compare(x.ID, y.ID) })
	return grants
}

// UseGrant takes one of the uses of a grant, for a call with this binding whose
// arguments keep the grant's constraints. A nil error says that the use is
// counted, durably: run the call, once. With any error it must not run; a use
// may be gone all the same.
//
// The errors: ErrNotFound where there is no such grant, ErrForged, ErrMismatch,
// ErrDenied where it was revoked, ErrExpired, and ErrUsed where no use is left.
func (b *Book) UseGrant(ctx context.Context, id string, binding Binding) error {
	if err := b.ready(); err != nil {
		return err
	}
	if err := binding.check(); err != nil {
		return err
	}
	t, err := b.load(ctx, id)
	switch {
	case err != nil:
		return err
	case t.Grant == nil:
		return refusal(id, ErrNotFound, t.flaw())
	}
	if !t.Grant.covers(t.Binding, binding) {
		return refusal(id, ErrMismatch, nil)
	}
	if err := b.grantValid(&t.Ticket); err != nil {
		return err
	}
	for {
		n := b.nextUse(id)
		if n > t.Grant.Times {
			return refusal(id, ErrUsed, nil)
		}
		err := b.writeMark(ctx, grantUse(id, n), mark{})
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		b.sawUse(id, n)
		if err == nil {
			break
		}
	}
	// As for a ticket: what was so before the mark may have changed.
	if t, err = b.load(ctx, id); err != nil {
		return err
	}
	return b.grantValid(&t.Ticket)
}

// grantValid returns why the grant of t cannot be used now, if so.
func (b *Book) grantValid(t *Ticket) error {
	now := b.now()
	switch over := b.grantOver(t.ID); {
	case t.Revoked:
		return refusal(t.ID, ErrDenied, nil)
	case over, !now.Before(t.Grant.Until), t.ResolvedAt.After(now.Add(skew)):
		return refusal(t.ID, ErrExpired, nil)
	}
	return nil
}

// grantOver reports whether a grant has ended, as far as is known: also where
// the clock went back since.
func (b *Book) grantOver(id string) bool {
	defer b.hold()()
	e := b.index.byID[id]
	return e == nil || e.grant == nil
}

// nextUse returns the first use of a grant that may be free.
func (b *Book) nextUse(id string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.index.byID[id]; e != nil {
		return e.uses + 1
	}
	return MaxGrantTimes + 1
}

func (b *Book) sawUse(id string, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.index.byID[id]; e != nil {
		e.uses = max(e.uses, n)
	}
}
