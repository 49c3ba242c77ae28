package approval

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/useveto/veto-go/rules"
)

// listed is what the names of the store say of one ticket.
type listed struct {
	parts parts
	uses  int // the highest number of a use of its grant
	names []string
}

// scan brings the index up to date with what other processes have written. It
// lists the store, and reads the tickets that are new or have a new part. It
// returns the names of entries that belong to no authentic ticket.
func (b *Book) scan(ctx context.Context) (strays []string, err error) {
	names, err := b.store.List(ctx)
	if err != nil {
		return nil, err
	}
	tickets := make(map[string]*listed)
	for _, name := range names {
		id, part, use, ok := parseName(name)
		if !ok {
			continue
		}
		l := tickets[id]
		if l == nil {
			l = new(listed)
			tickets[id] = l
		}
		l.parts |= part
		l.uses = max(l.uses, use)
		l.names = append(l.names, name)
	}
	read, gone := b.compare(tickets)
	for _, id := range slices.Concat(read, gone) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, err := b.load(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			b.forget(id)
		case err != nil:
			// One file that is amiss must not stop all others. What is not
			// authentic never will be; what cannot be read is tried again.
			b.refuse(id, errors.Is(err, ErrForged))
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, l := range tickets {
		e := b.index.byID[id]
		if e == nil {
			strays = append(strays, l.names...)
			continue
		}
		e.uses = max(e.uses, l.uses)
	}
	return strays, nil
}

// compare returns the ids of tickets to read because they may have changed, and
// of those that seem to be gone. The listing can be older than the index: what
// it lacks is looked for before it is forgotten.
func (b *Book) compare(tickets map[string]*listed) (read, gone []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.index.refused {
		if l := tickets[id]; l == nil || l.parts&hasTicket == 0 {
			delete(b.index.refused, id)
		}
	}
	for id, l := range tickets {
		e := b.index.byID[id]
		if l.parts&hasTicket != 0 && !b.index.refused[id] && (e == nil || l.parts&^e.seen != 0) {
			read = append(read, id)
		}
	}
	for id := range b.index.byID {
		if l := tickets[id]; l == nil || l.parts&hasTicket == 0 {
			gone = append(gone, id)
		}
	}
	return read, gone
}

// refuse remembers a ticket that is not authentic, or cannot be read now. What
// is known of the latter stays known.
func (b *Book) refuse(id string, forever bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if forever {
		b.index.forget(id)
	}
	b.index.refused[id] = forever
}

// List returns the tickets that are in one of the states, or all, in the order
// in which they were opened. What is used and has no Outcome may or may not
// have run.
//
// The error names every entry that is not authentic or could not be read; the
// tickets are right all the same, and an approval whose entry is named is none.
func (b *Book) List(ctx context.Context, states ...State) ([]Ticket, error) {
	if err := b.ready(); err != nil {
		return nil, err
	}
	if _, err := b.scan(ctx); err != nil {
		return nil, err
	}
	var flaws []error
	var tickets []Ticket
	for _, id := range b.ids() {
		t, err := b.load(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			flaws = append(flaws, err)
			continue
		}
		flaws = append(flaws, t.flaws...)
		if len(states) == 0 || slices.Contains(states, t.State) {
			tickets = append(tickets, t.Ticket)
		}
	}
	return tickets, errors.Join(flaws...)
}

// ids returns the ids that are known, also those that are refused, sorted: by
// time, then.
func (b *Book) ids() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := make([]string, 0, len(b.index.byID)+len(b.index.refused))
	for id := range b.index.byID {
		ids = append(ids, id)
	}
	for id := range b.index.refused {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// clean removes at most n tickets from the store that need not be kept. The
// ticket goes first and the uses last: what is left of a removal that is cut
// short cannot be used. Failures are left to the next process.
func (b *Book) clean(ctx context.Context, n int) {
	for _, e := range b.removable(n) {
		for _, part := range []string{ticketPart, resolutionPart, revokedPart, donePart, usedPart} {
			if b.store.Remove(ctx, e.id+part) != nil {
				return
			}
		}
		for use := range e.uses {
			_ = b.store.Remove(ctx, grantUse(e.id, use+1))
		}
	}
}

func (b *Book) removable(n int) []*entry {
	now := b.now()
	defer b.hold()()
	return b.index.removable(now, b.opts.Keep, n)
}

// removeStrays removes those entries without a ticket that are so old, by their
// ids, that no ticket can have been valid.
func (b *Book) removeStrays(ctx context.Context, names []string) {
	limit := b.now().Add(-MaxTTL - MaxGrantTime).Add(-b.opts.Keep) // one duration might not hold the sum
	for _, name := range names {
		id, _, _, _ := parseName(name)
		if opened(id).Before(limit) {
			_ = b.store.Remove(ctx, name)
		}
	}
}

// opened returns the time in an id.
func opened(id string) time.Time {
	var uuid rules.ID
	if uuid.UnmarshalText([]byte(id[len(idPrefix):])) != nil {
		return time.Time{}
	}
	var ms int64
	for _, b := range uuid[:6] {
		ms = ms<<8 | int64(b)
	}
	return time.UnixMilli(ms)
}
