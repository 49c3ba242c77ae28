package vetoredis_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
)

var ratio = flag.Bool("ratio", false, "time a decision with a limit beside a bare GET, and fail where it takes more than 2.5 times as long")

// TestRatio times decisions with one limit beside a bare GET, and a bare SET
// that lives as long, in turns, on the same server: the middle one of each,
// and of the ratios of the rounds the middle one. The bar is that of a server
// whose file is in memory: what a disk takes is the disk's, and a GET does not
// wait for it.
func TestRatio(t *testing.T) {
	if !*ratio {
		t.Skip("-ratio times a decision beside a bare GET")
	}
	for _, place := range []string{"none", "memory", "disk"} {
		t.Run(place, func(t *testing.T) { ratios(t, place) })
	}
}

func ratios(t *testing.T, place string) {
	dir, args := t.TempDir(), durable
	switch place {
	case "none":
		args = []string{"--save", ""}
	case "memory":
		var err error
		dir, err = os.MkdirTemp("/dev/shm", "veto-redis")
		if err != nil {
			t.Skip("there is no file system in memory here")
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	s := &server{addr: freeAddr(t), dir: dir, args: args}
	s.run(t)
	t.Cleanup(s.kill)
	client := s.client(t)
	store, err := vetoredis.New(ctx, client, &vetoredis.Options{Timeout: time.Minute, AcceptThatCountsMayBeForgotten: place == "none"})
	require.NoError(t, err)
	require.NoError(t, client.Set(ctx, "bare", "value", 0).Err())
	for _, x := range []struct {
		name     string
		maxCalls int
		allowed  bool
	}{{"allowed", 1_000_000, true}, {"refused", 20, false}} {
		a := authorizer(t, store, fmt.Sprintf(`
policies:
  - id: %s
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: [t]}
      - {type: rate_limit, rateLimit: {maxCalls: %d, windowSeconds: 60}}
`, x.name, x.maxCalls), nil)
		for range 20 {
			_, err := a.Authorize(ctx, "bot", "t", nil)
			require.NoError(t, err)
		}
		question := func() {
			_, err := a.Authorize(ctx, "bot", "t", nil)
			require.Equal(t, x.allowed, err == nil)
		}
		var all []float64
		var get, set, decision time.Duration
		for range 25 {
			middles := inTurns(401,
				func() { require.NoError(t, client.Get(ctx, "bare").Err()) },
				func() { require.NoError(t, client.Set(ctx, "other", "value", time.Minute).Err()) },
				question,
			)
			get, set, decision = middles[0], middles[1], middles[2]
			all = append(all, float64(decision)/float64(get))
		}
		slices.Sort(all)
		t.Logf("%s: GET %v, SET %v, decision %v; %.2f times a GET", x.name, get, set, decision, all[len(all)/2])
		if place == "memory" {
			require.LessOrEqual(t, all[len(all)/2], 2.5)
		}
	}
}

// inTurns calls the functions in turns, so often, and returns the middle of
// the times that each takes. So a machine that wakes up slowly does so for all.
func inTurns(n int, fs ...func()) []time.Duration {
	times := make([][]time.Duration, len(fs))
	for range n {
		for i, f := range fs {
			start := time.Now()
			f()
			times[i] = append(times[i], time.Since(start))
		}
	}
	middles := make([]time.Duration, len(fs))
	for i := range times {
		slices.Sort(times[i])
		middles[i] = times[i][n/2]
	}
	return middles
}
