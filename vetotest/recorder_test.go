package vetotest_test

import (
	"fmt"
	"path"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/vetotest"
)

// recorder is a test that keeps what is reported to it.
type recorder struct {
	testing.TB // nil: what is not below must not be called
	mu         sync.Mutex
	errors     []string
	logs       []string
	fatal      string
	helpers    map[string]bool
	bare       []string // functions of the kit that a report would be blamed on
}

func (r *recorder) Helper() {
	pc, _, _, _ := runtime.Caller(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.helpers == nil {
		r.helpers = make(map[string]bool)
	}
	r.helpers[runtime.FuncForPC(pc).Name()] = true
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
	r.blame()
}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
	r.blame()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fatal = fmt.Sprintf(format, args...)
	r.blame()
	runtime.Goexit()
}

// blame looks for functions of the kit on the stack that are no helpers.
func (r *recorder) blame() {
	pcs := make([]uintptr, 20)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if strings.HasPrefix(path.Base(f.Function), "vetotest.") && !r.helpers[f.Function] {
			r.bare = append(r.bare, f.Function)
		}
	}
}

// run runs f as a test of its own.
func run(t *testing.T, f func(tb testing.TB)) *recorder {
	t.Helper()
	r := new(recorder)
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	require.Empty(t, r.bare, "a failure is not reported where the test made it")
	return r
}

// failure is the one report of a test that fails and goes on.
func failure(t *testing.T, f func(p *vetotest.Policies)) string {
	t.Helper()
	ended := false
	r := run(t, func(tb testing.TB) {
		f(vetotest.Load(tb, "testdata/policies.yaml"))
		ended = true
	})
	require.Empty(t, r.fatal)
	require.True(t, ended)
	require.Len(t, r.errors, 1)
	return r.errors[0]
}

// fatal is the report of a test that ends early.
func fatal(t *testing.T, f func(tb testing.TB)) string {
	t.Helper()
	r := run(t, func(tb testing.TB) {
		f(tb)
		tb.Errorf("the test went on")
	})
	require.Empty(t, r.errors)
	require.NotEmpty(t, r.fatal)
	return r.fatal
}
