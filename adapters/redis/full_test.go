package vetoredis_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// Where the memory is full, no part of a question is written: whatever it is
// about, and whether it is answered early or at the end.
func TestFullServerWritesNoPart(t *testing.T) {
	s := start(t, durable...)
	store, clock := s.withClock(t, vetoredis.Options{})
	a, c := &asks{t, store}, s.client(t)
	most, one := big.NewInt(1_000_000), big.NewInt(1)
	few, many, value := calls("few", time.Hour, 20), calls("many", time.Hour, 1000), value("v", time.Hour, 5, "x")
	adds, zero := sum("s", time.Hour, most, one), sum("s", time.Hour, most, big.NewInt(0))
	leaves := sum("leaves", time.Minute, most, one)    // an entry has left, and one has not
	longer := sum("longer", 20*time.Second, most, one) // is to be kept for longer
	again := calls("again", 16*time.Minute, 1000)      // is to be entered in the register again
	var taken []*evaluator.Batch
	take := func(x ...evaluator.Take) {
		b := a.take("", x...)
		require.True(t, b.Taken)
		taken = append(taken, b)
	}
	take(leaves)
	take(again)
	for range 36 {
		take(many, adds)
	}
	for range 3 {
		take(few, adds, value)
	}
	clock.pass(50 * time.Second)
	take(leaves)
	take(longer)
	clock.pass(11 * time.Second)
	clock.age(130 * time.Second)
	take(leaves)
	clock.pass(59 * time.Second)
	take(leaves)
	take(longer)
	clock.pass(2 * time.Second)
	before, _ := dump(t, c, "")
	require.NoError(t, c.ConfigSet(ctx, "maxmemory", "1").Err())
	for i, takes := range [][]evaluator.Take{
		{many}, {few}, {adds}, {zero}, {leaves}, {longer}, {again}, {longer, many}, {many, longer}, {many, adds}, {adds, many},
		{few, adds}, {value, adds}, {adds, value}, {leaves, value}, {again, many}, {many, again},
		{calls("new", time.Hour, 2)}, {many, sum("new", time.Hour, most, one)},
	} {
		b := &evaluator.Batch{Op: evaluator.OpTake, Project: "acme", Agent: "bot", Takes: takes}
		require.ErrorContains(t, store.Do(ctx, b), "OOM", "%d", i)
		after, _ := dump(t, c, "")
		require.Equal(t, before, after, "%d", i)
	}
	for i, b := range taken {
		back := *b
		back.Op = evaluator.OpGiveBack
		correct := evaluator.Batch{Op: evaluator.OpCorrect, Project: b.Project, Agent: b.Agent}
		for _, x := range b.Takes {
			if x.Kind == evaluator.SumAmounts {
				x.Actual = digits(big.NewInt(7))
				correct.Takes = append(correct.Takes, x)
			}
		}
		for _, b := range []*evaluator.Batch{&back, &correct} {
			if len(b.Takes) == 0 {
				continue
			}
			if err := store.Do(ctx, b); err != nil {
				require.ErrorContains(t, err, "OOM")
				after, _ := dump(t, c, "")
				require.Equal(t, before, after, "%d", i)
			} else {
				before, _ = dump(t, c, "") // what takes no memory, or has left, is given back
			}
		}
	}
}
