package vetoredis_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/evaluator"
)

// window returns one in which there is time for some ten times so many
// questions, however fast this machine is just now.
func (a *asks) window(questions int) time.Duration {
	begin := time.Now()
	for range 30 {
		a.look("", calls("speed", time.Second, 1))
	}
	w := time.Since(begin) / 3 * time.Duration(questions)
	return max(40*time.Millisecond, w).Round(time.Millisecond)
}

// until calls f until there was enough.
func (a *asks) until(enough func() bool, f func()) {
	a.t.Helper()
	for end := time.Now().Add(30 * time.Second); !enough(); {
		if time.Now().After(end) {
			a.t.Fatal("not enough within 30 seconds")
		}
		f()
	}
}

// within counts the times in (now-w, now].
func within(times []time.Time, now time.Time, w time.Duration) (n int) {
	for _, at := range times {
		if at.After(now.Add(-w)) && !at.After(now) {
			n++
		}
	}
	return n
}

// A limit of at most 32 calls is exact: its answers are those of the list of
// all calls.
func TestCallsAreExact(t *testing.T) {
	for _, most := range []int{1, 5, 32} {
		a, r := newAsks(t), rand.New(rand.NewPCG(1, 2))
		var times []time.Time
		taken, tiny := 0, a.window(most)
		a.until(func() bool { return taken > 4*most }, func() {
			b := a.take("", calls("k", tiny, most))
			x := &b.Takes[0]
			live := times[len(times)-within(times, b.Now, tiny):]
			require.Equal(t, strconv.Itoa(len(live)), x.Used)
			require.Equal(t, len(live) < most, x.Fits)
			require.Equal(t, x.Fits, b.Taken)
			wait, reset := time.Duration(0), time.Duration(0)
			if len(live) > 0 {
				reset = live[len(live)-1].Add(tiny).Sub(b.Now)
			}
			if !x.Fits {
				wait = live[len(live)-most].Add(tiny).Sub(b.Now)
			}
			require.Equal(t, wait, x.RetryAfter)
			require.Equal(t, reset, x.ResetIn)
			if b.Taken {
				taken++
				times = append(times, b.Now)
				if r.IntN(3) == 0 {
					a.back(b)
					times = times[:len(times)-1]
				}
			}
		})
	}
}

// A limit above that is never passed in any window, and refuses nothing that a
// window longer by a 128th would permit.
func TestCallsOfManyReturnInTime(t *testing.T) {
	a := newAsks(t)
	const most = 60
	var times []time.Time
	refused, tiny := 0, a.window(most)
	a.until(func() bool { return len(times) > 4*most && refused > 100 }, func() {
		b := a.take("", calls("k", tiny, most))
		if b.Taken {
			require.Less(t, within(times, b.Now, tiny), most)
			times = append(times, b.Now)
			for a.look("").Now.Sub(b.Now) < tiny/most/2 { // so that they fall into several parts
				continue
			}
			return
		}
		refused++
		require.GreaterOrEqual(t, within(times, b.Now, tiny+tiny/128+time.Microsecond), most)
		require.Positive(t, b.Takes[0].RetryAfter)
		require.LessOrEqual(t, b.Takes[0].RetryAfter, tiny)
	})
}

// What is given back of a merged entry makes room for one call, and no more.
func TestGiveBackOfMany(t *testing.T) {
	a := newAsks(t)
	limit := calls("k", time.Hour, 100)
	var taken []*evaluator.Batch
	for range 100 {
		b := a.take("", limit)
		require.True(t, b.Taken)
		taken = append(taken, b)
	}
	require.False(t, a.take("", limit).Taken)
	for i, b := range taken {
		a.back(b)
		require.Equal(t, strconv.Itoa(99-i), a.look("", limit).Takes[0].Used)
	}
	// The time that the counter knew stays, though nothing is left to count.
	require.True(t, a.take("", limit).Taken)
}

// What was given back is not given back again at the cost of a later call.
func TestGiveBackTwice(t *testing.T) {
	a := newAsks(t)
	limit := calls("k", time.Hour, 5)
	first := a.take("", limit)
	require.True(t, a.take("", limit).Taken)
	a.back(first)
	a.back(first)
	require.Equal(t, "1", a.look("", limit).Takes[0].Used)
}

// A limit that was changed works on what was counted.
func TestOtherLimitOnTheSameCalls(t *testing.T) {
	a := newAsks(t)
	for range 40 {
		require.True(t, a.take("", calls("k", time.Hour, 1000)).Taken)
	}
	x := a.take("", calls("k", time.Hour, 10)).Takes[0]
	require.False(t, x.Fits)
	require.Equal(t, "40", x.Used)
	require.True(t, a.take("", calls("k", time.Hour, 41)).Taken)
	require.False(t, a.take("", calls("k", time.Hour, 41)).Taken)
}

