package vetoredis_test

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"regexp"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// each is one take of every kind, for a session that is open.
func each(window time.Duration) []evaluator.Take {
	ten := big.NewInt(10)
	return []evaluator.Take{
		calls("c", window, 5), calls("many", window, 500), bucket("b", window, 5), sum("s", window, ten, big.NewInt(1)),
		value("v", window, 5, "alice@example.com"), tally("t", 5, 1), sum("ss", 0, ten, big.NewInt(1)), value("sv", 0, 5, "bob@example.com"),
	}
}

// dump is all that the server keeps, and until when.
func dump(t *testing.T, c *goredis.Client, prefix string) (data map[string]string, left map[string]time.Duration) {
	t.Helper()
	data, left = map[string]string{}, map[string]time.Duration{}
	for _, k := range c.Keys(ctx, prefix+"*").Val() {
		data[k], left[k] = c.Dump(ctx, k).Val(), c.PTTL(ctx, k).Val()
		if c.Type(ctx, k).Val() == "hash" { // whose order changes by itself
			data[k] = fmt.Sprint(c.HGetAll(ctx, k).Val())
		}
	}
	return data, left
}

// Every key dies by itself, soon after nothing in it counts any more, and not
// before.
func TestNothingIsLeftBehind(t *testing.T) {
	s, p := sharedServer(t), prefix(t)
	a := &asks{t, s.open(t, vetoredis.Options{Prefix: p})}
	a.open("s")
	const window = time.Minute
	for range 3 {
		b := a.take("s", each(window)...)
		require.True(t, b.Taken)
		x := *b
		x.Op, x.Event = evaluator.OpGiveBack, []byte("undo")
		a.do(&x)
	}
	b := a.take("s", each(window)...)
	require.True(t, b.Taken)
	a.append("s", "event")
	b.Takes = []evaluator.Take{b.Takes[3], b.Takes[6]}
	a.correct(b, big.NewInt(7))

	c := s.client(t)
	names := regexp.MustCompile(`^` + regexp.QuoteMeta(p) + `\{[\w-]{22}\}:[abchsv]:[\w-]{43}$`)
	data, left := dump(t, c, p)
	require.Len(t, data, 7, "five counters, a session and a register")
	for k := range data {
		require.Regexp(t, names, k)
		require.NotContains(t, data[k], "example.com", "no key says what it is about")
		require.Greater(t, left[k], window, k)
		most := window*9/8 + 11*time.Second
		if c.Type(ctx, k).Val() == "hash" {
			most = 26 * time.Hour
		}
		require.LessOrEqual(t, left[k], most, k)
	}
}

// Looking changes nothing: not what is kept, nor for how long, nor what the
// server writes to its file.
func TestLookChangesNothing(t *testing.T) {
	s, p := sharedServer(t), prefix(t)
	a := &asks{t, s.open(t, vetoredis.Options{Prefix: p})}
	c := s.client(t)
	a.open("s")
	const window = 40 * time.Millisecond
	look := func() {
		b := a.do(&evaluator.Batch{Op: evaluator.OpLook, Session: "s", Takes: each(window), NeedsHistory: true, Event: []byte("x")})
		require.False(t, b.Taken)
		a.look("unknown", each(window)...)
		a.look("", calls("c", window, 5))
	}
	look()
	data, _ := dump(t, c, p)
	require.Len(t, data, 1, "the session")
	require.True(t, a.take("s", each(window)...).Taken)
	before, leftBefore := dump(t, c, p)
	written := c.InfoMap(ctx, "replication").Val()["Replication"]["master_repl_offset"]
	for begin := time.Now(); time.Since(begin) < 2*window; {
		look() // also after the window
	}
	after, leftAfter := dump(t, c, p)
	require.Equal(t, before, after)
	for k := range leftAfter {
		require.LessOrEqual(t, leftAfter[k], leftBefore[k])
	}
	require.Equal(t, written, c.InfoMap(ctx, "replication").Val()["Replication"]["master_repl_offset"])
}

// What is given back or corrected after its counter is gone makes none.
func TestLateGiveBack(t *testing.T) {
	s, p := sharedServer(t), prefix(t)
	a := &asks{t, s.open(t, vetoredis.Options{Prefix: p})}
	c := s.client(t)
	a.open("s")
	for _, correct := range []bool{false, true} {
		b := a.take("s", each(time.Hour)...)
		require.True(t, b.Taken)
		require.NoError(t, c.Del(ctx, c.Keys(ctx, p+"*").Val()...).Err())
		if correct {
			b.Takes = []evaluator.Take{b.Takes[3], b.Takes[6]}
			a.correct(b, big.NewInt(9))
		} else {
			x := *b
			x.Op, x.Event = evaluator.OpGiveBack, []byte("undo")
			a.do(&x)
		}
		require.Empty(t, c.Keys(ctx, p+"*").Val())
		a.open("s")
	}
}

