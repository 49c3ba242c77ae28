package vetoredis_test

import (
	"fmt"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
)

// clock is the time of a store, which a test sets: so that hours pass at once,
// and several things happen in one microsecond.
type clock struct {
	tb     testing.TB
	client *goredis.Client
	prefix string // of the store's keys
	key    string
	now    time.Time
}

// withClock returns a store of the shared server whose clock is the test's.
func withClock(tb testing.TB) (*vetoredis.Store, *clock) {
	tb.Helper()
	return quickServer(tb).withClock(tb, vetoredis.Options{})
}

func (s *server) withClock(tb testing.TB, opts vetoredis.Options) (*vetoredis.Store, *clock) {
	tb.Helper()
	p := prefix(tb)
	opts.Prefix, opts.AcceptThatCountsMayBeForgotten = p, true
	store := s.open(tb, opts)
	c := &clock{tb: tb, client: s.client(tb), prefix: p, key: p + "clock", now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	store.UseClock(c.key)
	c.set(c.now)
	return store, c
}

func (c *clock) set(now time.Time) {
	c.now = now.Truncate(time.Microsecond)
	micros := c.now.UnixMicro()
	require.NoError(c.tb, c.client.Set(ctx, c.key, fmt.Sprintf("%d %d", micros/1e6, micros%1e6), 0).Err())
}

func (c *clock) pass(d time.Duration) { c.set(c.now.Add(d)) }

// keys are those of the store that a pattern describes.
func (c *clock) keys(pattern string) []string { return c.client.Keys(ctx, c.prefix+pattern).Val() }

// age has time pass for keys too, which live by the server's own clock.
func (c *clock) age(d time.Duration) {
	for _, k := range c.keys("{*") {
		left := c.client.PTTL(ctx, k).Val()
		require.Positive(c.tb, left, "%s lives for ever", k)
		require.NoError(c.tb, c.client.PExpire(ctx, k, left-d).Err())
	}
	c.pass(d)
}
