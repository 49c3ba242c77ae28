package vetoredis_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// ofEachKind are takes that have the room of one counter each.
func ofEachKind() map[string]evaluator.Take {
	return map[string]evaluator.Take{
		"few calls": calls("k", time.Hour, 5), "many calls": calls("k", time.Hour, 500),
		"sum": sum("k", time.Hour, big.NewInt(9), big.NewInt(1)), "bucket": bucket("k", time.Hour, 5),
		"value": value("k", time.Hour, 5, "x"),
	}
}

func (a *asks) refusedAsFull(x evaluator.Take) {
	a.t.Helper()
	b := &evaluator.Batch{Op: evaluator.OpTake, Project: "acme", Agent: "bot", Takes: []evaluator.Take{x}}
	require.ErrorIs(a.t, a.store.Do(ctx, b), vetoredis.ErrFull)
	require.False(a.t, b.Taken)
}

// A counter that has died, and has its place in the register for a little
// longer, has that place again, also where there is no other; and no other
// counter has it meanwhile.
func TestACounterTakesItsOwnPlace(t *testing.T) {
	for name, x := range ofEachKind() {
		t.Run(name, func(t *testing.T) {
			store, c := quickServer(t).withClock(t, vetoredis.Options{MaxKeysPerAgent: 1})
			a := &asks{t, store}
			require.True(t, a.take("", x).Taken)
			c.age(62 * time.Minute)
			a.refusedAsFull(calls("other", time.Hour, 5))
			require.True(t, a.take("", x).Taken)
			a.refusedAsFull(calls("other", time.Hour, 5))
		})
	}
}

// A counter whose place has run out, and whose key is still there, needs room
// as a new one does.
func TestACounterLosesItsPlace(t *testing.T) {
	for name, x := range ofEachKind() {
		t.Run(name, func(t *testing.T) {
			store, c := quickServer(t).withClock(t, vetoredis.Options{MaxKeysPerAgent: 1})
			a := &asks{t, store}
			require.True(t, a.take("", x).Taken)
			c.pass(2 * time.Hour)
			require.True(t, a.take("", calls("other", time.Hour, 5)).Taken)
			a.refusedAsFull(x)
		})
	}
}

// Where the register is spoilt, nothing is taken: also if it is needed only for
// a counter that comes after another.
func TestSpoiltRegister(t *testing.T) {
	for name, later := range ofEachKind() {
		t.Run(name, func(t *testing.T) {
			store, c := withClock(t)
			a, first := &asks{t, store}, calls("first", time.Hour, 50)
			require.True(t, a.take("", later).Taken)
			c.pass(10 * time.Minute) // it is to be entered anew
			require.True(t, a.take("", first).Taken)
			register := c.keys("*:a:*")
			require.Len(t, register, 1)
			require.NoError(t, c.client.Set(ctx, register[0], "x", time.Hour).Err())
			b := &evaluator.Batch{Op: evaluator.OpTake, Project: "acme", Agent: "bot", Takes: []evaluator.Take{first, later}}
			require.Error(t, store.Do(ctx, b))
			require.Equal(t, "1", strings.TrimLeft(a.look("", first).Takes[0].Used, "0"))
			require.Equal(t, "1", strings.TrimLeft(a.look("", later).Takes[0].Used, "0"))
		})
	}
}
