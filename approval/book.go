package approval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// The bounds of a Book.
const (
	MaxPending         = 1_000 // pending tickets in all
	MaxPendingPerAgent = 20    // pending tickets of one agent in one project
)

// The defaults of Options.
const (
	DefaultKeep = 7 * 24 * time.Hour
	DefaultPoll = 500 * time.Millisecond
)

// Options are the options of New.
type Options struct {
	// Now returns the time. Default time.Now.
	Now func() time.Time
	// Keep is how long a ticket stays in the store after it has expired, and
	// its grant ended. Of tickets that have expired and that nobody used, the
	// book keeps the last 10,000 only. Default DefaultKeep.
	Keep time.Duration
	// Poll is how often Wait looks for what another process has written.
	// Default DefaultPoll.
	Poll time.Duration
}

// Book keeps tickets in a store. Several books, in several processes, can have
// one store and key. It is safe for concurrent use. A nil Book refuses all.
type Book struct {
	store Store
	key   *Key
	opts  Options

	opening chan struct{} // holds one value while a ticket is opened

	mu       sync.Mutex
	index    *index
	watchers map[string]*watcher // of tickets, by id
}

// New returns a Book of the tickets in a store, which it reads. opts may be
// nil. Entries that are not authentic are no error here; List names them.
func New(store Store, key *Key, opts *Options) (*Book, error) {
	b := &Book{
		store: store, key: key, opening: make(chan struct{}, 1),
		index: newIndex(), watchers: make(map[string]*watcher),
	}
	if opts != nil {
		b.opts = *opts
	}
	switch {
	case store == nil:
		return nil, fmt.Errorf("%w book: no store", ErrInvalid)
	case key.zero():
		return nil, fmt.Errorf("%w book: no key", ErrInvalid)
	case b.opts.Keep < 0 || b.opts.Poll < 0:
		return nil, fmt.Errorf("%w book: a negative option", ErrInvalid)
	}
	if b.opts.Now == nil {
		b.opts.Now = time.Now
	}
	if b.opts.Keep == 0 {
		b.opts.Keep = DefaultKeep
	}
	if b.opts.Poll == 0 {
		b.opts.Poll = DefaultPoll
	}
	ctx := context.Background()
	strays, err := b.scan(ctx)
	if err != nil {
		return nil, err
	}
	b.removeStrays(ctx, strays)
	b.clean(ctx, maxUnused)
	return b, nil
}

// ready returns an error for a Book that New did not make.
func (b *Book) ready() error {
	if b == nil || b.store == nil {
		return fmt.Errorf("%w book: none", ErrInvalid)
	}
	return nil
}

// Digest returns the digest of the arguments of a call for a Binding, keyed, so
// that a ticket tells nobody what they could have been. arguments must be in a
// form in which equal arguments are equal bytes.
func (b *Book) Digest(arguments []byte) (Digest, error) {
	if err := b.ready(); err != nil {
		return Digest{}, err
	}
	return Digest(sum(b.key.arguments, arguments)), nil
}

// Open returns the ticket for a call: the one with an equal binding that has
// not expired and is not used, whatever its state and with its own time and
// message, or else a new one. So a call that is tried again in a loop asks
// once, also after a denial.
//
// It returns ErrInvalid for a request that is out of bounds, and ErrLimit
// where 20 tickets of the agent in the project are pending, or 1,000 in all, or
// 10,000 are pending or answered, and neither used nor over.
func (b *Book) Open(ctx context.Context, r Request) (Ticket, error) {
	if err := b.ready(); err != nil {
		return Ticket{}, err
	}
	if err := r.check(); err != nil {
		return Ticket{}, err
	}
	if t, err := b.find(ctx, r.Binding); !errors.Is(err, ErrNotFound) {
		return t, err
	}
	select {
	case b.opening <- struct{}{}:
		defer func() { <-b.opening }()
	case <-ctx.Done():
		return Ticket{}, ctx.Err()
	}
	unlock, _, err := b.lock(ctx)
	if err != nil {
		return Ticket{}, err
	}
	defer unlock()
	// Only now nobody else can make the same.
	if t, err := b.Find(ctx, r.Binding); !errors.Is(err, ErrNotFound) {
		return t, err
	}
	if err := b.room(r.Binding); err != nil {
		return Ticket{}, err
	}
	t, err := newTicket(&r, b.now())
	if err != nil {
		return Ticket{}, err
	}
	body, err := json.Marshal(t)
	if err != nil {
		return Ticket{}, fmt.Errorf("approval: encode a ticket: %w", err)
	}
	name := t.ID + ticketPart
	if err := b.store.Create(ctx, name, b.key.seal(name, body)); err != nil {
		return Ticket{}, fmt.Errorf("approval: keep a ticket: %w", err)
	}
	b.note(t, hasTicket)
	b.clean(ctx, 16)
	return *t, nil
}

