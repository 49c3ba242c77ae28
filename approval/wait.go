package approval

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// watcher is told when a ticket changes in this process.
type watcher struct {
	changed chan struct{} // closed once
	waiting int
}

// Wait waits until a ticket has been answered, has expired, or ctx is done. A
// nil error says that it is approved, which the caller still has to use; else
// the error is ErrDenied, ErrExpired, ErrUsed, ErrNotFound, ErrForged, or that
// of ctx or of the store. What this process resolves it sees at once, what
// another one does after at most Options.Poll.
func (b *Book) Wait(ctx context.Context, id string) (Ticket, error) {
	if err := b.ready(); err != nil {
		return Ticket{}, err
	}
	for {
		t, changed, stop, err := b.watch(ctx, id)
		if err != nil {
			return Ticket{}, err
		}
		if t.State != Pending {
			stop()
			if err := t.State.Err(); err != nil {
				return t, refusal(id, err, nil)
			}
			return t, nil
		}
		timer := time.NewTimer(max(min(b.opts.Poll, t.Expires.Sub(b.now())), time.Millisecond))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
			err = ctx.Err()
		}
		timer.Stop()
		stop()
		if err != nil {
			return t, err
		}
	}
}

// watch returns a ticket and a channel that is closed when it changes after
// that. The caller stops the watch.
func (b *Book) watch(ctx context.Context, id string) (t Ticket, changed <-chan struct{}, stop func(), err error) {
	b.mu.Lock()
	w := b.watchers[id]
	if w == nil {
		w = &watcher{changed: make(chan struct{})}
		b.watchers[id] = w
	}
	w.waiting++
	b.mu.Unlock()
	stop = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if w.waiting--; w.waiting == 0 && b.watchers[id] == w {
			delete(b.watchers, id)
		}
	}
	t, err = b.Get(ctx, id)
	if err != nil {
		stop()
		return Ticket{}, nil, nil, err
	}
	return t, w.changed, stop, nil
}

// notify wakes those who wait for a ticket.
func (b *Book) notify(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.watchers[id]; w != nil {
		close(w.changed)
		delete(b.watchers, id)
	}
}

// Approver puts a ticket to a human: on a terminal, in a chat.
type Approver interface {
	// Ask returns what the human said. ctx is done when the ticket expires;
	// then, and where nobody can be asked, Ask returns an error, which leaves
	// the ticket pending.
	Ask(ctx context.Context, t Ticket) (Answer, error)
}

// Ask puts a pending ticket to an approver and resolves it by the answer. It
// returns the ticket as it is then, with the errors of Wait; a ticket that is
// not pending is not asked about. An approver that fails or panics leaves the
// ticket pending.
func (b *Book) Ask(ctx context.Context, a Approver, id string) (Ticket, error) {
	t, err := b.Get(ctx, id)
	if err != nil {
		return Ticket{}, err
	}
	if t.State != Pending {
		return t, wrapState(&t)
	}
	limited, cancel := context.WithTimeout(ctx, t.Expires.Sub(b.now()))
	defer cancel()
	answer, err := ask(limited, a, t)
	if err != nil {
		return t, fmt.Errorf("%w: %s: %w", ErrPending, id, err)
	}
	err = b.Answer(ctx, id, answer)
	now, getErr := b.Get(ctx, id)
	if err = errors.Join(err, getErr); err != nil {
		return now, err
	}
	return now, wrapState(&now)
}

// ask calls the approver, which is code of others.
func ask(ctx context.Context, a Approver, t Ticket) (answer Answer, err error) {
	defer func() {
		if r := recover(); r != nil {
			// What it panicked with may show what is secret.
			answer, err = Answer{}, errors.New("approval: the approver panicked")
		}
	}()
	if a == nil {
		return Answer{}, fmt.Errorf("%w: no approver", ErrInvalid)
	}
	t.Parameters = bytes.Clone(t.Parameters)
	return a.Ask(ctx, t)
}

func wrapState(t *Ticket) error {
	if err := t.State.Err(); err != nil {
		return refusal(t.ID, err, nil)
	}
	return nil
}
