package vetoredis_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	vetoredis "github.com/useveto/veto-go/adapters/redis"
)

var ratio = flag.Bool("ratio", false, "time a decision with a limit beside a bare GET, and fail where it takes more than 2.5 times as long")

// TestRatio times decisions with one limit beside bare GETs, in turns, on the
// same server: the middle one of each, and of the ratios of the rounds the
// middle one. The server keeps its file in memory, where there is such a file
// system: so that it is what the question costs that is measured, not the
// disk, which a decision waits for and a GET does not.
func TestRatio(t *testing.T) {
	if !*ratio {
		t.Skip("-ratio times a decision beside a bare GET")
	}
	for _, where := range []string{"memory", "disk"} {
		dir := t.TempDir()
		if info, err := os.Stat("/dev/shm"); where == "memory" && err == nil && info.IsDir() {
			dir, err = os.MkdirTemp("/dev/shm", "veto-redis")
			require.NoError(t, err)
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
		}
		s := &server{addr: freeAddr(t), dir: dir, args: durable}
		s.run(t)
		t.Cleanup(s.kill)
		client := s.client(t)
		store, err := vetoredis.New(ctx, client, &vetoredis.Options{Timeout: time.Minute})
		require.NoError(t, err)
		require.NoError(t, client.Set(ctx, "bare", "value", 0).Err())
		for _, maxCalls := range []int{20, 1_000_000} {
			a := authorizer(t, store, fmt.Sprintf(`
policies:
  - id: p%d
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: [t]}
      - {type: rate_limit, rateLimit: {maxCalls: %d, windowSeconds: 1}}
`, maxCalls, maxCalls), nil)
			var ratios []float64
			var get, decide time.Duration
			for round := range 9 {
				get = median(t, 2000, func() error { return bare(client) })
				decide = median(t, 2000, func() error {
					_, err := a.Authorize(ctx, "bot", "t", nil)
					if maxCalls > 100 {
						return err
					}
					return nil
				})
				if round > 0 {
					ratios = append(ratios, float64(decide)/float64(get))
				}
			}
			slices.Sort(ratios)
			middle := ratios[len(ratios)/2]
			t.Logf("file in %s, maxCalls %d: GET %v, a limited decision %v, ratio %.2f", where, maxCalls, get, decide, middle)
			if where == "memory" {
				require.LessOrEqual(t, middle, 2.5)
			}
		}
	}
}

func bare(c *goredis.Client) error { return c.Get(ctx, "bare").Err() }

func median(t *testing.T, n int, f func() error) time.Duration {
	t.Helper()
	times := make([]time.Duration, n)
	for i := range times {
		start := time.Now()
		err := f()
		times[i] = time.Since(start)
		require.NoError(t, err)
	}
	slices.Sort(times)
	return times[n/2]
}

var _ = veto.ErrDenied
