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
	key    string
	now    time.Time
}

// withClock returns a store of the shared server whose clock is the test's.
func withClock(tb testing.TB) (*vetoredis.Store, *clock) {
	tb.Helper()
	s, p := quickServer(tb), prefix(tb)
	store := s.open(tb, vetoredis.Options{Prefix: p, AcceptThatCountsMayBeForgotten: true})
	c := &clock{tb: tb, client: s.client(tb), key: p + "clock", now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
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
