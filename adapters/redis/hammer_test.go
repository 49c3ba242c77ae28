package vetoredis_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

var ops = flag.Int("ops", 24_000, "how many questions the processes of TestFourProcesses ask in all")

// hammerRole is the environment variable that makes the test's program one of
// the processes that hammer a store.
const hammerRole = "VETO_TEST_HAMMER"

const (
	hammerers  = 4
	hammerEach = 4 // goroutines of a process
	// One question in so many is about the limit of a long window.
	hammerLong = 8
)

// hammerLimits are what so many questions are about: an exact limit, one that
// is not, and one whose window outlasts the test and that permits half of what
// is asked.
func hammerLimits(questions int) []evaluator.Take {
	return []evaluator.Take{
		calls("exact", 50*time.Millisecond, 20), calls("many", 50*time.Millisecond, 60),
		calls("long", time.Hour, questions/hammerLong/2),
	}
}

// hammerProcess is one of the processes: role is the server's address, the
// prefix and the number of questions. It writes what was taken, by the
// server's time, and asks again what failed.
func hammerProcess(role string) int {
	parts := strings.Split(role, " ")
	if len(parts) != 3 {
		return 2
	}
	n, err := strconv.Atoi(parts[2])
	if err != nil {
		return 2
	}
	c := goredis.NewClient(&goredis.Options{Addr: parts[0], ContextTimeoutEnabled: true, DialerRetries: 1})
	defer c.Close()
	limits := hammerLimits(n * hammerers)
	store, err := vetoredis.New(ctx, c, &vetoredis.Options{Prefix: parts[1], Timeout: 5 * time.Second})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var mu sync.Mutex
	failed := 0
	out := bufio.NewWriter(os.Stdout)
	var wg sync.WaitGroup
	for g := range hammerEach {
		wg.Go(func() {
			for i := g; i < n; i += hammerEach {
				which := i / hammerEach % 2
				if i/hammerEach%hammerLong == 0 {
					which = 2
				}
				for {
					b := &evaluator.Batch{Op: evaluator.OpTake, Agent: "bot", Takes: []evaluator.Take{limits[which]}}
					err := store.Do(ctx, b)
					mu.Lock()
					if err != nil {
						failed++
					} else if b.Taken {
						var event [9]byte
						event[0] = byte(which)
						binary.BigEndian.PutUint64(event[1:], uint64(b.Now.UnixMicro()))
						_, _ = out.Write(event[:])
					}
					mu.Unlock()
					if err == nil {
						break
					}
					pause(5 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	if out.Flush() != nil {
		return 1
	}
	fmt.Fprintln(os.Stderr, failed)
	return 0
}

// hammer runs the processes, meanwhile during, and returns when what was taken
// of each limit, and how many questions failed.
func hammer(t *testing.T, s *server, prefix string, questions int, during func()) (times [][]time.Time, failed int) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	var outs, errs [hammerers]bytes.Buffer
	var all [hammerers]*exec.Cmd
	for i := range all {
		all[i] = exec.Command(self)
		all[i].Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", hammerRole, s.addr, prefix, questions/hammerers))
		all[i].Stdout, all[i].Stderr = &outs[i], &errs[i]
		require.NoError(t, all[i].Start())
		t.Cleanup(func() { _ = all[i].Process.Kill() })
	}
	during()
	times = make([][]time.Time, 3)
	for i := range all {
		require.NoError(t, all[i].Wait(), errs[i].String())
		n, err := strconv.Atoi(strings.TrimSpace(errs[i].String()))
		require.NoError(t, err, errs[i].String())
		failed += n
		for {
			var event [9]byte
			if _, err := io.ReadFull(&outs[i], event[:]); err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
			at := time.UnixMicro(int64(binary.BigEndian.Uint64(event[1:])))
			times[event[0]] = append(times[event[0]], at)
		}
	}
	for i := range times {
		slices.SortFunc(times[i], time.Time.Compare)
	}
	return times, failed
}

// excess is how often more was taken of a limit than it permits, in the window
// that ends with one of the takes.
func excess(times []time.Time, limit evaluator.Take) (n int) {
	for i := limit.Max; i < len(times); i++ {
		if times[i].Sub(times[i-limit.Max]) < limit.Window {
			n++
		}
	}
	return n
}

// Four processes ask about the same limits as fast as they can, and no window
// by the server's clock has one call too many.
func TestFourProcesses(t *testing.T) {
	s := sharedServer(t)
	p := prefix(t)
	begin := time.Now()
	times, failed := hammer(t, s, p, *ops, func() {})
	took := time.Since(begin)
	require.Zero(t, failed)
	limits := hammerLimits(*ops)
	for i, limit := range limits {
		require.Zero(t, excess(times[i], limit), "%s", limit.Key)
		require.GreaterOrEqual(t, len(times[i]), limit.Max, "%s", limit.Key)
	}
	require.Len(t, times[2], limits[2].Max, "exactly what it permits")
	t.Logf("%d questions in %v: %d, %d and %d taken, none too many", *ops, took.Round(time.Millisecond), len(times[0]), len(times[1]), len(times[2]))
}

// The same while the server is killed and started again: what was taken before
// counts after, and meanwhile nothing is taken.
func TestFourProcessesAndKills(t *testing.T) {
	s := start(t, durable...)
	p := prefix(t)
	a := &asks{t, s.open(t, vetoredis.Options{Prefix: p})}
	limits := hammerLimits(*ops)
	long := limits[2]
	used := func() int {
		b := &evaluator.Batch{Op: evaluator.OpLook, Agent: "bot", Takes: []evaluator.Take{long}}
		if a.store.Do(ctx, b) != nil {
			return 0
		}
		n, err := strconv.Atoi(b.Takes[0].Used)
		require.NoError(t, err)
		return n
	}
	kills := 0
	times, failed := hammer(t, s, p, *ops, func() {
		for range 3 {
			before := used()
			wait(t, "takes", func() bool { return used() > before+long.Max/5 })
			before = used()
			s.kill()
			kills++
			s.run(t)
			wait(t, "the store", func() bool { return used() > 0 })
			require.GreaterOrEqual(t, used(), before, "what was counted is so still")
		}
	})
	require.NotZero(t, failed)
	for i, limit := range limits {
		require.Zero(t, excess(times[i], limit), "%s", limit.Key)
	}
	require.LessOrEqual(t, len(times[2]), long.Max)
	require.Equal(t, long.Max, used())
	t.Logf("%d questions over %d kills, %d failed: %d, %d and %d taken, none too many", *ops, kills, failed, len(times[0]), len(times[1]), len(times[2]))
}
