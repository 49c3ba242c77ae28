package approval

import "errors"

// The reasons for which this package refuses, for errors.Is. Any other error
// says that the store or the approver failed. A call may run only where there
// is no error at all.
var (
	// ErrNotFound: there is no such ticket or grant.
	ErrNotFound = errors.New("approval: no such ticket")
	// ErrForged: an entry of the store or a resolution was not made with the
	// key, or is not whole.
	ErrForged = errors.New("approval: not authentic")
	// ErrPending: nobody has answered, or the ticket is not used.
	ErrPending = errors.New("approval: the ticket is pending")
	// ErrDenied: the human said no, or took back a yes.
	ErrDenied = errors.New("approval: the ticket was denied")
	// ErrExpired: the time of the ticket or grant has passed, or is not there.
	ErrExpired = errors.New("approval: the ticket has expired")
	// ErrUsed: the ticket is used, or the grant is used up.
	ErrUsed = errors.New("approval: the ticket is used")
	// ErrLimit: there are too many pending tickets or live grants.
	ErrLimit = errors.New("approval: too many")
	// ErrMismatch: the ticket is for another call, or has another answer.
	ErrMismatch = errors.New("approval: the ticket is for something else")
	// ErrInvalid: what was given is incomplete or out of bounds.
	ErrInvalid = errors.New("approval: invalid")
)
