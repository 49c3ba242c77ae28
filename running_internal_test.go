package veto

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// kept is how many contexts there are, and how many of them idle.
func (r *running) kept() (all, idle int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range r.agents {
		all += len(of)
	}
	return all, r.idle
}

func permissive(t testing.TB) *Authorizer {
	t.Helper()
	a, err := New(&PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{{Type: rules.ToolAllowlist, Tools: []string{"*"}}}}}}, nil)
	require.NoError(t, err)
	return a
}

// eventually waits for what the end of a context sets going.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		require.True(t, time.Now().Before(deadline))
	}
}

// A context is kept for the next tool of the same agent and caller, and not
// longer than the caller's lives.
func TestUntilSuspendedKeepsContexts(t *testing.T) {
	a := permissive(t)
	caller, cancel := context.WithCancel(t.Context())
	first, release := a.UntilSuspended(caller, "bot")
	second, release2 := a.UntilSuspended(caller, "bot")
	require.Same(t, first, second)
	other, releaseOther := a.UntilSuspended(caller, "other")
	require.NotSame(t, first, other)
	all, idle := a.running.kept()
	require.Equal(t, []int{2, 0}, []int{all, idle})
	release()
	release2()
	releaseOther()
	all, idle = a.running.kept()
	require.Equal(t, []int{2, 2}, []int{all, idle})
	require.NoError(t, first.Err())
	third, release3 := a.UntilSuspended(caller, "bot")
	require.Same(t, first, third)
	cancel()
	require.Error(t, third.Err())
	release3()
	eventually(t, func() bool { all, idle := a.running.kept(); return all == 0 && idle == 0 })
	require.Empty(t, a.running.agents)
}

// However many agents call under however many contexts that live on, a bounded
// number of contexts is kept, and nothing that was let go hangs on the
// caller's context.
func TestUntilSuspendedIsBounded(t *testing.T) {
	a := permissive(t)
	goroutines := runtime.NumGoroutine()
	caller, cancel := context.WithCancel(t.Context())
	defer cancel()
	const n = 20_000
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	call := func(i int) {
		ctx, release := a.UntilSuspended(caller, fmt.Sprintf("agent-%d", i))
		require.NoError(t, ctx.Err())
		release()
	}
	for i := range 2 * maxIdle {
		call(i)
	}
	all, idle := a.running.kept()
	require.Equal(t, []int{maxIdle, maxIdle}, []int{all, idle})
	before := heap()
	for i := range n {
		call(i + n)
	}
	all, idle = a.running.kept()
	require.Equal(t, []int{maxIdle, maxIdle}, []int{all, idle})
	require.Less(t, (heap()-before)/n, int64(20), "bytes kept of each call that is over")
	require.LessOrEqual(t, runtime.NumGoroutine(), goroutines+2)
	cancel()
	eventually(t, func() bool { all, idle := a.running.kept(); return all == 0 && idle == 0 })
	require.Empty(t, a.running.agents)
}

// A context for each call, as servers have them, leaves nothing.
func TestUntilSuspendedOfShortCallers(t *testing.T) {
	a := permissive(t)
	for range 3 * maxIdle {
		caller, cancel := context.WithCancel(t.Context())
		_, release := a.UntilSuspended(caller, "bot")
		release()
		cancel()
	}
	eventually(t, func() bool { all, idle := a.running.kept(); return all == 0 && idle == 0 })
	// The other order: the caller is gone before the tool.
	for range 100 {
		caller, cancel := context.WithCancel(t.Context())
		ctx, release := a.UntilSuspended(caller, "bot")
		cancel()
		require.Error(t, ctx.Err())
		release()
	}
	eventually(t, func() bool { all, idle := a.running.kept(); return all == 0 && idle == 0 })
}

// odd is a context that no map can hold.
type odd struct {
	context.Context
	_ []int
}