// A server whose memory is full takes nothing, rather than a part.
func TestFullServer(t *testing.T) {
	s := start(t, durable...)
	a := &asks{t, s.open(t, vetoredis.Options{})}
	c := s.client(t)
	a.open("s")
	require.True(t, a.take("s", each(time.Hour)...).Taken)
	require.True(t, a.take("s", tally("up", 5, 1)).Taken)
	before, _ := dump(t, c, "veto:")
	require.NoError(t, c.ConfigSet(ctx, "maxmemory", "1").Err())
	for _, first := range []evaluator.Take{tally("up", 5, -1), value("v", time.Hour, 5, "bob"), calls("new", time.Hour, 5)} {
		b := &evaluator.Batch{Op: evaluator.OpTake, Project: "acme", Agent: "bot", Session: "s", Event: []byte("x"), Takes: []evaluator.Take{first, calls("c", time.Hour, 5)}}
		require.ErrorContains(t, a.store.Do(ctx, b), "OOM")
		require.False(t, b.Taken)
	}
	after, _ := dump(t, c, "veto:")
	require.Equal(t, before, after)
	require.True(t, a.look("s", each(time.Hour)...).Open, "it can be looked at")
	require.NoError(t, c.ConfigSet(ctx, "maxmemory", "0").Err())
	require.True(t, a.take("s", each(time.Hour)...).Taken)
}

// Several limits are taken together or not at all.
func TestAllOrNothing(t *testing.T) {
	a := newAsks(t)
	a.open("s")
	full := calls("full", time.Hour, 1)
	require.True(t, a.take("s", full).Taken)
	b := a.take("s", append(each(time.Hour), full)...)
	require.False(t, b.Taken)
	for i, x := range b.Takes {
		require.Equal(t, i < len(b.Takes)-1, x.Fits, "what fits is said of each")
		require.Empty(t, x.Mark)
	}
	for _, x := range a.look("s", each(time.Hour)...).Takes {
		require.Contains(t, []string{"0", digits(new(big.Int))}, x.Used)
	}
}

// Past so many live counters of one agent a new one is an error, and nothing
// is taken; those that live count on, another agent has its own room, and what
// has run out makes room.
func TestCountersOfOneAgentAreBounded(t *testing.T) {
	s, p := sharedServer(t), prefix(t)
	store := s.open(t, vetoredis.Options{Prefix: p, MaxKeysPerAgent: 20})
	take := func(agent string, takes ...evaluator.Take) error {
		b := &evaluator.Batch{Op: evaluator.OpTake, Agent: agent, Takes: takes}
		err := store.Do(ctx, b)
		require.Equal(t, err == nil, b.Taken)
		return err
	}
	window := max(1500*time.Millisecond, (&asks{t, store}).window(200))
	begin := time.Now()
	for i := range 10 {
		require.NoError(t, take("bot", calls(fmt.Sprint("c", i), window, 1000), value("v", window, 1000, fmt.Sprint(i))))
	}
	for _, x := range []evaluator.Take{calls("new", window, 9), value("v", window, 1000, "new"), bucket("new", window, 9), sum("new", window, big.NewInt(9), big.NewInt(1))} {
		require.ErrorIs(t, take("bot", x), vetoredis.ErrFull)
	}
	require.ErrorIs(t, take("bot", calls("c1", window, 1000), calls("new", window, 9)), vetoredis.ErrFull)
	require.NoError(t, take("bot", calls("c1", window, 1000), value("v", window, 1000, "3")))
	require.NoError(t, take("other", calls("new", window, 9)))
	require.Less(t, time.Since(begin), window, "the machine is too slow for this test")

	// One that is in use stays; the others leave, and make room.
	for i := range 19 {
		wait(t, "room", func() bool {
			require.NoError(t, take("bot", calls("c1", window, 1_000_000)))
			return take("bot", calls(fmt.Sprint("later", i), time.Minute, 9)) == nil
		})
	}
	require.ErrorIs(t, take("bot", calls("last", time.Minute, 9)), vetoredis.ErrFull)
	c := s.client(t)
	for _, k := range c.Keys(ctx, p+"*:a:*").Val() {
		require.LessOrEqual(t, c.ZCard(ctx, k).Val(), int64(24), "what has run out leaves the register")
	}
}

