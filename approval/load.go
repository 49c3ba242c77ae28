package approval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// mark is the body of an entry that holds by being there.
type mark struct {
	At      time.Time `json:"at"`
	Outcome Outcome   `json:"outcome,omitempty"`
}

// reading is a ticket as it was read, with what has become of it.
type reading struct {
	Ticket
	resolution *Resolution // authentic, or nil
	seen       parts       // those that count
	flaws      []error     // one for each entry beside the ticket that is not authentic
}

func (r *reading) flaw() error { return errors.Join(r.flaws...) }

// load reads a ticket and enters it in the index. An entry beside the ticket
// that is not authentic is no error, and never makes the state a better one.
func (b *Book) load(ctx context.Context, id string) (*reading, error) {
	if !isID(id) {
		return nil, ErrNotFound
	}
	data, found, flaw, err := b.read(ctx, id+ticketPart)
	switch {
	case err != nil:
		return nil, err
	case flaw != nil:
		return nil, flaw
	case !found:
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	t, err := b.key.openTicket(id, data)
	if err != nil {
		return nil, err
	}
	r := &reading{Ticket: *t, seen: hasTicket}
	if err := b.loadMarks(ctx, r); err != nil {
		return nil, err
	}
	if err := b.loadResolution(ctx, r); err != nil {
		return nil, err
	}
	switch {
	case r.seen&hasUsed != 0:
		r.State = Used
	case r.Revoked, r.resolution != nil && !r.resolution.Approve:
		r.State = Denied
	case !r.validAt(b.now()):
		r.State = Expired
	case r.resolution != nil:
		r.State = Approved
	}
	b.note(&r.Ticket, r.seen)
	return r, nil
}

func (b *Book) loadMarks(ctx context.Context, r *reading) error {
	revoked, found, err := b.readMark(ctx, r.ID+revokedPart, r)
	if err != nil {
		return err
	}
	if r.Revoked = found; found {
		r.seen |= hasRevoked
		r.RevokedAt = revoked.At
	}
	used, found, err := b.readMark(ctx, r.ID+usedPart, r)
	if err != nil || !found {
		return err
	}
	r.seen |= hasUsed
	r.UsedAt = used.At
	done, found, err := b.readMark(ctx, r.ID+donePart, r)
	if found {
		r.seen |= hasDone
		r.Outcome = done.Outcome
	}
	return err
}

func (b *Book) loadResolution(ctx context.Context, r *reading) error {
	data, found, flaw, err := b.read(ctx, r.ID+resolutionPart)
	if err != nil {
		return err
	}
	if found && flaw == nil {
		r.resolution, flaw = b.key.openResolution(&r.Ticket, data)
	}
	if flaw != nil {
		r.flaws = append(r.flaws, flaw)
	}
	if r.resolution != nil {
		r.seen |= hasResolution
		r.By, r.ResolvedAt, r.Grant = r.resolution.By, r.resolution.At, r.resolution.Grant
	}
	return nil
}

// read reads an entry. found says that something is there; flaw, that it is
// not what an entry can be.
func (b *Book) read(ctx context.Context, name string) (data []byte, found bool, flaw, err error) {
	data, err = b.store.Read(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil, nil
	case errors.Is(err, ErrForged):
		return nil, true, err, nil
	case err != nil:
		return nil, false, nil, fmt.Errorf("approval: read %s: %w", name, err)
	}
	return data, true, nil, nil
}

// readMark reads an entry that holds by being there, whatever is in it.
func (b *Book) readMark(ctx context.Context, name string, r *reading) (m mark, found bool, err error) {
	data, found, flaw, err := b.read(ctx, name)
	if found && flaw == nil {
		var body []byte
		if body, flaw = b.key.unseal(name, data); flaw == nil && json.Unmarshal(body, &m) != nil {
			flaw = fmt.Errorf("%w: %s", ErrForged, name)
		}
	}
	if flaw != nil {
		r.flaws = append(r.flaws, flaw)
		m = mark{}
	}
	return m, found, err
}

// writeMark makes an entry that holds by being there. The error is
// fs.ErrExist where it is there already.
func (b *Book) writeMark(ctx context.Context, name string, m mark) error {
	m.At = milliseconds(b.now())
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("approval: encode %s: %w", name, err)
	}
	if err := b.store.Create(ctx, name, b.key.seal(name, body)); err != nil {
		return fmt.Errorf("approval: write %s: %w", name, err)
	}
	return nil
}
