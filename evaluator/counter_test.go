package evaluator

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A counter against the plain log of all allowed calls: exact up to 32 calls;
// above, never one too many, and never more than a sixteenth of the window
// late.
func TestCounterAgainstLog(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		l := &limit{max: 1 + rng.IntN(100), window: time.Duration(1+rng.IntN(5)) * time.Second}
		c := &counter{window: int64(l.window), latest: -1 << 62}
		var log []int64
		now, latest := int64(0), int64(-1<<62)
		for range 400 {
			step := int64(l.window) / int64(l.max)
			now += rng.Int64N(2*step + 1)
			if rng.IntN(20) == 0 {
				now -= rng.Int64N(int64(l.window)) // a clock that goes back
			}
			latest = max(latest, now)
			used, recent := 0, 0
			for _, at := range log {
				if at > latest-int64(l.window) {
					used++
				}
				if at > latest-int64(l.window)-int64(l.window)/buckets {
					recent++
				}
			}
			wait := c.wait(now, l)
			switch {
			case used >= l.max:
				require.Positive(t, wait, "one call too many")
			case l.max <= exactCalls:
				require.Zero(t, wait, "a call too few")
			case recent < l.max:
				require.Zero(t, wait, "more than a sixteenth late")
			}
			if wait > 0 {
				later := *c
				later.entries = slices.Clone(c.entries)
				require.Zero(t, later.wait(max(c.latest, now)+int64(wait), l), "there is room after the wait")
				require.LessOrEqual(t, wait, l.window)
				continue
			}
			at := c.add(now, l)
			require.Equal(t, latest, at)
			if rng.IntN(10) == 0 {
				c.remove(at, l)
				continue
			}
			log = append(log, at)
			require.LessOrEqual(t, len(c.entries), exactCalls)
		}
	}
}

// What was taken back can be taken again, also after others joined its entry.
func TestCounterRemove(t *testing.T) {
	l := &limit{max: 100, window: 16 * time.Second}
	c := &counter{window: int64(l.window)}
	first := c.add(1, l)
	c.add(2, l)
	c.add(3, l)
	require.Len(t, c.entries, 1)
	c.remove(first, l)
	require.Equal(t, 2, c.used)
	c.remove(int64(17*time.Second), l) // of a time that is not there
	require.Equal(t, 2, c.used)
	c.expire(int64(17 * time.Second))
	c.remove(first, l) // has left the window
	require.Zero(t, c.used)
	require.Empty(t, c.entries)
}