// The time of a counter never goes back: one that has seen a later time than
// it is by the server's clock stands still at that, and is full when it is.
func TestTimeNeverGoesBack(t *testing.T) {
	s, p := sharedServer(t), prefix(t)
	a := &asks{t, s.open(t, vetoredis.Options{Prefix: p})}
	c := s.client(t)
	keyOf := func(kind string) string {
		keys := c.Keys(ctx, p+"*:"+kind+":*").Val()
		require.Len(t, keys, 1)
		return keys[0]
	}
	ahead := time.Now().Add(10 * time.Minute).UnixMicro()
	begin := string(binary.BigEndian.AppendUint64(nil, uint64(ahead)))
	for kind, limit := range map[string]evaluator.Take{
		"c": calls("k", time.Minute, 2), "s": sum("k", time.Minute, big.NewInt(10), big.NewInt(5)),
	} {
		require.True(t, a.take("", limit).Taken)
		if kind == "c" { // whose head is the newest call
			data := c.Get(ctx, keyOf(kind)).Val()
			data = begin + data[8:20] + "\x00\x00\x00\x00" + data[:8] + data[20:24]
			require.NoError(t, c.Set(ctx, keyOf(kind), data, time.Hour).Err())
			require.NoError(t, c.SetRange(ctx, keyOf(kind), 0, begin).Err())
		} else { // whose head is the last of a list
			head := c.LIndex(ctx, keyOf(kind), -1).Val()
			require.NoError(t, c.LSet(ctx, keyOf(kind), -1, begin+head[8:]).Err())
		}
		require.True(t, a.take("", limit).Taken, "the first has left the window")
		require.True(t, a.take("", limit).Taken)
		b := a.take("", limit)
		require.False(t, b.Taken)
		require.Equal(t, time.Minute, b.Takes[0].RetryAfter)
		require.WithinDuration(t, time.Now(), b.Now, time.Minute, "that is the time of the counter only")
		require.LessOrEqual(t, c.PTTL(ctx, keyOf(kind)).Val(), time.Minute*129/128+10*time.Second+time.Millisecond, "and it does not last")
	}

	paced := bucket("k", time.Minute, 2)
	require.True(t, a.take("", paced).Taken)
	require.NoError(t, c.SetRange(ctx, keyOf("b"), 0, begin).Err())
	require.True(t, a.take("", paced).Taken)
	b := a.take("", paced)
	require.False(t, b.Taken)
	require.InDelta(t, 30*time.Second, b.Takes[0].RetryAfter, float64(time.Second))

	use := func(v string) *evaluator.Batch { return a.take("", value("k", time.Minute, 2, v)) }
	require.True(t, use("a").Taken)
	require.NoError(t, c.ZAdd(ctx, keyOf("v"), goredis.Z{Score: float64(ahead), Member: "later"}).Err())
	first, second := use("b"), use("b")
	require.True(t, first.Taken, "the first has left the window")
	require.True(t, second.Taken)
	require.False(t, use("c").Taken)
	a.back(first)
	require.False(t, use("c").Taken, "it was used again, though at the same time")
	a.back(second)
	require.False(t, use("c").Taken, "which puts the first back")

	a.open("s")
	require.NoError(t, c.HSet(ctx, keyOf("h"), "t", ahead).Err())
	require.Equal(t, ahead, a.append("s", "x").Now.UnixMicro())
	require.Equal(t, ahead, a.history("s", 0).Events[0].At.UnixMicro())
}

// Batches that mean nothing are errors, and ask nothing of the server.
func TestBadBatches(t *testing.T) {
	a := newAsks(t)
	bad := func(what string, b evaluator.Batch) {
		t.Helper()
		require.Error(t, a.store.Do(ctx, &b), what)
		require.False(t, b.Taken)
	}
	take := func(x evaluator.Take) evaluator.Batch {
		return evaluator.Batch{Op: evaluator.OpTake, Takes: []evaluator.Take{x}}
	}
	bad("operation", evaluator.Batch{Op: 99})
	bad("no session", evaluator.Batch{Op: evaluator.OpOpen})
	bad("no session", take(tally("t", 1, 1)))
	bad("kind", take(evaluator.Take{Kind: 99, Window: time.Second}))
	bad("window", take(calls("c", -1, 1)))
	bad("window", take(calls("c", 400*24*time.Hour, 1)))
	bad("no window", evaluator.Batch{Op: evaluator.OpTake, Session: "s", Takes: []evaluator.Take{calls("c", 0, 1)}})
	bad("permits nothing", take(calls("c", time.Second, 0)))
	bad("permits less", take(value("c", time.Second, -1, "x")))
	bad("tally", evaluator.Batch{Op: evaluator.OpTake, Session: "s", Takes: []evaluator.Take{tally("c", 1, 2)}})
	bad("amount", take(evaluator.Take{Kind: evaluator.SumAmounts, Window: time.Second, Sum: "5", Amount: "5"}))
	bad("twice", evaluator.Batch{Op: evaluator.OpTake, Takes: []evaluator.Take{calls("c", time.Second, 1), calls("c", time.Second, 1)}})
	require.Error(t, a.store.Do(nil, &evaluator.Batch{})) //lint:ignore SA1012 a nil context is refused
	require.Error(t, (*vetoredis.Store)(nil).Do(ctx, &evaluator.Batch{}))
	require.Error(t, (&vetoredis.Store{}).Do(ctx, &evaluator.Batch{}))
}
