package vetoredis_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/evaluator"
)

// The server's clock is set back by half a window, a call is counted, and then
// nothing happens until the clock has caught up with the counter. What comes
// then joins the newest entry, whose key was written by the clock that was
// behind, and counts for a whole window all the same.
func TestCallsOfACounterThatWasCaughtUpWithAreKept(t *testing.T) {
	const window, most = time.Hour, 100
	for name, takes := range map[string][]evaluator.Take{
		"one limit": {calls("k", window, most)}, "two": {calls("k", window, most), calls("l", window, 10*most)},
	} {
		for _, back := range []time.Duration{time.Minute, window / 2, window - time.Second, window, window + 20*time.Second} {
			t.Run(name+" "+back.String(), func(t *testing.T) {
				store, c := withClock(t)
				a := &asks{t, store}
				take := func() bool { return a.take("", append([]evaluator.Take(nil), takes...)...).Taken }
				require.True(t, take())
				c.age(-back)
				require.True(t, take())
				taken := 0
				c.age(back + time.Second) // it is a second after the first call
				for take() {
					taken++
				}
				require.GreaterOrEqual(t, taken, most-2)
				for range 119 { // for an hour less half a minute
					c.age(30 * time.Second)
					require.LessOrEqual(t, taken, most)
					for take() {
						taken++
					}
				}
				require.LessOrEqual(t, taken, most, "in one hour by the server's clock")
			})
		}
	}
}
