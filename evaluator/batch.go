package evaluator

import (
	"errors"
	"time"
)

// ErrNoRoom is the error of a shared store that has no room for a counter of
// the call, and has taken nothing. The call is denied as by any error of it, but
// the store has answered.
var ErrNoRoom = errors.New("too many live counters of one agent or session")

// Op is what a shared store is asked to do.
type Op uint8

const (
	// OpLook answers as OpTake would, and changes nothing.
	OpLook Op = iota
	// OpTake takes everything, where nothing stands against it, and remembers
	// Event; or nothing.
	OpTake
	// OpGiveBack takes back what OpTake took, by its marks, and appends Event.
	OpGiveBack
	// OpCorrect makes Actual the amount of takes that sum.
	OpCorrect
	// OpOpen begins the session, unless it is open.
	OpOpen
	// OpEnd forgets the session.
	OpEnd
	// OpAppend appends Event to the history of the session, where it is open.
	OpAppend
)

// Batch is a question to a shared store, which is answered in one round trip
// and atomically: what it takes, it takes together or not at all. All of it
// is about one project.
type Batch struct {
	Op      Op
	Project string
	Agent   string // for the bound on the counters of one agent
	Session string // "" for none

	Takes []Take

	// NeedsSession: nothing is taken where the session is not open.
	NeedsSession bool
	// NeedsHistory: nothing is taken unless the session is the opening Begun of
	// it, "" for any, and has exactly Known events. Else the store answers
	// Stale, with the events after Known, or with all of another opening.
	NeedsHistory bool
	Known        int64
	// Begun names an opening of the session. What OpAppend appends, and
	// OpGiveBack, is about that one, and is dropped in another. The store
	// answers with the one that there is.
	Begun string
	// Event is appended to the history of the session, where that is open and
	// something was taken.
	Event []byte
	// Records, of OpOpen: every call that is allowed in the session will be
	// appended.
	Records bool

	// What the store answers:

	Now    time.Time // by its clock, which never goes back for a key
	Open   bool      // the session is
	Record bool      // of an open session: it was opened with Records
	Stale  bool
	Length int64   // of the history, with Event
	Events []Event // where Stale: as many of the latest as there are after Known
	Taken  bool
}

// Take is one limit of a Batch.
type Take struct {
	// Key is the counter, at most a few kilobytes. Different keys are
	// different counters; a store may keep a digest of at least 128 bits.
	Key    []byte
	Kind   MeterKind
	Window time.Duration // 0 of a counter that ends with the session
	// Counts: the take restricts nothing, and is counted with the others, also
	// past its bound; a counter of a session only where that is open.
	Counts bool
	Max    int    // of CountCalls, TokenBucket, CountValues and Tally
	Sum    string // of SumAmounts: the most, as decimal.Amount.Digits: 39 digits
	Amount string // of SumAmounts: what the call adds, likewise
	Actual string // of OpCorrect, likewise
	Value  []byte // of CountValues
	By     int    // of Tally: -1, 0 or 1

	// What the store answers:

	Fits       bool
	RetryAfter time.Duration // until it does; 0 where that is never
	Used       string        // a number, or of SumAmounts its 39 digits
	ResetIn    time.Duration // until nothing is used any more
	// Mark is what OpGiveBack and OpCorrect need to find it again.
	Mark string
}

// Event is a call in the history of a session.
type Event struct {
	Number int64 // from 1
	At     time.Time
	Data   []byte
}
