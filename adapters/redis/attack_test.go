package vetoredis_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

const limited = `
policies:
  - id: p
    agentId: "*"
    rules:
      - {type: tool_allowlist, tools: ["*"]}
      - {type: rate_limit, tools: [t], rateLimit: {maxCalls: 1000000, windowSeconds: 60}}
`

// denied decides a call that needs the store, which does not answer, and wants
// it denied within the time: a busy machine has a few attempts, and for each
// some patience.
func denied(t *testing.T, a *veto.Authorizer, timeout time.Duration) {
	t.Helper()
	for attempt := 1; ; attempt++ {
		begin := time.Now()
		r, err := a.Authorize(ctx, "bot", "t", nil)
		took := time.Since(begin)
		require.ErrorIs(t, err, veto.ErrUnavailable)
		require.Equal(t, rules.CodeLimitsUnavailable, r.Code)
		_, err = a.Authorize(ctx, "bot", "free", nil)
		require.NoError(t, err, "what no limit is about never asks the store")
		if took < timeout+100*time.Millisecond {
			return
		}
		require.Less(t, attempt, 3, "it took %v", took)
	}
}

// A store that is down denies, within the deadline, and is used again when it
// is back.
func TestAttack_D6_Down(t *testing.T) {
	s := start(t, durable...)
	const timeout = 100 * time.Millisecond
	// With the client's defaults: it dials again and again.
	c := goredis.NewClient(&goredis.Options{Addr: s.addr, ContextTimeoutEnabled: true})
	defer c.Close()
	store, err := vetoredis.New(ctx, c, &vetoredis.Options{Timeout: timeout})
	require.NoError(t, err)
	a := authorizer(t, store, limited, nil)
	works := func() bool { _, err := a.Authorize(ctx, "bot", "t", nil); return err == nil }
	wait(t, "the store", works)
	s.kill()
	for range 5 {
		denied(t, a, timeout)
	}
	require.GreaterOrEqual(t, a.StoreFailures(), int64(5))
	s.run(t)
	wait(t, "the store", works)
}

// A store that is slow denies, within the deadline; the default is 50
// milliseconds.
func TestAttack_D6_Slow(t *testing.T) {
	s := start(t, durable...)
	for _, how := range []string{"pause", "sleep", "stop"} {
		client, other := s.client(t), s.client(t)
		store, err := vetoredis.New(ctx, client, nil)
		require.NoError(t, err)
		a := authorizer(t, store, limited, nil)
		wait(t, "the store", func() bool { _, err := a.Authorize(ctx, "bot", "t", nil); return err == nil })
		slept := make(chan error, 1)
		switch how {
		case "pause":
			require.NoError(t, other.Do(ctx, "client", "pause", 800, "all").Err())
			slept <- nil
		case "sleep":
			go func() { slept <- other.Do(ctx, "debug", "sleep", "0.8").Err() }()
			wait(t, "the sleep", func() bool { _, err := a.Authorize(ctx, "bot", "t", nil); return err != nil })
		case "stop": // a proxy that accepts and never answers
			silent, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer silent.Close()
			c := goredis.NewClient(&goredis.Options{Addr: silent.Addr().String(), ContextTimeoutEnabled: true})
			defer c.Close()
			soon, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			begin := time.Now()
			_, err = vetoredis.New(soon, c, &vetoredis.Options{})
			cancel()
			require.Error(t, err)
			require.Less(t, time.Since(begin), time.Second)
			continue
		}
		for range 2 {
			denied(t, a, 50*time.Millisecond)
		}
		require.NoError(t, <-slept)
		wait(t, "the store", func() bool { _, err := a.Authorize(ctx, "bot", "t", nil); return err == nil })
	}
}

// liar is a server that says it is Redis, and answers every question of the
// store with the same bytes.
type liar struct {
	addr  string
	lie   atomic.Pointer[string] // nil: it hangs up
	asked atomic.Int64
}

func newLiar(t *testing.T) *liar {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	x := &liar{addr: l.Addr().String()}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go x.serve(conn)
		}
	}()
	return x
}