func TestUntilSuspendedOfOddContexts(t *testing.T) {
	a := permissive(t)
	caller := odd{Context: t.Context()}
	ctx, release := a.UntilSuspended(caller, "bot")
	a.Suspend("bot")
	require.Equal(t, ErrSuspended, context.Cause(ctx))
	release()
	a.Resume("bot")
	for range 10 {
		ctx, release = a.UntilSuspended(caller, "bot")
		require.NoError(t, ctx.Err())
		release()
		require.Error(t, ctx.Err(), "it is not kept")
	}
	all, idle := a.running.kept()
	require.Equal(t, []int{0, 0}, []int{all, idle})

	var none *Authorizer
	ctx, release = none.UntilSuspended(t.Context(), "bot")
	require.Equal(t, t.Context(), ctx)
	release()
	var nothing context.Context
	ctx, release = a.UntilSuspended(nothing, "bot")
	require.Nil(t, ctx)
	release()
}

// A suspension lets go of what it ends; and a context that it ended is not
// given to a call after the agent was resumed, though a call still has it.
func TestUntilSuspendedAndResume(t *testing.T) {
	a := permissive(t)
	ended, release := a.UntilSuspended(t.Context(), "bot")
	a.Suspend("bot")
	require.Equal(t, ErrSuspended, context.Cause(ended))
	all, idle := a.running.kept()
	require.Equal(t, []int{0, 0}, []int{all, idle})

	refused, releaseRefused := a.UntilSuspended(t.Context(), "bot")
	require.Equal(t, ErrSuspended, context.Cause(refused))
	a.Resume("bot")
	again, releaseAgain := a.UntilSuspended(t.Context(), "bot")
	require.NoError(t, again.Err())
	releaseRefused()
	release()
	releaseAgain()
	a.Suspend("bot")
	require.Equal(t, ErrSuspended, context.Cause(again), "an idle one ends, too")
	a.Resume("bot")
	all, idle = a.running.kept()
	require.Equal(t, []int{0, 0}, []int{all, idle})
}

// Whatever happens at once, nobody who was not suspended is told so, and
// nothing is left.
func TestUntilSuspendedAtOnce(t *testing.T) {
	a := permissive(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			agent := fmt.Sprintf("agent-%d", i%4)
			for n := range 300 {
				caller, cancel := context.WithCancel(t.Context())
				ctx, release := a.UntilSuspended(caller, agent)
				if i%4 > 1 && ctx.Err() != nil {
					t.Error("an agent that nobody suspended")
				}
				if n%7 == 0 && i%4 <= 1 {
					a.Suspend(agent)
					a.Resume(agent)
				}
				if n%2 == 0 {
					cancel()
				}
				release()
				cancel()
			}
		})
	}
	wg.Wait()
	eventually(t, func() bool { all, idle := a.running.kept(); return all == 0 && idle == 0 })
	require.Empty(t, a.running.agents)
}

// within is a context that a framework uses again, for another request.
type within struct{ context.Context }

// A tool that runs is suspended also where its context has since been used for
// another request.
func TestUntilSuspendedOfContextsUsedAgain(t *testing.T) {
	a := permissive(t)
	one, cancelOne := context.WithCancel(t.Context())
	two, cancelTwo := context.WithCancel(t.Context())
	defer cancelOne()
	defer cancelTwo()
	caller := &within{one}
	slow, releaseSlow := a.UntilSuspended(caller, "bot")
	caller.Context = two
	quick, releaseQuick := a.UntilSuspended(caller, "bot")
	require.NotSame(t, slow, quick)
	releaseQuick()
	a.Suspend("bot")
	require.Equal(t, ErrSuspended, context.Cause(slow))
	releaseSlow()
	a.Resume("bot")

	// And what was kept apart is let go of when it returns.
	caller.Context = one
	slow, releaseSlow = a.UntilSuspended(caller, "bot")
	caller.Context = two
	_, releaseQuick = a.UntilSuspended(caller, "bot")
	releaseSlow()
	require.Error(t, slow.Err())
	releaseQuick()
	all, idle := a.running.kept()
	require.Equal(t, []int{1, 1}, []int{all, idle})
}

// A context that never ends, and its values, is not kept for ever.
func TestUntilSuspendedKeepsNoEndlessContexts(t *testing.T) {
	type key struct{}
	a := permissive(t)
	_, release := a.UntilSuspended(context.WithValue(context.Background(), key{}, "a secret"), "bot")
	release()
	all, _ := a.running.kept()
	require.Zero(t, all)
}
