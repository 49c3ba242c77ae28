package vetoredis_test

import (
	"context"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// A master that becomes a replica takes nothing, and works again when it is
// a master.
func TestMasterBecomesReplica(t *testing.T) {
	s, other := start(t, durable...), start(t, durable...)
	admin, a := s.client(t), &asks{t, s.open(t, vetoredis.Options{})}
	ask := func() error {
		b := &evaluator.Batch{Op: evaluator.OpTake, Takes: []evaluator.Take{calls("k", time.Hour, 100)}}
		err := a.store.Do(ctx, b)
		require.Equal(t, err == nil, b.Taken)
		return err
	}
	require.NoError(t, ask())
	host, port, err := net.SplitHostPort(other.addr)
	require.NoError(t, err)
	require.NoError(t, admin.ReplicaOf(ctx, host, port).Err())
	for range 20 {
		require.Error(t, ask())
	}
	require.NoError(t, admin.ReplicaOf(ctx, "NO", "ONE").Err())
	wait(t, "the master", func() bool { return ask() == nil })
}

// A server that is made to forget its scripts meanwhile counts on.
func TestScriptsAreForgotten(t *testing.T) {
	s := start(t, durable...)
	store, admin := s.open(t, vetoredis.Options{}), s.client(t)
	const most = 400
	var taken, failed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				b := &evaluator.Batch{Op: evaluator.OpTake, Takes: []evaluator.Take{calls("k", time.Hour, most)}}
				if store.Do(ctx, b) != nil {
					failed.Add(1)
				} else if b.Taken {
					taken.Add(1)
				}
			}
		})
	}
	for range 30 {
		require.NoError(t, admin.ScriptFlush(ctx).Err())
	}
	all.Wait()
	require.LessOrEqual(t, taken.Load(), int64(most))
	require.LessOrEqual(t, failed.Load(), int64(30*8), "forgotten again before it was asked")
	require.LessOrEqual(t, int64(most), taken.Load()+failed.Load())
}

// Keys that somebody else has spoilt deny, and nothing is taken beside them.
func TestSpoiltKeys(t *testing.T) {
	s, p := sharedServer(t), prefix(t)
	a, c := &asks{t, s.open(t, vetoredis.Options{Prefix: p})}, s.client(t)
	all := func() []evaluator.Take {
		return []evaluator.Take{calls("c", time.Hour, 5), bucket("b", time.Hour, 5), sum("s", time.Hour, big.NewInt(10), big.NewInt(1)), value("v", time.Hour, 5, "x")}
	}
	a.open("s")
	require.True(t, a.take("s", all()...).Taken)
	keys := c.Keys(ctx, p+"*").Val()
	require.Len(t, keys, 6)
	for _, k := range keys {
		was, left := c.Dump(ctx, k).Val(), c.PTTL(ctx, k).Val()
		for what, spoil := range map[string]func() error{
			"list":  func() error { return c.RPush(ctx, k, "x").Err() },
			"empty": func() error { return c.Set(ctx, k, "", 0).Err() },
			"short": func() error { return c.Set(ctx, k, "\x00\x01\x02", 0).Err() },
			"hash":  func() error { return c.HSet(ctx, k, "b", "x").Err() },
		} {
			require.NoError(t, c.Del(ctx, k).Err())
			require.NoError(t, spoil())
			before, _ := dump(t, c, p)
			// The register is not looked at for counters that are in it.
			takes := append(all(), calls("new", time.Hour, 5))
			b := &evaluator.Batch{Op: evaluator.OpTake, Project: "acme", Agent: "bot", Session: "s", Takes: takes, Event: []byte("x")}
			require.Error(t, a.store.Do(ctx, b), "%s %s", what, k)
			require.False(t, b.Taken)
			after, _ := dump(t, c, p)
			require.Equal(t, before, after, "%s %s", what, k)
		}
		require.NoError(t, c.RestoreReplace(ctx, k, left, was).Err())
	}
	require.True(t, a.take("s", all()...).Taken)
}