// room returns ErrLimit where no ticket may be added.
func (b *Book) room(binding Binding) error {
	defer b.hold()()
	switch {
	case b.index.pending[owner{binding.Project, binding.Agent}] >= MaxPendingPerAgent:
		return fmt.Errorf("%w: %d tickets of the agent are pending", ErrLimit, MaxPendingPerAgent)
	case b.index.total >= MaxPending:
		return fmt.Errorf("%w: %d tickets are pending", ErrLimit, MaxPending)
	case b.index.live >= maxUnused:
		return fmt.Errorf("%w: %d tickets have been answered, and are neither used nor over", ErrLimit, maxUnused)
	}
	return nil
}

// Find returns the ticket with an equal binding that has not expired and is
// not used: pending, approved or denied. Of several, which only a Store
// without a lock can have, a denied one counts before an approved one. It
// returns ErrNotFound where there is none, after it has listed the store.
func (b *Book) Find(ctx context.Context, binding Binding) (Ticket, error) {
	if err := b.ready(); err != nil {
		return Ticket{}, err
	}
	t, err := b.find(ctx, binding)
	if !errors.Is(err, ErrNotFound) {
		return t, err
	}
	if _, err := b.scan(ctx); err != nil {
		return Ticket{}, err
	}
	return b.find(ctx, binding)
}

// find is Find among the tickets that this book has seen.
func (b *Book) find(ctx context.Context, binding Binding) (Ticket, error) {
	var best *Ticket
	for _, id := range b.idsOf(binding) {
		t, err := b.load(ctx, id)
		switch {
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrForged):
			b.forget(id)
			continue
		case err != nil:
			return Ticket{}, err
		}
		if t.State != Used && t.State != Expired && (best == nil || rank[t.State] > rank[best.State]) {
			best = &t.Ticket
		}
	}
	if best == nil {
		return Ticket{}, fmt.Errorf("%w for this call", ErrNotFound)
	}
	return *best, nil
}

// idsOf returns the tickets with this binding that may still be of use.
func (b *Book) idsOf(binding Binding) []string {
	defer b.hold()()
	return b.index.find(binding)
}

// Get returns a ticket and what has become of it. A resolution that is not
// authentic is none: the ticket is pending.
func (b *Book) Get(ctx context.Context, id string) (Ticket, error) {
	if err := b.ready(); err != nil {
		return Ticket{}, err
	}
	t, err := b.load(ctx, id)
	if err != nil {
		return Ticket{}, err
	}
	return t.Ticket, nil
}

func (b *Book) now() time.Time { return b.opts.Now() }

// hold locks the index, as it is at this time. The clock is asked before that:
// it is code of others, and may panic.
func (b *Book) hold() (release func()) {
	now := b.now()
	b.mu.Lock()
	b.index.advance(now, b.opts.Keep)
	return b.mu.Unlock
}

// note enters a ticket in the index.
func (b *Book) note(t *Ticket, seen parts) *entry {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.index.note(t, seen, now, b.opts.Keep)
}

func (b *Book) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.index.forget(id)
}

// lock keeps other processes out where the store can; held says whether.
func (b *Book) lock(ctx context.Context) (unlock func(), held bool, err error) {
	l, ok := b.store.(Locker)
	if !ok {
		return func() {}, false, nil
	}
	unlock, err = l.Lock(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return func() {}, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("approval: lock the store: %w", err)
	}
	return unlock, true, nil
}