// Sums of up to 39 digits are those of whole numbers.
func TestSumsAreExact(t *testing.T) {
	a, r := newAsks(t), rand.New(rand.NewPCG(3, 4))
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(36), nil)
	type entry struct {
		at     time.Time
		amount *big.Int
	}
	var entries []entry
	taken, refused, tiny := 0, 0, a.window(20)
	total := func(now time.Time) (sum *big.Int, live []entry) {
		sum = new(big.Int)
		for _, e := range entries {
			if e.at.After(now.Add(-tiny)) {
				sum.Add(sum, e.amount)
				live = append(live, e)
			}
		}
		return sum, live
	}
	a.until(func() bool { return taken > 100 && refused > 100 }, func() {
		// At most some 20 of these fit: beyond 32 entries, neighbours merge.
		part := new(big.Int).Div(most, big.NewInt(int64(2+2*r.IntN(8))))
		amount := below(r, part)
		amount.Add(amount, part)
		b := a.take("", sum("k", tiny, most, amount))
		used, live := total(b.Now)
		require.LessOrEqual(t, len(live), 30)
		x := &b.Takes[0]
		require.Equal(t, digits(used), x.Used)
		require.Equal(t, new(big.Int).Add(used, amount).Cmp(most) <= 0, b.Taken)
		if !b.Taken {
			refused++
			rest := new(big.Int).Add(used, amount)
			for _, e := range live {
				if rest.Sub(rest, e.amount).Cmp(most) <= 0 {
					require.Equal(t, e.at.Add(tiny).Sub(b.Now), x.RetryAfter)
					break
				}
			}
			return
		}
		taken++
		switch r.IntN(4) {
		case 0:
			a.back(b)
			return
		case 1: // less, more, and more again
			for _, part := range []int64{3, 1, 2} {
				amount = new(big.Int).Mul(amount, big.NewInt(part))
				amount.Div(amount, big.NewInt(2))
				a.correct(b, amount)
			}
		}
		entries = append(entries, entry{b.Now, amount})
	})
}

// below returns a random number from 0 up to and without n, which is at most
// 2^128.
func below(r *rand.Rand, n *big.Int) *big.Int {
	x := new(big.Int).SetUint64(r.Uint64())
	x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(r.Uint64()))
	return x.Mod(x, n)
}

// Sums of many amounts never fall early, and at most a 128th of the window late.
func TestSumsOfMany(t *testing.T) {
	a := newAsks(t)
	most := big.NewInt(60)
	var times []time.Time
	refused, tiny := 0, a.window(60)
	a.until(func() bool { return len(times) > 240 && refused > 100 }, func() {
		b := a.take("", sum("k", tiny, most, big.NewInt(1)))
		if b.Taken {
			require.Less(t, within(times, b.Now, tiny), 60)
			times = append(times, b.Now)
			for a.look("").Now.Sub(b.Now) < tiny/60/2 {
				continue
			}
			return
		}
		refused++
		require.GreaterOrEqual(t, within(times, b.Now, tiny+tiny/128+time.Microsecond), 60)
	})
}

// Arithmetic of amounts carries and borrows between their parts.
func TestAmounts(t *testing.T) {
	a, r := newAsks(t), rand.New(rand.NewPCG(5, 6))
	a.open("s")
	most := new(big.Int).Sub(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil), big.NewInt(1))
	edges := []string{"0", "1", "9999999999999", "10000000000000", "99999999999999999999999999", "100000000000000000000000000"}
	for _, session := range []string{"", "s"} {
		window := time.Hour
		if session != "" {
			window = 0
		}
		total := new(big.Int)
		for i := range 200 {
			amount, _ := new(big.Int).SetString(edges[r.IntN(len(edges))], 10)
			amount.Add(amount, big.NewInt(int64(r.IntN(3))))
			b := a.take(session, sum("k", window, most, amount))
			require.True(t, b.Taken)
			require.Equal(t, digits(total), b.Takes[0].Used)
			if i%3 == 0 {
				a.back(b)
			} else {
				total.Add(total, amount)
			}
		}
		require.Equal(t, digits(total), a.look(session, sum("k", window, most, most)).Takes[0].Used)
		// No sum goes below zero, or past 2^128-1.
		b := a.take(session, sum("x", window, most, big.NewInt(5)))
		huge := new(big.Int).Sub(new(big.Int).Exp(big.NewInt(10), big.NewInt(39), nil), big.NewInt(1))
		a.correct(b, huge)
		limit := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
		require.Equal(t, digits(limit), a.look(session, sum("x", window, most, most)).Takes[0].Used)
		a.correct(b, new(big.Int))
		require.Equal(t, digits(new(big.Int)), a.look(session, sum("x", window, most, most)).Takes[0].Used)
	}
}