// Names of agents, projects, sessions and values have no say in what keys look
// like, and in which are the same.
func TestHostileNames(t *testing.T) {
	s, p := sharedServer(t), prefix(t)
	store, c := s.open(t, vetoredis.Options{Prefix: p}), s.client(t)
	names := []string{"", "}", "{", "{}", "a}b{c", "\x00", "\xff\xfe", "a\x00b", "a", "b", "*", "\r\nSET x y\r\n", strings.Repeat("x", 1<<16)}
	n := 0
	for _, project := range names {
		for _, name := range names {
			session := name
			if session == "" {
				session = " "
			}
			require.NoError(t, store.Do(ctx, &evaluator.Batch{Op: evaluator.OpOpen, Project: project, Session: session}))
			b := &evaluator.Batch{
				Op: evaluator.OpTake, Project: project, Agent: name, Session: session,
				Takes: []evaluator.Take{value(project+"|"+name+"|", time.Hour, 1, name), value(name, 0, 1, name), tally(name+"t", 1, 1)},
			}
			require.NoError(t, store.Do(ctx, b))
			require.True(t, b.Taken, "%.20q %.20q", project, name)
			n++
		}
	}
	slots := map[string]string{}
	for _, k := range c.Keys(ctx, p+"*").Val() {
		require.Regexp(t, `\{[\w-]{22}\}:[abchsv]:[\w-]{43}$`, k)
		tag := k[strings.Index(k, "{"):strings.Index(k, "}")]
		slots[tag] = k
	}
	require.Len(t, slots, len(names), "one tag of each project")
	require.Len(t, c.Keys(ctx, p+"*").Val(), 3*n)
}

// A question about a thousand limits is answered, all or nothing.
func TestManyLimitsAtOnce(t *testing.T) {
	a := newAsks(t)
	a.open("s")
	var all []evaluator.Take
	for i := range 250 {
		k := fmt.Sprint(i)
		all = append(all, calls("c"+k, time.Hour, 2), sum("s"+k, time.Hour, big.NewInt(2), big.NewInt(1)), value("v"+k, time.Hour, 2, "x"), tally("t"+k, 2, 1))
	}
	begin := time.Now()
	require.True(t, a.take("s", all...).Taken)
	t.Logf("%d limits in %v", len(all), time.Since(begin))
	require.True(t, a.take("s", all[999]).Taken)
	require.False(t, a.take("s", all...).Taken)
	require.Equal(t, "1", a.look("s", all[0]).Takes[0].Used)
}

// It is the same to the store which protocol the client speaks.
func TestProtocols(t *testing.T) {
	s := sharedServer(t)
	for _, protocol := range []int{2, 3} {
		c := goredis.NewClient(&goredis.Options{Addr: s.addr, ContextTimeoutEnabled: true, Protocol: protocol})
		defer c.Close()
		store, err := vetoredis.New(ctx, c, &vetoredis.Options{Prefix: prefix(t), Timeout: 10 * time.Second})
		require.NoError(t, err)
		a := &asks{t, store}
		a.open("s")
		for range 2 {
			b := a.take("s", each(time.Hour)...)
			require.True(t, b.Taken)
			a.back(b)
			require.True(t, a.take("s", each(time.Hour)...).Taken)
		}
		a.append("s", "event")
		require.Equal(t, []string{"event"}, texts(a.history("s", 0)))
		for _, x := range a.look("s", each(time.Hour)...).Takes {
			require.Contains(t, []string{"1", "2", digits(big.NewInt(2))}, x.Used)
		}
	}
}

// The time that it takes to connect is part of the time that a decision waits,
// however often the client tries, and whatever its dialer thinks of contexts.
func TestConnectingTakesNoLonger(t *testing.T) {
	s := start(t, durable...)
	var slow atomic.Bool
	for _, heeds := range []bool{true, false} {
		slow.Store(false)
		c := goredis.NewClient(&goredis.Options{
			Addr: s.addr, ContextTimeoutEnabled: true, MaxRetries: 10,
			Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if slow.Load() {
					if heeds {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					pause(3 * time.Second)
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			},
		})
		defer c.Close()
		store, err := vetoredis.New(ctx, c, nil)
		require.NoError(t, err)
		a := authorizer(t, store, limited, nil)
		wait(t, "the store", func() bool { _, err := a.Authorize(ctx, "bot", "t", nil); return err == nil })
		slow.Store(true)
		s.kill() // which breaks all connections
		s.run(t)
		for range 3 {
			denied(t, a, 50*time.Millisecond)
		}
	}
}

// A server that has no CONFIG is refused, in words that say what to do.
func TestServerWithoutConfig(t *testing.T) {
	s := start(t, append([]string{"--rename-command", "CONFIG", ""}, durable...)...)
	_, err := vetoredis.New(ctx, s.client(t), nil)
	require.ErrorIs(t, err, vetoredis.ErrForgets)
	require.ErrorContains(t, err, "CONFIG GET")
	require.ErrorContains(t, err, "Options.AcceptThatCountsMayBeForgotten")
	_, err = vetoredis.New(ctx, s.client(t), &vetoredis.Options{AcceptThatCountsMayBeForgotten: true})
	require.NoError(t, err)
}
