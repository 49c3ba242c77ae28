package vetoredis_test

import (
	"context"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// A server that could forget what it counts is refused, unless that is
// accepted under a name that says so.
func TestServerThatForgets(t *testing.T) {
	s := start(t, durable...)
	c := s.client(t)
	open := func(opts vetoredis.Options) error {
		_, err := vetoredis.New(ctx, c, &opts)
		return err
	}
	require.NoError(t, open(vetoredis.Options{}))
	for setting, values := range map[string][2]string{
		"appendonly":                {"yes", "no"},
		"appendfsync":               {"always", "everysec"},
		"no-appendfsync-on-rewrite": {"no", "yes"},
		"maxmemory-policy":          {"noeviction", "volatile-ttl"},
	} {
		require.NoError(t, c.ConfigSet(ctx, setting, values[1]).Err())
		err := open(vetoredis.Options{})
		require.ErrorIs(t, err, vetoredis.ErrForgets)
		require.ErrorContains(t, err, setting+` is "`+values[1]+`" and must be "`+values[0]+`"`)
		require.ErrorIs(t, open(vetoredis.Options{AllowStoreThatIsDownAtStart: true}), vetoredis.ErrForgets, "it is not down")
		require.NoError(t, open(vetoredis.Options{AcceptThatCountsMayBeForgotten: true}))
		require.NoError(t, c.ConfigSet(ctx, setting, values[0]).Err())
		wait(t, "the setting", func() bool { return open(vetoredis.Options{}) == nil })
	}
}

// A server that does not show its configuration is refused likewise.
func TestServerThatDoesNotSay(t *testing.T) {
	s := start(t, durable...)
	admin := s.client(t)
	for _, rule := range []string{"-config", "-info"} {
		require.NoError(t, admin.Do(ctx, "acl", "setuser", "veto", "on", ">secret", "~*", "&*", "+@all", rule).Err())
		c := goredis.NewClient(&goredis.Options{Addr: s.addr, ContextTimeoutEnabled: true, Username: "veto", Password: "secret"})
		t.Cleanup(func() { _ = c.Close() })
		_, err := vetoredis.New(ctx, c, nil)
		require.ErrorIs(t, err, vetoredis.ErrForgets)
		store, err := vetoredis.New(ctx, c, &vetoredis.Options{AcceptThatCountsMayBeForgotten: true, Timeout: time.Second})
		require.NoError(t, err)
		b := &evaluator.Batch{Op: evaluator.OpTake, Takes: []evaluator.Take{calls("k", time.Second, 5)}}
		require.NoError(t, store.Do(ctx, b))
		require.True(t, b.Taken)
	}
}

func TestReplicaIsRefused(t *testing.T) {
	master := start(t, durable...)
	replica := start(t, append([]string{"--replicaof", strings.ReplaceAll(master.addr, ":", " ")}, durable...)...)
	_, err := vetoredis.New(ctx, replica.client(t), nil)
	require.ErrorContains(t, err, "not a master")
	_, err = vetoredis.New(ctx, replica.client(t), &vetoredis.Options{AcceptThatCountsMayBeForgotten: true})
	require.ErrorContains(t, err, "not a master")
}

// A server that is down is an error; where that is allowed, calls are denied
// until it answers and has been checked.
func TestDownAtStart(t *testing.T) {
	s := start(t, durable...)
	s.kill()
	_, err := vetoredis.New(ctx, s.client(t), nil)
	require.ErrorContains(t, err, "the server does not answer")
	store, err := vetoredis.New(ctx, s.client(t), &vetoredis.Options{AllowStoreThatIsDownAtStart: true, Timeout: time.Second})
	require.NoError(t, err)
	take := func() error {
		b := &evaluator.Batch{Op: evaluator.OpTake, Takes: []evaluator.Take{calls("k", time.Minute, 100)}}
		err := store.Do(ctx, b)
		require.Equal(t, err == nil, b.Taken)
		return err
	}
	require.Error(t, take())
	s.args = []string{"--appendonly", "no", "--save", ""}
	s.run(t)
	require.ErrorIs(t, take(), vetoredis.ErrForgets)
	require.ErrorIs(t, take(), vetoredis.ErrForgets)
	s.kill()
	s.args = durable
	s.run(t)
	wait(t, "the store", func() bool { return take() == nil })
}

// A server that was restarted is checked again, by each process that demands
// as much, before it is used.
func TestRestartWithAnotherConfiguration(t *testing.T) {
	s := start(t, durable...)
	strict, accepts := s.open(t, vetoredis.Options{}), s.open(t, vetoredis.Options{AcceptThatCountsMayBeForgotten: true})
	take := func(store *vetoredis.Store) error {
		return store.Do(ctx, &evaluator.Batch{Op: evaluator.OpTake, Takes: []evaluator.Take{calls("k", time.Minute, 100)}})
	}
	require.NoError(t, take(strict))
	require.NoError(t, take(accepts))
	s.kill()
	require.Error(t, take(strict))
	s.args = []string{"--appendonly", "no", "--save", ""}
	s.run(t)
	wait(t, "the store", func() bool { return take(accepts) == nil })
	for range 3 {
		require.ErrorIs(t, take(strict), vetoredis.ErrForgets)
		require.NoError(t, take(accepts))
	}
}

func TestClients(t *testing.T) {
	bad := func(c goredis.UniversalClient, text string) {
		t.Helper()
		_, err := vetoredis.New(ctx, c, nil)
		require.ErrorContains(t, err, text)
	}
	deaf := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1"})
	defer deaf.Close()
	bad(deaf, "ContextTimeoutEnabled")
	cluster := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	defer cluster.Close()
	bad(cluster, "ContextTimeoutEnabled")
	ring := goredis.NewRing(&goredis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	defer ring.Close()
	bad(ring, "Ring")
	bad(nil, "<nil>")
	bad((*goredis.Client)(nil), "nil")
	bad((*goredis.ClusterClient)(nil), "nil")
	bad(struct{ goredis.UniversalClient }{deaf}, "use a *redis.Client")
}

func TestOptions(t *testing.T) {
	c := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true, DialerRetries: 1})
	defer c.Close()
	for text, opts := range map[string]vetoredis.Options{
		"Prefix":          {Prefix: "a{b}"},
		"Timeout":         {Timeout: -1},
		"MaxKeysPerAgent": {MaxKeysPerAgent: -1},
		"SessionIdle":     {SessionIdle: time.Microsecond},
	} {
		_, err := vetoredis.New(ctx, c, &opts)
		require.ErrorContains(t, err, "Options."+text)
	}
	_, err := vetoredis.New(nil, c, nil) //lint:ignore SA1012 a nil context is refused
	require.ErrorContains(t, err, "context is nil")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = vetoredis.New(cancelled, c, nil)
	require.Error(t, err)
}
