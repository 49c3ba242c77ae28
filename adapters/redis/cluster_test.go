package vetoredis_test

import (
	"net"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// startNode starts one of a cluster.
func startNode(t *testing.T) (*server, *goredis.Client) {
	t.Helper()
	_, bus, err := net.SplitHostPort(freeAddr(t))
	require.NoError(t, err)
	s := start(t, append([]string{"--cluster-enabled", "yes", "--cluster-port", bus}, durable...)...)
	return s, s.client(t)
}

// clusterOf returns a client of the cluster of a node, when it works.
func clusterOf(t *testing.T, s *server, nodes ...*goredis.Client) *goredis.ClusterClient {
	t.Helper()
	for _, node := range nodes {
		wait(t, "the cluster", func() bool { return strings.Contains(node.ClusterInfo(ctx).Val(), "cluster_state:ok") })
	}
	c := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{s.addr}, ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// All keys of a project are on one server of a cluster.
func TestCluster(t *testing.T) {
	s, node := startNode(t)
	require.NoError(t, node.Do(ctx, "cluster", "addslotsrange", 0, 16383).Err())
	c := clusterOf(t, s, node)
	store, err := vetoredis.New(ctx, c, &vetoredis.Options{Timeout: 10 * time.Second})
	require.NoError(t, err)
	for _, project := range []string{"", "acme", "other"} {
		b := &evaluator.Batch{Op: evaluator.OpOpen, Project: project, Session: "s"}
		require.NoError(t, store.Do(ctx, b))
		b = &evaluator.Batch{Op: evaluator.OpTake, Project: project, Agent: "bot", Session: "s", Takes: each(time.Minute)}
		require.NoError(t, store.Do(ctx, b))
		require.True(t, b.Taken)
		b.Op, b.Event = evaluator.OpGiveBack, nil
		require.NoError(t, store.Do(ctx, b))
	}
	require.NoError(t, node.ConfigSet(ctx, "appendfsync", "no").Err())
	_, err = vetoredis.New(ctx, c, nil)
	require.ErrorIs(t, err, vetoredis.ErrForgets)
	require.NoError(t, node.ScriptFlush(ctx).Err())
	require.ErrorIs(t, store.Do(ctx, &evaluator.Batch{Op: evaluator.OpLook, Takes: each(time.Minute)[:1]}), vetoredis.ErrForgets)
}

// While a project moves to another server of a cluster, calls are counted once,
// or denied; and when it has moved, everything goes on there.
func TestProjectMoves(t *testing.T) {
	from, a := startNode(t)
	to, b := startNode(t)
	require.NoError(t, a.Do(ctx, "cluster", "addslotsrange", 0, 8191).Err())
	require.NoError(t, b.Do(ctx, "cluster", "addslotsrange", 8192, 16383).Err())
	host, port, err := net.SplitHostPort(to.addr)
	require.NoError(t, err)
	bus := b.ConfigGet(ctx, "cluster-port").Val()["cluster-port"]
	require.NoError(t, a.Do(ctx, "cluster", "meet", host, port, bus).Err())
	c := clusterOf(t, from, a, b)
	store, err := vetoredis.New(ctx, c, &vetoredis.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)

	const most = 40
	taken := 0
	take := func(takes ...evaluator.Take) error {
		q := &evaluator.Batch{Op: evaluator.OpTake, Project: "acme", Agent: "bot", Takes: takes}
		err := store.Do(ctx, q)
		require.Equal(t, err == nil && q.Takes[0].Fits, q.Taken)
		if q.Taken {
			taken++
		}
		return err
	}
	limit := calls("k", time.Hour, most)
	for range 10 {
		require.NoError(t, take(limit))
	}
	keys := append(a.Keys(ctx, "*").Val(), b.Keys(ctx, "*").Val()...)
	require.Len(t, keys, 2)
	slot := c.ClusterKeySlot(ctx, keys[0]).Val()
	if slot > 8191 {
		a, b, from, to = b, a, to, from
	}
	host, port, err = net.SplitHostPort(to.addr)
	require.NoError(t, err)
	idA, idB := a.Do(ctx, "cluster", "myid").Val(), b.Do(ctx, "cluster", "myid").Val()
	require.NoError(t, b.Do(ctx, "cluster", "setslot", slot, "importing", idA).Err())
	require.NoError(t, a.Do(ctx, "cluster", "setslot", slot, "migrating", idB).Err())
	require.NoError(t, take(limit), "all of it is here")
	denied := 0
	for _, k := range keys {
		require.NoError(t, a.Do(ctx, "migrate", host, port, k, 0, 5000).Err())
		for range 3 {
			if take(limit) != nil {
				denied++
			}
			if take(calls("new", time.Hour, most), limit) != nil {
				denied++
			}
		}
	}
	for _, n := range []*goredis.Client{b, a} {
		require.NoError(t, n.Do(ctx, "cluster", "setslot", slot, "node", idB).Err())
	}
	wait(t, "the new place", func() bool { return take(limit) == nil })
	for range most + 5 {
		require.NoError(t, take(limit))
	}
	require.LessOrEqual(t, taken, most)
	require.GreaterOrEqual(t, taken+denied, most)
	t.Logf("%d denied meanwhile, %d taken", denied, taken)
}

// What may have been done is not asked again, by a client of a cluster either.
func TestAskedOnce(t *testing.T) {
	x := newLiar(t)
	c := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{x.addr}, ContextTimeoutEnabled: true, MaxRetries: 5})
	defer c.Close()
	store, err := vetoredis.New(ctx, c, &vetoredis.Options{AcceptThatCountsMayBeForgotten: true, Timeout: 200 * time.Millisecond})
	require.NoError(t, err)
	ask := func() int64 {
		before := x.asked.Load()
		b := &evaluator.Batch{Op: evaluator.OpTake, Takes: []evaluator.Take{calls("a", time.Second, 1)}}
		require.Error(t, store.Do(ctx, b))
		require.False(t, b.Taken)
		return x.asked.Load() - before
	}
	require.EqualValues(t, 1, ask(), "it hangs up")
	silence := ""
	for _, lie := range []string{silence, "$5\r\nabc", "-TRYAGAIN no\r\n", "-LOADING no\r\n", "-CLUSTERDOWN no\r\n", "-ERR no\r\n"} {
		x.lie.Store(&lie)
		require.EqualValues(t, 1, ask(), lie)
	}
	_, port, err := net.SplitHostPort(x.addr)
	require.NoError(t, err)
	for _, redirection := range []string{"MOVED", "ASK"} { // these say that it was not done
		lie := "-" + redirection + " 1 127.0.0.1:" + port + "\r\n"
		x.lie.Store(&lie)
		require.LessOrEqual(t, ask(), int64(5), "it goes in circles, and gives up")
	}
}
