package vetoredis_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/evaluator"
)

// exact is a limit of calls that keeps the time of each.
type exact struct {
	window time.Duration
	most   int
	times  []time.Time
}

func (x *exact) take(now time.Time) bool {
	for len(x.times) > 0 && !x.times[0].After(now.Add(-x.window)) {
		x.times = x.times[1:]
	}
	if len(x.times) >= x.most {
		return false
	}
	x.times = append(x.times, now)
	return true
}

// Where as many calls come as a limit permits, or more, at most one in a
// hundred fewer is taken than by a list of all calls, and as many where the
// limit is exact. No window has one too many, and room is back at most a 128th
// of the window late.
func TestAccuracyAtFullLoad(t *testing.T) {
	const window = time.Hour
	windows := 6
	if testing.Short() {
		windows = 3
	}
	worst := 1.0
	for _, most := range []int{32, 33, 100, 1000} {
		for _, load := range []float64{1, 1.05, 3} {
			if most == 1000 && load == 3 {
				continue // as of 100, and takes longer
			}
			for _, how := range []string{"even", "random"} {
				for kind, limit := range map[string]evaluator.Take{
					"calls": calls("k", window, most), "sum": sum("k", window, big.NewInt(int64(most)), big.NewInt(1)),
				} {
					what := fmt.Sprintf("%s of %d at a load of %v, %s", kind, most, load, how)
					store, c := withClock(t)
					a, r := &asks{t, store}, rand.New(rand.NewPCG(uint64(most), 1))
					oracle, log := &exact{window: window, most: most}, &exact{window: window, most: most}
					want, got := 0, 0
					var times []time.Time
					for end := c.now.Add(time.Duration(windows) * window); c.now.Before(end); {
						gap := float64(window) / float64(most) / load
						if how == "random" {
							gap *= r.ExpFloat64()
						}
						c.pass(time.Duration(gap))
						if oracle.take(c.now) {
							want++
						}
						b := a.take("", limit)
						if b.Taken {
							got++
							times = append(times, c.now)
							require.True(t, log.take(c.now), "one too many: %s", what)
							continue
						}
						recent := times[max(0, len(times)-2*most):]
						require.GreaterOrEqual(t, within(recent, c.now, window+window/128+time.Microsecond), most, "late: %s", what)
					}
					if most <= 32 {
						require.Equal(t, want, got, what)
					}
					worst = min(worst, float64(got)/float64(want))
					require.GreaterOrEqual(t, float64(got), 0.99*float64(want), "%d of %d: %s", got, want, what)
				}
			}
		}
	}
	t.Logf("at worst %.2f %% fewer", 100*(1-worst))
}

// A sum that has come to the most there is counts on with all that is left
// when a part of it leaves the window.
func TestFullSum(t *testing.T) {
	store, c := withClock(t)
	a := &asks{t, store}
	limit := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	part := new(big.Int).Sub(limit, big.NewInt(1000))
	first := a.take("", sum("k", time.Hour, limit, big.NewInt(1)))
	a.correct(first, part)
	c.pass(time.Minute)
	second := sum("k", time.Hour, limit, part)
	second.Counts = true
	require.True(t, a.take("", second).Taken)
	used := func() string { return a.look("", sum("k", time.Hour, limit, limit)).Takes[0].Used }
	require.Equal(t, digits(limit), used())
	c.pass(59*time.Minute + time.Second)
	require.Equal(t, digits(part), used(), "the first has left the window")
	c.pass(time.Minute)
	require.Equal(t, digits(new(big.Int)), used())
}

// A sum stands at 2^128-1 while there is more than that in its window, and is
// what is left when that leaves.
func TestSumsPastTheLargest(t *testing.T) {
	const window = time.Hour
	largest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	digits39 := new(big.Int).Sub(new(big.Int).Exp(big.NewInt(10), big.NewInt(39), nil), big.NewInt(1))
	for i, actual := range []*big.Int{
		new(big.Int).Sub(largest, big.NewInt(3)), largest, new(big.Int).Add(largest, big.NewInt(1)), digits39,
		largest, new(big.Int).Add(largest, big.NewInt(1)), digits39,
	} {
		before := int64(3)
		if i >= 4 {
			before = 0 // which is no entry until it is corrected
		}
		store, c := withClock(t)
		a := &asks{t, store}
		add := func(n int64) *evaluator.Batch {
			b := a.take("", sum("k", window, largest, big.NewInt(n)))
			require.True(t, b.Taken)
			c.pass(time.Minute)
			return b
		}
		used := func() string {
			return a.look("", sum("k", window, largest, big.NewInt(1))).Takes[0].Used
		}
		add(2)
		add(5)
		a.correct(add(before), actual)
		require.Equal(t, digits(largest), used())
		c.pass(window - 3*time.Minute) // the first has left
		require.Equal(t, digits(largest), used(), "there is still more")
		c.pass(time.Minute) // and the second
		if actual.Cmp(largest) < 0 {
			require.Equal(t, digits(actual), used())
		} else {
			require.Equal(t, digits(largest), used())
		}
		add(1)
		require.Equal(t, digits(big.NewInt(1)), used(), "the largest has left too")
	}
}
