package vetoredis_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	vetoredis "github.com/useveto/veto-go/adapters/redis"
)

var ratio = flag.Bool("ratio", false, "time a decision with a limit beside a bare GET, and fail where it takes more than 2.5 times as long")

// places are where a server keeps its file.
var places = []string{"none", "memory", "disk"}

// startAt starts a server that keeps its file there.
func startAt(t *testing.T, place string) *server {
	t.Helper()
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
	return s
}

// timed decides by one limit, or what else the rule is, in a store that is
// patient.
func timed(t *testing.T, s *server, place, rule string) func() error {
	t.Helper()
	store := s.open(t, vetoredis.Options{Timeout: time.Minute, AcceptThatCountsMayBeForgotten: place == "none"})
	a := authorizer(t, store, fmt.Sprintf(`
policies:
  - id: p
    agentId: "*"
    rules: [{type: tool_allowlist, tools: [t]}, %s]
`, rule), nil)
	call := veto.Call{AgentID: "bot", Tool: "t", Parameters: json.RawMessage(`{"amount": 1}`)}
	return func() error {
		_, err := a.Decide(ctx, call)
		return err
	}
}

// TestRatio times decisions with one limit beside a bare GET, and a bare SET
// that lives as long, in turns, by one client: the middle one of each, and of
// the ratios of the rounds the middle one. The bar is that of limits of calls
// and budgets of amounts, and of a server whose file is in memory: the writing
// of one client alone waits for its disk, and its reading does not.
// TestRatioMixed has both under load.
func TestRatio(t *testing.T) {
	if !*ratio {
		t.Skip("-ratio times a decision beside a bare GET")
	}
	for _, place := range places {
		t.Run(place, func(t *testing.T) { ratios(t, place) })
	}
}

func ratios(t *testing.T, place string) {
	s := startAt(t, place)
	client := s.client(t)
	require.NoError(t, client.Set(ctx, "bare", "value", 0).Err())
	for _, x := range []struct {
		name, rule string
		allowed    bool
		warm       time.Duration
		bar        float64 // 0: none
	}{
		{"allowed", "{type: rate_limit, rateLimit: {maxCalls: 1000000, windowSeconds: 60}}", true, 0, 2.5},
		{"allowed, every part of the window in use", "{type: rate_limit, rateLimit: {maxCalls: 1000000, windowSeconds: 1}}", true, time.Second, 2.5},
		{"refused", "{type: rate_limit, rateLimit: {maxCalls: 20, windowSeconds: 60}}", false, 0, 2.5},
		{"a sum", "{type: budget, budget: {parameter: amount, max: 1000000, windowSeconds: 60}}", true, 0, 2.5},
		{"a sum, every part of the window in use", "{type: budget, budget: {parameter: amount, max: 1000000, windowSeconds: 1}}", true, time.Second, 2.5},
		{"a sum, refused", "{type: budget, budget: {parameter: amount, max: 20, windowSeconds: 61}}", false, 0, 2.5},
		{"a sum and a limit", "{type: budget, budget: {parameter: amount, max: 1000000, windowSeconds: 62}}, {type: rate_limit, rateLimit: {maxCalls: 1000000, windowSeconds: 62}}", true, 0, 0},
	} {
		decide := timed(t, s, place, x.rule)
		for n, begin := 0, time.Now(); n < 20 || time.Since(begin) < x.warm; n++ {
			err := decide()
			require.True(t, err == nil || !x.allowed, "%v", err)
		}
		var all []float64
		var get, set, decision time.Duration
		for range 25 {
			middles := inTurns(401,
				func() { require.NoError(t, client.Get(ctx, "bare").Err()) },
				func() { require.NoError(t, client.Set(ctx, "other", "value", time.Minute).Err()) },
				func() { require.Equal(t, x.allowed, decide() == nil) },
			)
			get, set, decision = middles[0], middles[1], middles[2]
			all = append(all, float64(decision)/float64(get))
		}
		slices.Sort(all)
		t.Logf("%s: GET %v, SET %v, decision %v; %.2f times a GET", x.name, get, set, decision, all[len(all)/2])
		if place == "memory" && x.bar > 0 {
			require.LessOrEqual(t, all[len(all)/2], x.bar, x.name)
		}
	}
}

// TestRatioMixed times decisions with one limit beside a bare GET while eight
// clients, each with its connection, ask one after the other in turns: what a
// service sees whose clients read and decide. Under that load a GET waits for
// the disk too, since a server that is writing answers nobody.
func TestRatioMixed(t *testing.T) {
	if !*ratio {
		t.Skip("-ratio times a decision beside a bare GET")
	}
	for _, place := range places {
		t.Run(place, func(t *testing.T) { mixed(t, place) })
	}
}

func mixed(t *testing.T, place string) {
	const clients, each = 8, 4000
	s := startAt(t, place)
	require.NoError(t, s.client(t).Set(ctx, "bare", "value", 0).Err())
	var gets, decisions [clients][]time.Duration
	var all sync.WaitGroup
	begin := time.Now()
	for i := range clients {
		client := s.client(t)
		decide := timed(t, s, place, "{type: rate_limit, rateLimit: {maxCalls: 1000000, windowSeconds: 1}}")
		all.Go(func() {
			for range each {
				start := time.Now()
				err := client.Get(ctx, "bare").Err()
				middle := time.Now()
				err = errors.Join(err, decide())
				end := time.Now()
				if err != nil {
					t.Error(err)
					return
				}
				gets[i], decisions[i] = append(gets[i], middle.Sub(start)), append(decisions[i], end.Sub(middle))
			}
		})
	}
	all.Wait()
	took := time.Since(begin)
	get, decision := slices.Concat(gets[:]...), slices.Concat(decisions[:]...)
	slices.Sort(get)
	slices.Sort(decision)
	at := func(times []time.Duration, percent int) time.Duration { return times[len(times)*percent/100] }
	t.Logf("p50: GET %v, decision %v; %.2f times a GET. p99: GET %v, decision %v. %.0f decisions a second",
		at(get, 50), at(decision, 50), float64(at(decision, 50))/float64(at(get, 50)), at(get, 99), at(decision, 99), clients*each/took.Seconds())
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
