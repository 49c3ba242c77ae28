package evaluator

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A counter against the plain log of all allowed calls: exact up to 32 calls;
// above, never one too many, and never more than a bucket of the window late.
func TestCounterAgainstLog(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		l := &limit{max: 1 + rng.IntN(300), window: time.Duration(1+rng.IntN(5)) * time.Second}
		m := &callMeter{window: int64(l.window)}
		c := &counter{latest: -1 << 62, meter: m}
		var log []int64
		now, latest := int64(0), int64(-1<<62)
		for range 1000 {
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
			call := &take{limit: l}
			fits, wait := m.look(c.at(now), call)
			require.Equal(t, fits, wait == 0)
			switch {
			case used >= l.max:
				require.Positive(t, wait, "one call too many")
			case l.max <= exactEntries:
				require.Zero(t, wait, "a call too few")
			case recent < l.max:
				require.Zero(t, wait, "more than a bucket late")
			}
			if wait > 0 {
				later := *m
				later.older = slices.Clone(m.older)
				fits, _ := later.look(c.latest+int64(wait), call)
				require.True(t, fits, "there is room after the wait")
				require.LessOrEqual(t, wait, l.window)
				continue
			}
			m.add(c.at(now), call)
			require.Equal(t, latest, call.at)
			if rng.IntN(10) == 0 {
				m.remove(c.latest, call)
				continue
			}
			log = append(log, call.at)
			require.LessOrEqual(t, len(m.entries()), buckets+1)
		}
	}
}

// What was taken back can be taken again, also after others joined its entry.
func TestCounterRemove(t *testing.T) {
	l := &limit{max: 100, window: buckets * time.Second}
	m := &callMeter{window: int64(l.window)}
	first := &take{limit: l}
	m.add(1, first)
	m.add(2, &take{limit: l})
	m.add(3, &take{limit: l})
	require.Len(t, m.entries(), 1)
	m.remove(3, first)
	require.EqualValues(t, 2, m.used)
	m.remove(3, &take{limit: l, at: int64((buckets + 1) * time.Second)}) // of a time that is not there
	require.EqualValues(t, 2, m.used)
	m.expire(int64((buckets + 1) * time.Second))
	m.remove(int64((buckets+1)*time.Second), first) // has left the window
	require.Zero(t, m.used)
	require.Empty(t, m.entries())
}
