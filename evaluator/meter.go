package evaluator

import (
	"time"
)

// MeterKind is what a limit counts, and how.
type MeterKind uint8

const (
	// CountCalls is a rolling window of calls.
	CountCalls MeterKind = iota
	// TokenBucket paces calls: as many at once as the limit says, and then
	// evenly over its window.
	TokenBucket
	// SumAmounts is a running sum, in a rolling window or in a session.
	SumAmounts
	// CountValues is the number of different values of a parameter, in a
	// rolling window or in a session.
	CountValues
	// Tally is a number of calls that go up and down, in a session.
	Tally
)

// meter is what was counted for one key. Times are nanoseconds from the base
// of its State and never go back.
type meter interface {
	// look reports whether there is room for t now, and if not, how long it
	// is until there is; 0 where waiting does not help.
	look(now int64, t *take) (fits bool, wait time.Duration)
	// add counts t, which fits.
	add(now int64, t *take)
	// remove takes back what add counted, as far as it still counts.
	remove(now int64, t *take)
	// usage says what is counted now.
	usage(now int64) Usage
	// idle reports that nothing is counted any more.
	idle(now int64) bool
}

// newMeter returns a meter of l that has counted nothing.
func newMeter(l *limit) meter {
	switch l.meter {
	case CountCalls:
		return &callMeter{window: int64(l.window)}
	case TokenBucket:
		return newBucket(l.max, l.window)
	case SumAmounts:
		return &sumMeter{window: int64(l.window)}
	case CountValues:
		return newValueMeter(int64(l.window))
	default:
		return &tallyMeter{}
	}
}
