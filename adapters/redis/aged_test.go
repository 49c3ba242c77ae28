package vetoredis_test

import (
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/evaluator"
)

// The server's clock is set back by three hours, and then the newest entry is
// emptied, so that the next call writes a key that lives by the clock that is
// behind. What comes then joins that entry, which stands still, and all of it
// counts for as long as it has to.
func TestCallsOfACounterAheadAreKept(t *testing.T) {
	const window, most = time.Hour, 100
	limit := calls("k", window, most)
	add := sum("s", window, big.NewInt(1000), big.NewInt(1))
	for name, takes := range map[string][]evaluator.Take{
		"calls": {limit}, "calls and a sum": {limit, add}, "a sum": {sum("s", window, big.NewInt(most), big.NewInt(1))},
	} {
		t.Run(name, func(t *testing.T) {
			store, c := withClock(t)
			a := &asks{t, store}
			take := func() *evaluator.Batch { return a.take("", append([]evaluator.Take(nil), takes...)...) }
			first := take()
			require.True(t, first.Taken)
			c.age(-3 * time.Hour)
			a.back(first)
			require.True(t, take().Taken)
			taken := 1
			c.age(window)
			for take().Taken {
				taken++
			}
			require.Equal(t, most, taken)
			c.age(time.Minute)
			require.False(t, take().Taken, "more than %d in an hour", most)
		})
	}
}

// The same where a reload raises the limit while the clock is behind.
func TestRaisedLimitOfACounterAhead(t *testing.T) {
	const window = time.Hour
	store, c := withClock(t)
	a := &asks{t, store}
	require.True(t, a.take("", calls("k", window, 30)).Taken)
	c.age(-3 * time.Hour)
	require.True(t, a.take("", calls("k", window, 30)).Taken)
	c.age(window)
	for a.take("", calls("k", window, 100)).Taken {
	}
	c.age(time.Minute)
	require.Equal(t, "100", a.look("", calls("k", window, 100)).Takes[0].Used)
}

// The key of a sum is kept for longer whichever of several takes it is.
func TestSumsOfSeveralAreKept(t *testing.T) {
	const window = time.Hour
	for place := range 3 {
		store, c := withClock(t)
		a, r := &asks{t, store}, rand.New(rand.NewPCG(1, 2))
		all := []evaluator.Take{calls("a", window, 5000), calls("b", window, 5000), calls("c", window, 5000)}
		all[place] = sum("k", window, big.NewInt(1_000_000), big.NewInt(1))
		for range 300 {
			require.True(t, a.take("", all...).Taken)
			keys := c.keys("*:s:*")
			require.Len(t, keys, 1)
			require.Greater(t, c.client.PTTL(ctx, keys[0]).Val(), window, "place %d", place)
			c.age(time.Duration(r.Int64N(int64(window) / 100)))
		}
	}
}
