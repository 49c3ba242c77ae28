package approval

import (
	"context"
	"strconv"
	"strings"
)

// Store keeps entries that are written once and never changed. [Dir] keeps
// them as files, [Memory] for the life of a program; package approvaltest
// checks those that others write.
//
// Names are at most 64 letters, digits, dots, dashes and underscores. Entries
// have at most 256 KiB. The methods may be called from several goroutines, and
// the same entries may be reached from several processes. Slices belong to the
// caller.
type Store interface {
	// Create makes an entry, whole or not at all. Of several callers for one
	// name exactly one succeeds; the others get an error that is
	// fs.ErrExist. In both cases the entry survives a crash of the machine
	// once Create has returned. Any other error leaves open whether the
	// entry is there.
	Create(ctx context.Context, name string, data []byte) error
	// Read returns an entry, or an error that is fs.ErrNotExist. Where there
	// is something else under the name, the error is ErrForged.
	Read(ctx context.Context, name string) ([]byte, error)
	// List returns the names of all entries, in any order.
	List(ctx context.Context) ([]string, error)
	// Remove removes an entry. That it is not there is no error.
	Remove(ctx context.Context, name string) error
}

// Locker is a Store in which one caller of any process can keep the others
// out, for moments. With a Store that is none, two processes that open tickets
// at the same moment can have one each for the same call, and exceed the
// bounds on pending tickets and grants by as many as there are processes; and
// a resolution that somebody spoilt is not repaired. A use needs no lock.
type Locker interface {
	Store
	// Lock waits until nobody else has the lock, or ctx is done. The lock
	// ends with unlock, and with the process.
	Lock(ctx context.Context) (unlock func(), err error)
}

// maxEntryBytes bounds an entry. A ticket has at most six times the bytes of
// its parameters, for escapes, and a resolution those of a grant.
const maxEntryBytes = 256 << 10

// The parts of a ticket, each an entry under its id and one of these. None is
// ever changed; what has become of a ticket follows from which are there.
const (
	ticketPart     = ".ticket"
	resolutionPart = ".resolution"
	revokedPart    = ".revoked" // holds by being there
	usedPart       = ".used"    // holds by being there
	donePart       = ".done"
	grantUsePart   = ".use." // and the number of the use, from 1; holds by being there
)

// parts says which entries of a ticket are there.
type parts uint8

const (
	hasTicket parts = 1 << iota
	hasResolution
	hasRevoked
	hasUsed
	hasDone
)

var partBits = map[string]parts{
	ticketPart: hasTicket, resolutionPart: hasResolution, revokedPart: hasRevoked, usedPart: hasUsed, donePart: hasDone,
}

// idLength is the length of an id: the prefix and a UUID.
const idLength = len(idPrefix) + 36

// parseName takes the name of an entry apart. use is the number of the use of
// a grant, else 0.
func parseName(name string) (id string, part parts, use int, ok bool) {
	if len(name) <= idLength || !isID(name[:idLength]) {
		return "", 0, 0, false
	}
	id, rest := name[:idLength], name[idLength:]
	if number, is := strings.CutPrefix(rest, grantUsePart); is {
		use, err := strconv.Atoi(number)
		return id, 0, use, err == nil && use >= 1 && use <= MaxGrantTimes && number == strconv.Itoa(use)
	}
	part, ok = partBits[rest]
	return id, part, 0, ok
}

// isID reports whether id is one that a ticket can have; nothing else is ever
// made part of a name.
func isID(id string) bool {
	uuid, ok := strings.CutPrefix(id, idPrefix)
	if !ok || len(id) != idLength {
		return false
	}
	for i := range len(uuid) {
		switch c := uuid[i]; i {
		case 8, 13, 18, 23:
			ok = ok && c == '-'
		default:
			ok = ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'f')
		}
	}
	return ok
}

func grantUse(id string, n int) string { return id + grantUsePart + strconv.Itoa(n) }
