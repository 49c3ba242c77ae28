package approval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/visible"
	"github.com/useveto/veto-go/rules"
)

// The bounds of a ticket.
const (
	MinTTL             = rules.MinApprovalSeconds * time.Second
	MaxTTL             = rules.MaxApprovalSeconds * time.Second
	MaxParametersBytes = 8 << 10 // compact JSON
)

// skew is how far in the future a time may be, for clocks that are not quite
// the same.
const skew = time.Minute

// State is what has become of a ticket. The zero State is Pending.
type State uint8

// The states. A ticket that was denied, or used, stays that when its time has
// passed.
const (
	Pending State = iota
	Approved
	Denied
	Expired
	Used
)

var stateNames = [...]string{Pending: "pending", Approved: "approved", Denied: "denied", Expired: "expired", Used: "used"}

// String returns the name of the state in lower case; a State that is none of
// the five reads as "pending".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return stateNames[Pending]
}

// MarshalText writes the name that String returns.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name that MarshalText writes.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("%w state", ErrInvalid)
}

// Err returns nil for Approved, and for every other state the error that says
// why a call must not run.
func (s State) Err() error {
	switch s {
	case Approved:
		return nil
	case Denied:
		return ErrDenied
	case Expired:
		return ErrExpired
	case Used:
		return ErrUsed
	}
	return ErrPending
}

// Outcome is what became of the call after its ticket was used. The zero
// Outcome says that nobody knows.
type Outcome string

// The outcomes.
const (
	OutcomeUnknown Outcome = ""
	Ran            Outcome = "ran"
	Failed         Outcome = "failed"
	NotRun         Outcome = "not_run" // it was given up, or it was too late
)

// Request asks for a ticket.
type Request struct {
	Binding Binding
	// TTL is how long the ticket is valid: 60 seconds to 24 hours. Required.
	TTL time.Duration
	// Message is shown to the human: at most 2,000 characters, no control
	// characters.
	Message string
	// Parameters are shown to the human: JSON, at most 8 KiB when compact.
	// They are stored and shown as they are, so the caller redacts them.
	Parameters []byte
}

// Ticket is one question to a human. A Ticket that a Book returns belongs to
// the caller.
type Ticket struct {
	ID string `json:"id"`
	Binding
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Message string    `json:"message,omitempty"`
	// Parameters are compact JSON. Escaped in it are <, > and &, and all that
	// moves a cursor, hides, cannot be seen or turns the direction of a text.
	Parameters json.RawMessage `json:"parameters,omitempty"`
	Status
}

// Status is what has become of a ticket; it is no part of what a resolution
// is bound to.
type Status struct {
	State State `json:"state"`
	// By, ResolvedAt and Grant are those of the resolution, if there is one.
	By         string    `json:"by,omitempty"`
	ResolvedAt time.Time `json:"resolvedAt,omitzero"`
	Grant      *Grant    `json:"grant,omitempty"`
	// Revoked says that the ticket and its grant were taken back. RevokedAt
	// is zero where the mark of that cannot be read.
	Revoked   bool      `json:"revoked,omitempty"`
	RevokedAt time.Time `json:"revokedAt,omitzero"`
	// UsedAt is zero where the ticket is not used, or the mark of the use
	// cannot be read. Outcome says what came of it.
	UsedAt  time.Time `json:"usedAt,omitzero"`
	Outcome Outcome   `json:"outcome,omitempty"`
}

const idPrefix = "apr_"

// newTicket returns the ticket for a request. It copies what it keeps.
func newTicket(r *Request, now time.Time) (*Ticket, error) {
	now = milliseconds(now)
	t := &Ticket{
		ID: idPrefix + rules.NewID(now).String(), Binding: r.Binding,
		Created: now, Expires: milliseconds(now.Add(r.TTL)), Message: r.Message,
	}
	if len(r.Parameters) > 0 {
		// As encoding/json writes it, so that a ticket that was sent as JSON
		// and read back is the same to a code.
		p, err := json.Marshal(json.RawMessage(r.Parameters))
		if err != nil {
			return nil, fmt.Errorf("%w request: the parameters are no JSON", ErrInvalid)
		}
		t.Parameters = visible.Escape(p)
	}
	return t, nil
}

// check returns an error that names what is out of bounds.
func (r *Request) check() error {
	if err := r.Binding.check(); err != nil {
		return err
	}
	switch {
	case r.TTL < MinTTL || r.TTL > MaxTTL:
		return fmt.Errorf("%w request: the time to live is not within %v and %v", ErrInvalid, MinTTL, MaxTTL)
	case !utf8.ValidString(r.Message) || strings.ContainsFunc(r.Message, unicode.IsControl) || utf8.RuneCountInString(r.Message) > rules.MaxMessage:
		return fmt.Errorf("%w request: the message has over %d characters, or control characters", ErrInvalid, rules.MaxMessage)
	case !utf8.Valid(r.Parameters):
		return fmt.Errorf("%w request: the parameters are no UTF-8", ErrInvalid)
	case compactSize(r.Parameters) > MaxParametersBytes:
		return fmt.Errorf("%w request: the parameters have over %d bytes", ErrInvalid, MaxParametersBytes)
	}
	return nil
}

// compactSize returns the size of JSON without white space. What is no JSON
// has the size that it has.
func compactSize(text []byte) int {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return len(text)
	}
	return b.Len()
}

// encode appends everything that the human was asked, and about what.
func (t *Ticket) encode(e encoder) encoder {
	e = t.Binding.encode(e.text(t.ID))
	return e.time(t.Created).time(t.Expires).text(t.Message).bytes(t.Parameters)
}

// validAt reports whether now is within the time of the ticket.
func (t *Ticket) validAt(now time.Time) bool {
	return now.Before(t.Expires) && !t.Created.After(now.Add(skew))
}

// openTicket reads the entry of a ticket.
func (k *Key) openTicket(id string, entry []byte) (*Ticket, error) {
	name := id + ticketPart
	body, err := k.unseal(name, entry)
	if err != nil {
		return nil, err
	}
	t := new(Ticket)
	if err := json.Unmarshal(body, t); err != nil || t.ID != id {
		return nil, fmt.Errorf("%w: %s", ErrForged, name)
	}
	t.Status = Status{}
	return t, nil
}
