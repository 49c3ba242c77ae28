package approval

import (
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/useveto/veto-go/internal/fold"
	"github.com/useveto/veto-go/internal/visible"
	"github.com/useveto/veto-go/rules"
)

// Answer is what a human says to a ticket. The zero Answer is a denial by
// nobody, which is invalid.
type Answer struct {
	Approve bool
	// By names the human: 1..255 bytes of UTF-8 without control characters,
	// something of which can be seen, and not the agent of the ticket, in
	// whatever case or with what spaces.
	By string
	// Grant, if not nil, approves further calls too. It goes with Approve.
	Grant *Grant
}

// Resolution is an Answer that is signed, so that it can be made in one
// program and sent, as JSON say, to the one that has the book.
type Resolution struct {
	TicketID string    `json:"ticketId"`
	Approve  bool      `json:"approve"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Grant    *Grant    `json:"grant,omitempty"`
	// MAC is HMAC-SHA-256 over all of the above and all of the ticket but its
	// status.
	MAC []byte `json:"mac"`
}

// Sign returns the resolution of t by a, given at a time within the time of
// the ticket. It returns ErrInvalid for an answer that is out of bounds, and
// ErrExpired. The ticket must be as a Book returned it; its status does not
// matter. The resolution shares the constraints of the grant.
func (k *Key) Sign(t Ticket, a Answer, at time.Time) (Resolution, error) {
	if k.zero() {
		return Resolution{}, fmt.Errorf("%w: no key", ErrInvalid)
	}
	r := Resolution{TicketID: t.ID, Approve: a.Approve, By: a.By, At: milliseconds(at)}
	if a.Grant != nil {
		g := *a.Grant
		g.Until = milliseconds(g.Until)
		r.Grant = &g
	}
	if err := r.check(&t); err != nil {
		return Resolution{}, err
	}
	message, err := r.encode(&t)
	if err != nil {
		return Resolution{}, err
	}
	r.MAC = sum(k.resolution, message)
	return r, nil
}

// verify returns ErrForged unless r was signed with the key, for this ticket
// as it is.
func (k *Key) verify(t *Ticket, r *Resolution) error {
	message, err := r.encode(t)
	if err != nil || r.TicketID != t.ID || !hmac.Equal(r.MAC, sum(k.resolution, message)) {
		return fmt.Errorf("%w: resolution of %s", ErrForged, t.ID)
	}
	return r.check(t)
}

// check checks all but the signature.
func (r *Resolution) check(t *Ticket) error {
	if squash(r.By) == "" || !plain(r.By, rules.MaxName) {
		return fmt.Errorf("%w answer: the name of the approver is missing or shows nothing, longer than %d bytes, no UTF-8, or has a control character", ErrInvalid, rules.MaxName)
	}
	if squash(r.By) == squash(t.Agent) {
		return fmt.Errorf("%w answer: the approver is the agent", ErrInvalid)
	}
	if !t.validAt(r.At) {
		return fmt.Errorf("%w: answered outside its time: %s", ErrExpired, t.ID)
	}
	if r.Grant == nil {
		return nil
	}
	if !r.Approve {
		return fmt.Errorf("%w answer: a grant with a denial", ErrInvalid)
	}
	return r.Grant.check(r.At)
}

// squash returns what can be seen of a name, whatever its case.
func squash(name string) string {
	return fold.String(strings.Map(func(r rune) rune {
		if visible.Unseen(r) {
			return -1
		}
		return r
	}, name))
}

// encode returns what a resolution authenticates.
func (r *Resolution) encode(t *Ticket) (encoder, error) {
	e := t.encode(nil).bool(r.Approve).text(r.By).time(r.At).bool(r.Grant != nil)
	if r.Grant == nil {
		return e, nil
	}
	return r.Grant.encode(e)
}

// seal returns the entry of the resolution.
func (r *Resolution) seal(k *Key) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("approval: encode a resolution: %w", err)
	}
	return k.seal(r.TicketID+resolutionPart, body), nil
}

// openResolution reads the entry of the resolution of t.
func (k *Key) openResolution(t *Ticket, entry []byte) (*Resolution, error) {
	name := t.ID + resolutionPart
	body, err := k.unseal(name, entry)
	if err != nil {
		return nil, err
	}
	r := new(Resolution)
	if err := json.Unmarshal(body, r); err != nil {
		return nil, fmt.Errorf("%w: %s", ErrForged, name)
	}
	if err := k.verify(t, r); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrForged, name, err)
	}
	return r, nil
}
