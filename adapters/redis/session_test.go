package vetoredis_test

import (
	"bytes"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// append adds an event to a session.
func (a *asks) append(session, data string) *evaluator.Batch {
	a.t.Helper()
	return a.do(&evaluator.Batch{Op: evaluator.OpAppend, Session: session, Event: []byte(data)})
}

func TestSessionOpensAndEnds(t *testing.T) {
	a := newAsks(t)
	b := a.look("s")
	require.False(t, b.Open)
	require.Empty(t, b.Begun)
	require.WithinDuration(t, time.Now(), b.Now, time.Minute)

	first := a.open("s")
	require.True(t, first.Record)
	require.Len(t, first.Begun, 26)
	a.append("s", "x")
	again := a.do(&evaluator.Batch{Op: evaluator.OpOpen, Session: "s"})
	require.Equal(t, first.Begun, again.Begun, "opening an open session changes nothing")
	require.True(t, again.Record)
	require.EqualValues(t, 1, again.Length)

	end := a.do(&evaluator.Batch{Op: evaluator.OpEnd, Session: "s"})
	require.False(t, end.Open)
	require.Zero(t, end.Length)
	require.False(t, a.look("s").Open)
	require.False(t, a.append("s", "x").Open)

	anew := a.do(&evaluator.Batch{Op: evaluator.OpOpen, Session: "s"})
	require.NotEqual(t, first.Begun, anew.Begun)
	require.False(t, anew.Record)
	require.Zero(t, anew.Length)
	require.False(t, a.look("other").Open)
	other := &evaluator.Batch{Op: evaluator.OpLook, Project: "other", Session: "s"}
	require.NoError(t, a.store.Do(ctx, other))
	require.False(t, other.Open, "sessions are a project's")
}

// What a session counts ends with it.
func TestSessionCounters(t *testing.T) {
	a := newAsks(t)
	ten := big.NewInt(10)
	all := func() []evaluator.Take {
		return []evaluator.Take{tally("t", 3, 1), sum("s", 0, ten, big.NewInt(3)), value("v", 0, 3, "a")}
	}
	closed := a.take("s", all()...)
	require.False(t, closed.Taken, "the session is not open")
	a.open("s")
	for i := range 3 {
		require.True(t, a.take("s", all()...).Taken, i)
	}
	b := a.take("s", all()...)
	require.False(t, b.Taken)
	require.Equal(t, []bool{false, false, true}, []bool{b.Takes[0].Fits, b.Takes[1].Fits, b.Takes[2].Fits})
	require.Equal(t, []string{"3", digits(big.NewInt(9)), "1"}, []string{b.Takes[0].Used, b.Takes[1].Used, b.Takes[2].Used})
	for i := range b.Takes {
		require.Zero(t, b.Takes[i].RetryAfter, "waiting does not help")
		require.Zero(t, b.Takes[i].ResetIn)
	}
	a.do(&evaluator.Batch{Op: evaluator.OpEnd, Session: "s"})
	a.open("s")
	require.Equal(t, "0", a.look("s", all()...).Takes[0].Used)
	require.True(t, a.take("s", all()...).Taken)
}

// A tally goes up and down, and not below zero; what is given back is what it
// moved, unless that leaves too little.
func TestTally(t *testing.T) {
	a := newAsks(t)
	a.open("s")
	used := func() string { return a.look("s", tally("t", 2, 0)).Takes[0].Used }
	down := a.take("s", tally("t", 2, -1))
	require.True(t, down.Taken)
	a.back(down)
	require.Equal(t, "0", used(), "it went down by nothing")
	up := a.take("s", tally("t", 2, 1))
	a.take("s", tally("t", 2, 1))
	require.False(t, a.take("s", tally("t", 2, 1)).Taken)
	a.take("s", tally("t", 2, -1))
	require.Equal(t, "1", used())
	a.back(up)
	require.Equal(t, "1", used(), "it went down since, and might have had nothing to go down from")
	up = a.take("s", tally("t", 2, 1))
	a.back(up)
	require.Equal(t, "1", used())
}

// A take that restricts nothing is counted with the others, also past its
// bound; in a session only where that is open.
func TestTakesThatRestrictNothing(t *testing.T) {
	a := newAsks(t)
	counts := func(x evaluator.Take) evaluator.Take { x.Counts = true; return x }
	one := big.NewInt(1)
	for range 3 {
		b := a.take("s", counts(tally("t", 1, 1)), counts(calls("c", time.Hour, 1)), counts(sum("s", time.Hour, one, one)),
			counts(value("v", time.Hour, 1, strconv.Itoa(int(time.Now().UnixNano())))), counts(bucket("b", time.Hour, 1)))
		require.True(t, b.Taken)
		for i := range b.Takes {
			require.True(t, b.Takes[i].Fits)
			require.Zero(t, b.Takes[i].RetryAfter)
		}
		require.Empty(t, b.Takes[0].Mark, "the session is not open")
	}
	b := a.look("", calls("c", time.Hour, 1), sum("s", time.Hour, one, one), value("v", time.Hour, 1, "x"), bucket("b", time.Hour, 1))
	require.Equal(t, []string{"3", digits(big.NewInt(3)), "3", "1"}, []string{b.Takes[0].Used, b.Takes[1].Used, b.Takes[2].Used, b.Takes[3].Used})
	a.open("s")
	a.take("s", counts(tally("t", 1, 1)))
	a.take("s", counts(tally("t", 1, 1)))
	require.Equal(t, "2", a.look("s", tally("t", 1, 1)).Takes[0].Used)
	refused := a.take("s", counts(tally("t", 1, 1)), calls("full", time.Hour, 1))
	require.True(t, refused.Taken)
	refused = a.take("s", counts(tally("t", 1, 1)), calls("full", time.Hour, 1))
	require.False(t, refused.Taken)
	require.Equal(t, "3", a.look("s", tally("t", 1, 1)).Takes[0].Used, "together or not at all")
}

// An event is appended to what was taken, and only then.
func TestEvents(t *testing.T) {
	a := newAsks(t)
	with := func(session string, event string, takes ...evaluator.Take) *evaluator.Batch {
		return a.do(&evaluator.Batch{Op: evaluator.OpTake, Session: session, Event: []byte(event), Takes: takes})
	}
	b := with("s", "early")
	require.True(t, b.Taken, "nothing stands against it")
	require.Zero(t, b.Length, "the session is not open")
	a.open("s")
	b = with("s", "one", calls("k", time.Hour, 1))
	require.True(t, b.Taken)
	require.EqualValues(t, 1, b.Length)
	b = with("s", "refused", calls("k", time.Hour, 1))
	require.False(t, b.Taken)
	require.EqualValues(t, 1, b.Length)
	require.EqualValues(t, 2, with("s", "two").Length)
	binary := "three \x00\xff\r\n"
	require.EqualValues(t, 3, a.append("s", binary).Length)

	history := a.history("s", 0)
	require.True(t, history.Stale)
	require.Equal(t, []string{"one", "two", binary}, texts(history))
	for i, ev := range history.Events {
		require.EqualValues(t, i+1, ev.Number)
		require.WithinDuration(t, history.Now, ev.At, time.Minute)
	}
	require.Equal(t, []string{binary}, texts(a.history("s", 2)))
	require.False(t, a.history("s", 3).Stale)
	require.True(t, a.history("s", 4).Stale)
	require.False(t, a.history("unknown", 0).Stale)
}

// history looks what has happened in a session after the known events.
func (a *asks) history(session string, known int64) *evaluator.Batch {
	a.t.Helper()
	return a.do(&evaluator.Batch{Op: evaluator.OpLook, Session: session, NeedsHistory: true, Known: known})
}

func texts(b *evaluator.Batch) (all []string) {
	for _, ev := range b.Events {
		all = append(all, string(ev.Data))
	}
	return all
}

// Nothing is taken unless the session is open, records, and is known to its
// end, where a batch needs that.
func TestNeeds(t *testing.T) {
	a := newAsks(t)
	limit := calls("k", time.Hour, 10)
	ask := func(b evaluator.Batch) *evaluator.Batch {
		b.Op, b.Session, b.Takes = evaluator.OpTake, "s", []evaluator.Take{limit}
		return a.do(&b)
	}
	b := ask(evaluator.Batch{NeedsSession: true})
	require.False(t, b.Taken)
	require.True(t, b.Takes[0].Fits, "that is said all the same")
	require.False(t, ask(evaluator.Batch{NeedsHistory: true}).Taken)
	require.True(t, ask(evaluator.Batch{}).Taken)

	a.do(&evaluator.Batch{Op: evaluator.OpOpen, Session: "s"})
	require.True(t, ask(evaluator.Batch{NeedsSession: true}).Taken)
	require.False(t, ask(evaluator.Batch{NeedsHistory: true}).Taken, "it does not record")

	a.do(&evaluator.Batch{Op: evaluator.OpEnd, Session: "s"})
	begun := a.open("s").Begun
	require.True(t, ask(evaluator.Batch{NeedsHistory: true}).Taken)
	b = ask(evaluator.Batch{NeedsHistory: true, Known: 1})
	require.True(t, b.Stale)
	require.False(t, b.Taken)
	a.append("s", "x")
	require.True(t, ask(evaluator.Batch{NeedsHistory: true}).Stale)
	require.True(t, ask(evaluator.Batch{NeedsHistory: true, Known: 1}).Taken)
	require.Equal(t, "4", a.look("", limit).Takes[0].Used)

	// As many events are known, but of another opening of the session.
	require.True(t, ask(evaluator.Batch{NeedsHistory: true, Known: 1, Begun: begun}).Taken)
	b = ask(evaluator.Batch{NeedsHistory: true, Known: 1, Begun: "another"})
	require.True(t, b.Stale)
	require.False(t, b.Taken)
	require.Equal(t, begun, b.Begun)
	require.Equal(t, []string{"x"}, texts(b))
	a.do(&evaluator.Batch{Op: evaluator.OpEnd, Session: "s"})
	a.open("s")
	b = ask(evaluator.Batch{NeedsHistory: true, Begun: begun})
	require.True(t, b.Stale, "also where nothing has happened in either")
	require.False(t, b.Taken)
	require.Empty(t, b.Events)
}

// What was taken in a session that was ended and opened anew is not given back
// in the new one, nor is an event about it appended.
func TestGiveBackAcrossOpenings(t *testing.T) {
	a := newAsks(t)
	ten := big.NewInt(10)
	all := []evaluator.Take{tally("t", 3, 1), sum("s", 0, ten, big.NewInt(3)), calls("c", time.Hour, 3)}
	a.open("s")
	old := a.take("s", all...)
	a.do(&evaluator.Batch{Op: evaluator.OpEnd, Session: "s"})
	a.open("s")
	require.True(t, a.take("s", all...).Taken)
	x := *old
	x.Op, x.Event = evaluator.OpGiveBack, []byte("undo")
	x.Takes = append([]evaluator.Take(nil), old.Takes...)
	a.do(&x)
	b := a.look("s", all...)
	require.Equal(t, []string{"1", digits(big.NewInt(3)), "1"}, []string{b.Takes[0].Used, b.Takes[1].Used, b.Takes[2].Used})
	require.Zero(t, b.Length)
	a.do(&evaluator.Batch{Op: evaluator.OpAppend, Session: "s", Begun: old.Begun, Event: []byte("ok")})
	require.Zero(t, a.look("s").Length)
}

// A session keeps its newest thousand events, and 64 KiB of them; the newest
// is kept however large it is.
func TestHistoryIsBounded(t *testing.T) {
	a := newAsks(t)
	a.open("s")
	for i := range 1100 {
		a.append("s", strconv.Itoa(i+1))
	}
	b := a.history("s", 0)
	require.EqualValues(t, 1100, b.Length)
	require.Len(t, b.Events, 1000)
	require.EqualValues(t, 101, b.Events[0].Number)
	require.Equal(t, "101", string(b.Events[0].Data))
	require.Len(t, a.history("s", 1090).Events, 10)

	a.open("large")
	for range 20 {
		a.append("large", strings.Repeat("x", 10<<10))
	}
	require.Len(t, a.history("large", 0).Events, 6)
	a.append("large", strings.Repeat("y", 100<<10))
	b = a.history("large", 0)
	require.Len(t, b.Events, 1)
	require.Equal(t, bytes.Repeat([]byte("y"), 100<<10), b.Events[0].Data)
	a.append("large", "z")
	require.Equal(t, []string{"z"}, texts(a.history("large", 0)))
	require.EqualValues(t, 22, a.history("large", 0).Length)
}

// A session is one key, and dies when nothing was decided about it for so
// long. Looking at it does not keep it.
func TestSessionIdle(t *testing.T) {
	s, p := sharedServer(t), prefix(t)
	const idle = 400 * time.Millisecond
	a := &asks{t, s.open(t, vetoredis.Options{Prefix: p, SessionIdle: idle})}
	c := s.client(t)
	a.open("s")
	a.take("s", tally("t", 100, 1), sum("s", 0, big.NewInt(100), big.NewInt(1)), value("v", 0, 10, "x"))
	keys := c.Keys(ctx, p+"*:h:*").Val()
	require.Len(t, keys, 1)
	require.Len(t, c.Keys(ctx, p+"*").Val(), 1, "and nothing beside it")
	left := func() time.Duration { return c.PTTL(ctx, keys[0]).Val() }
	require.LessOrEqual(t, left(), idle*17/16)

	start := time.Now()
	for time.Since(start) < 2*idle {
		require.True(t, a.take("s", tally("t", 100_000, 1)).Open, "it is in use")
	}
	require.GreaterOrEqual(t, left(), idle-50*time.Millisecond)
	for time.Since(start) < 3*idle {
		a.append("s", "x")
	}
	require.True(t, a.look("s").Open)
	wait(t, "the end of the session", func() bool { return !a.look("s").Open })
	require.Empty(t, c.Keys(ctx, p+"*").Val())
}

// A session holds as many counters and values as an agent may have, and no
// more.
func TestSessionIsBounded(t *testing.T) {
	s := sharedServer(t)
	a := &asks{t, s.open(t, vetoredis.Options{Prefix: prefix(t), MaxKeysPerAgent: 10})}
	a.open("s")
	var err error
	n := 0
	for ; n < 5000 && err == nil; n++ {
		b := &evaluator.Batch{Op: evaluator.OpTake, Session: "s", Project: "acme", Agent: "bot",
			Takes: []evaluator.Take{value("v", 0, 1_000_000, fmt.Sprint(n))}}
		err = a.store.Do(ctx, b)
		require.Equal(t, err == nil, b.Taken)
	}
	require.ErrorIs(t, err, vetoredis.ErrFull)
	require.Less(t, n, 1100)
}
