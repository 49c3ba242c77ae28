package vetoredis_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
)

var ctx = context.Background()

// durable is the configuration of a server that forgets nothing.
var durable = []string{"--appendonly", "yes", "--appendfsync", "always", "--save", ""}

// server is a redis-server of a test.
type server struct {
	addr string
	dir  string
	args []string
	cmd  *exec.Cmd
	gone chan struct{}
}

// redisServer is the server's program. Where there is none, tests that need it are
// skipped, except where services are required.
func redisServer(tb testing.TB) string {
	tb.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("VETO_REQUIRE_SERVICES") == "1" {
			tb.Fatal("there is no redis-server, and VETO_REQUIRE_SERVICES is 1")
		}
		tb.Skip("there is no redis-server here to test with")
	}
	return path
}

// start starts a server with a configuration, in a directory of its own.
func start(tb testing.TB, args ...string) *server {
	tb.Helper()
	redisServer(tb)
	dir, err := os.MkdirTemp("", "veto-redis")
	require.NoError(tb, err)
	// What a server of its own has forked, to write its file anew, may go on
	// for a moment after it is killed.
	tb.Cleanup(func() { wait(tb, "the end of the server", func() bool { return os.RemoveAll(dir) == nil }) })
	s := &server{addr: freeAddr(tb), dir: dir, args: args}
	s.run(tb)
	tb.Cleanup(s.kill)
	return s
}

func freeAddr(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer l.Close()
	return l.Addr().String()
}

// run starts the server and waits until it answers.
func (s *server) run(tb testing.TB) {
	tb.Helper()
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(tb, err)
	log, err := os.Create(filepath.Join(s.dir, "log"))
	require.NoError(tb, err)
	defer log.Close()
	s.cmd = exec.Command(redisServer(tb), append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--enable-debug-command", "yes",
	}, s.args...)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	require.NoError(tb, s.cmd.Start())
	s.gone = make(chan struct{})
	go func(cmd *exec.Cmd, gone chan struct{}) {
		_ = cmd.Wait()
		close(gone)
	}(s.cmd, s.gone)
	c := s.client(tb)
	wait(tb, "the server", func() bool { return c.Ping(ctx).Err() == nil })
}

// kill ends the server at once, as kill -9 does.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.gone
}

// client returns a client whose pool is its own.
func (s *server) client(tb testing.TB) *goredis.Client {
	tb.Helper()
	c := goredis.NewClient(&goredis.Options{Addr: s.addr, ContextTimeoutEnabled: true, DialerRetries: 1})
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// wait waits until something is so, which is a matter of another process.
func wait(tb testing.TB, what string, so func() bool) {
	tb.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if so() {
			return
		}
		pause(2 * time.Millisecond)
	}
	tb.Fatalf("%s: not within 20 seconds", what)
}

// pause lets another process go on.
func pause(d time.Duration) { <-time.After(d) }

// common is a server that tests share.
type common struct {
	once sync.Once
	s    *server
	dir  string
}

var shared, quick common

func (x *common) get(tb testing.TB, args []string) *server {
	tb.Helper()
	redisServer(tb)
	x.once.Do(func() {
		var err error
		x.dir, err = os.MkdirTemp("", "veto-redis")
		require.NoError(tb, err)
		x.s = &server{addr: freeAddr(tb), dir: x.dir, args: args}
		x.s.run(tb)
	})
	require.NotNil(tb, x.s.cmd)
	return x.s
}

func (x *common) end() {
	if x.s != nil {
		x.s.kill()
		_ = os.RemoveAll(x.dir)
	}
}

// sharedServer is a server for tests that leave it as it is.
func sharedServer(tb testing.TB) *server { return shared.get(tb, durable) }

// quickServer is one that writes nothing to its disk.
func quickServer(tb testing.TB) *server { return quick.get(tb, []string{"--save", ""}) }

// quiet drops what the client says of connections that break, as they do in
// tests.
type quiet struct{}

func (quiet) Printf(_ context.Context, _ string, _ ...any) {}

// TestMain ends the servers that tests share.
func TestMain(m *testing.M) {
	goredis.SetLogger(quiet{})
	if role := os.Getenv(hammerRole); role != "" {
		os.Exit(hammerProcess(role))
	}
	code := m.Run()
	shared.end()
	quick.end()
	os.Exit(code)
}

// prefix is one for the keys of a test.
func prefix(tb testing.TB) string {
	return fmt.Sprintf("%s-%d:", strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' && r != '{' && r != '}' {
			return r
		}
		return '_'
	}, tb.Name()[max(0, len(tb.Name())-30):]), time.Now().UnixNano())
}

// open returns a Store of its own client. The tests' machines may be busy, so
// that it waits longer than it would by default.
func (s *server) open(tb testing.TB, opts vetoredis.Options) *vetoredis.Store {
	tb.Helper()
	if opts.Timeout == 0 {
		opts.Timeout = 10 * time.Second
	}
	store, err := vetoredis.New(ctx, s.client(tb), &opts)
	require.NoError(tb, err)
	return store
}