func (x *liar) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		args, err := readCommand(in)
		if err != nil {
			return
		}
		answer := "+OK\r\n"
		switch strings.ToLower(args[0]) {
		case "hello":
			answer = "-ERR unknown command\r\n"
		case "ping":
			answer = "+PONG\r\n"
		case "info":
			text := "redis_version:7.0.15\r\nrole:master\r\n"
			answer = fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
		case "cluster": // all slots are here
			_, port, _ := net.SplitHostPort(x.addr)
			answer = "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:" + port + "\r\n"
		case "command":
			answer = "*0\r\n"
		case "evalsha", "eval":
			x.asked.Add(1)
			lie := x.lie.Load()
			if lie == nil {
				return
			}
			answer = *lie
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

func readCommand(in *bufio.Reader) ([]string, error) {
	number := func() (int, error) {
		line, err := in.ReadString('\n')
		if err != nil || len(line) < 3 {
			return 0, io.ErrUnexpectedEOF
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := number()
	if err != nil || n < 1 {
		return nil, io.ErrUnexpectedEOF
	}
	args := make([]string, n)
	for i := range args {
		size, err := number()
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(in, text); err != nil {
			return nil, err
		}
		args[i] = string(text[:size])
	}
	return args, nil
}

func bulk(text string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text) }

// answer is one to a question about one limit of calls.
func answer(now uint64, holds byte, rest ...any) string {
	text := append(binary.BigEndian.AppendUint64(nil, now), holds)
	for _, x := range rest {
		switch x := x.(type) {
		case int:
			text = binary.BigEndian.AppendUint64(text, uint64(x))
		case byte:
			text = append(text, x)
		case string:
			text = append(text, x...)
		}
	}
	return string(text)
}

// A store that answers anything else than what was asked denies, within the
// deadline.
func TestAttack_D6_Lying(t *testing.T) {
	x := newLiar(t)
	c := goredis.NewClient(&goredis.Options{Addr: x.addr, ContextTimeoutEnabled: true})
	defer c.Close()
	const timeout = 100 * time.Millisecond
	store, err := vetoredis.New(ctx, c, &vetoredis.Options{AcceptThatCountsMayBeForgotten: true, Timeout: timeout})
	require.NoError(t, err)
	a := authorizer(t, store, limited, nil)

	const now = 1_800_000_000_000_000
	truth := answer(now, 8, byte(1), 0, 0, byte(8), "12345678")
	lies := []string{
		"", "+OK\r\n", ":1\r\n", ":8\r\n", "*0\r\n", "$-1\r\n", "*-1\r\n", "*2\r\n:1\r\n:1\r\n", "_\r\n", "#t\r\n", ",1.5\r\n",
		"$10000000\r\n", "*1000000000\r\n", "$9000000000000000000\r\n", "$99999999999999999999\r\n", "HTTP/1.1 200 OK\r\n\r\n", "\x00\x01\x02", "$5\r\nabc",
		"-ERR no\r\n", "-NOSCRIPT no\r\n", "-MOVED 1 127.0.0.1:1\r\n", "-OOM no\r\n", "-VETOFULL no\r\n", "+" + truth[:7] + "\r\n",
		bulk(""), bulk(truth[:len(truth)-1]), bulk(truth + "x"), bulk(answer(0, 8, byte(1), 0, 0, byte(0))),
		bulk(answer(now, 8, byte(2), 0, 0, byte(0))),            // it fits twice
		bulk(answer(now, 8, byte(0), 5, 0, 0, byte(0))),         // taken, and does not fit
		bulk(answer(now, 16, byte(1), 0, 0, byte(0))),           // something else holds
		bulk(answer(now, 12, byte(1), 0, 0, byte(0))),           // events of no session
		bulk(answer(now, 9, 0, byte(1), "b", byte(1), 0, 0)),    // a session that was not asked about
		bulk(answer(now, 0, byte(0), -5, 0, 0, byte(0))),        // negative
		bulk(answer(now, 0, byte(1), 0, 0, byte(0))),            // fits, and is not taken
		bulk(answer(now, 8, byte(1), 0, 1<<60, byte(0))),        // longer than can be
		bulk(answer(now, 8, byte(1), 0, 0, byte(200), "short")), // a mark that is cut off
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 { // the truth, with a few bytes changed in what says that it was taken
		lie := []byte(truth)
		lie[8+r.IntN(2)] ^= byte(1 + r.IntN(255))
		lies = append(lies, bulk(string(lie)))
	}
	for _, lie := range lies {
		x.lie.Store(&lie)
		denied(t, a, timeout)
	}
	huge := "$9000000000000000000\r\n" // of which the client panics
	x.lie.Store(&huge)
	for range 50 {
		denied(t, a, timeout)
	}
	x.lie.Store(nil)
	before := x.asked.Load()
	_, err = a.Authorize(ctx, "bot", "t", nil)
	require.ErrorIs(t, err, veto.ErrUnavailable)
	require.Equal(t, before+1, x.asked.Load(), "what may have been done is not asked again")
	truth = bulk(truth)
	x.lie.Store(&truth)
	wait(t, "the truth", func() bool { _, err := a.Authorize(ctx, "bot", "t", nil); return err == nil })
}

// A batch keeps nothing of an answer that is none.
func TestAnswerIsAllOrNothing(t *testing.T) {
	x := newLiar(t)
	c := goredis.NewClient(&goredis.Options{Addr: x.addr, ContextTimeoutEnabled: true})
	defer c.Close()
	store, err := vetoredis.New(ctx, c, &vetoredis.Options{AcceptThatCountsMayBeForgotten: true, Timeout: time.Second})
	require.NoError(t, err)
	lie := bulk(answer(1_800_000_000_000_000, 8, byte(1), 7, 7, byte(1), "m", byte(0), 5, 7))
	x.lie.Store(&lie)
	b := &evaluator.Batch{Op: evaluator.OpTake, Takes: []evaluator.Take{calls("a", time.Second, 1), calls("b", time.Second, 1)}}
	takes := slices.Clone(b.Takes)
	require.ErrorIs(t, store.Do(ctx, b), vetoredis.ErrAnswer)
	require.Equal(t, &evaluator.Batch{Op: evaluator.OpTake, Takes: takes}, b)
}