// Different values in a window: those that were used last stay.
func TestValues(t *testing.T) {
	a, r := newAsks(t), rand.New(rand.NewPCG(7, 8))
	const most = 5
	last := map[string]time.Time{}
	taken, refused, tiny := 0, 0, a.window(10)
	a.until(func() bool { return taken > 100 && refused > 30 }, func() {
		v := fmt.Sprint("value ", r.IntN(12))
		b := a.take("", value("k", tiny, most, v))
		var live []time.Time
		for _, at := range last {
			if at.After(b.Now.Add(-tiny)) {
				live = append(live, at)
			}
		}
		slices.SortFunc(live, time.Time.Compare)
		before, known := last[v]
		known = known && before.After(b.Now.Add(-tiny))
		x := &b.Takes[0]
		require.Equal(t, strconv.Itoa(len(live)), x.Used)
		require.Equal(t, known || len(live) < most, b.Taken)
		if !b.Taken {
			refused++
			require.Equal(t, live[len(live)-most].Add(tiny).Sub(b.Now), x.RetryAfter)
			return
		}
		taken++
		if r.IntN(4) == 0 {
			a.back(b)
			return
		}
		last[v] = b.Now
	})
}

// A value that was used again since is not given back.
func TestValueUsedAgain(t *testing.T) {
	a := newAsks(t)
	a.open("s")
	for _, session := range []string{"", "s"} {
		window := time.Hour
		if session != "" {
			window = 0
		}
		x := func(v string) evaluator.Take { return value("k", window, 2, v) }
		first := a.take(session, x("a"))
		second := a.take(session, x("a"))
		a.back(first)
		require.Equal(t, "1", a.look(session, x("a")).Takes[0].Used)
		a.back(second) // which puts the first back
		require.Equal(t, "1", a.look(session, x("a")).Takes[0].Used)
		third := a.take(session, x("b"))
		require.False(t, a.take(session, x("c")).Taken)
		a.back(third)
		require.True(t, a.take(session, x("c")).Taken)
		require.True(t, a.take(session, x("a")).Taken, "a known value fits")
		require.False(t, a.look(session, x("d")).Takes[0].Fits)
	}
}

// A bucket lets its burst through and then one call each window/max, never
// more.
func TestBucket(t *testing.T) {
	a := newAsks(t)
	const most = 10
	var times []time.Time
	refused, tiny := 0, a.window(most)
	a.until(func() bool { return len(times) > 6*most && refused > 30 }, func() {
		b := a.take("", bucket("k", tiny, most))
		require.GreaterOrEqual(t, b.Takes[0].RetryAfter, time.Duration(0))
		if !b.Taken {
			refused++
			require.LessOrEqual(t, b.Takes[0].RetryAfter, tiny/most+time.Microsecond)
			require.Positive(t, b.Takes[0].RetryAfter)
			return
		}
		times = append(times, b.Now)
	})
	for i := range times {
		for j := i; j < len(times); j++ {
			refilled := float64(times[j].Sub(times[i])) / float64(tiny) * most
			require.LessOrEqual(t, float64(j-i+1), most+refilled+1e-3)
		}
	}

	slow := bucket("slow", time.Hour, 4)
	var last *evaluator.Batch
	for range 4 {
		last = a.take("", slow)
		require.True(t, last.Taken)
	}
	require.False(t, a.take("", slow).Taken)
	require.InDelta(t, time.Hour/4, a.look("", slow).Takes[0].RetryAfter, float64(time.Minute))
	require.Equal(t, "4", a.look("", slow).Takes[0].Used)
	// A changed limit: what is missing stays missing.
	slow.Max = 6
	require.Equal(t, "4", a.look("", slow).Takes[0].Used)
	slow.Max = 4
	a.back(last)
	require.True(t, a.take("", slow).Taken)
	require.False(t, a.take("", slow).Taken)
	// Also what is missing beyond what it holds now, and a call that counts
	// past that does not make it less.
	slow.Max = 2
	wait := a.look("", slow).Takes[0].RetryAfter
	require.InDelta(t, 90*time.Minute, wait, float64(time.Minute))
	covered := slow
	covered.Counts = true
	b := a.take("", covered)
	require.True(t, b.Taken)
	require.InDelta(t, wait, a.look("", slow).Takes[0].RetryAfter, float64(time.Minute))
	a.back(b)
	require.InDelta(t, wait, a.look("", slow).Takes[0].RetryAfter, float64(time.Minute))
}

// The true cost of what is no sum is an error.
func TestActualOfNoSum(t *testing.T) {
	a := newAsks(t)
	b := *a.take("", calls("k", time.Hour, 5))
	b.Op, b.Takes[0].Actual = evaluator.OpCorrect, "12"
	require.ErrorContains(t, a.store.Do(ctx, &b), "39 digits")
}
