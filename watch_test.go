package veto_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
)

// watched runs Watch on path with fake time, and then f. What Watch tells is
// kept in loads and errs.
type watched struct {
	a    *veto.Authorizer
	done chan error

	mu    sync.Mutex
	loads [][]string
	errs  []error
}

func (w *watched) loaded(set *veto.PolicySet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loads = append(w.loads, ids(set))
}

func (w *watched) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

// told returns what Watch has told so far.
func (w *watched) told() (loads [][]string, errs []error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.loads), slices.Clone(w.errs)
}

func watch(t *testing.T, path string, f func(*watched)) {
	synctest.Test(t, func(t *testing.T) {
		a, err := veto.New(&veto.PolicySet{}, nil)
		require.NoError(t, err)
		w := &watched{a: a, done: make(chan error, 1)}
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			w.done <- veto.Watch(ctx, a, path, &veto.WatchOptions{OnLoad: w.loaded, OnError: w.failed})
		}()
		w.pass(0)
		f(w)
		cancel()
		synctest.Wait()
		require.Len(t, w.done, 1, "Watch goes on after its context is done")
		require.NoError(t, <-w.done)
	})
}

// pass lets time go by.
func (w *watched) pass(d time.Duration) {
	if d > 0 {
		<-time.After(d)
	}
	synctest.Wait()
}

func (w *watched) allows(tool string) bool {
	r, _ := w.a.Authorize(context.Background(), "a", tool, nil)
	return r.Allowed
}

const look = time.Second

func TestWatchFile(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "p.yaml", document("one"))
	watch(t, file, func(w *watched) {
		require.True(t, w.allows("one"))

		write(t, dir, "p.yaml", document("two"))
		w.pass(look)
		require.False(t, w.allows("two"), "a change is not used before it has been there for a while")
		w.pass(look)
		require.True(t, w.allows("two"))
		require.False(t, w.allows("one"))

		// A file in the middle of being written: each look sees more of it.
		text := document("three") + "- {id: deny, agentId: a, priority: 9, rules: [{type: tool_denylist, tools: [three]}]}\n"
		for n := len(document("three")); n <= len(text); n += 20 {
			write(t, dir, "p.yaml", text[:n])
			w.pass(look)
			require.True(t, w.allows("two"))
		}
		write(t, dir, "p.yaml", text)
		w.pass(2 * look)
		require.False(t, w.allows("two"))
		require.False(t, w.allows("three"))

		// What is not changed is not loaded again.
		w.pass(time.Hour)
		loads, errs := w.told()
		require.Empty(t, errs)
		require.Equal(t, [][]string{{"one"}, {"two"}, {"three", "deny"}}, loads)
	})
}

func TestAttack_D4_FailedReloadKeepsTheOldPolicies(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "p.yaml", document("one"))
	watch(t, file, func(w *watched) {
		for i, broken := range []string{"policies: [", "", "policies: [{}]"} {
			write(t, dir, "p.yaml", broken)
			w.pass(time.Minute)
			_, errs := w.told()
			require.Len(t, errs, i+1, "each change is told once")
			require.True(t, w.allows("one"))
		}
		require.NoError(t, os.Remove(file))
		w.pass(time.Minute)
		_, errs := w.told()
		require.Len(t, errs, 4)
		require.ErrorIs(t, errs[3], fs.ErrNotExist)
		require.True(t, w.allows("one"))

		write(t, dir, "p.yaml", document("two"))
		w.pass(2 * look)
		require.True(t, w.allows("two"))

		write(t, dir, "p.yaml", "policies: []\n")
		w.pass(2 * look)
		require.False(t, w.allows("two"), "an empty list that is written out is meant")
		_, errs = w.told()
		require.Len(t, errs, 4)
	})
}

func TestWatchDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", document("one"))
	watch(t, dir, func(w *watched) {
		b := write(t, dir, "b.yaml", document("two"))
		w.pass(2 * look)
		require.True(t, w.allows("one"))
		require.True(t, w.allows("two"))
		require.NoError(t, os.Remove(b))
		w.pass(2 * look)
		require.False(t, w.allows("two"))
		require.NoError(t, os.Remove(filepath.Join(dir, "a.yaml")))
		w.pass(2 * look)
		require.True(t, w.allows("one"), "an empty directory is not a set that allows nothing")
		_, errs := w.told()
		require.Len(t, errs, 1)
		require.NoError(t, os.Remove(dir))
		w.pass(2 * look)
		_, errs = w.told()
		require.Len(t, errs, 2)
	})
}

func TestWatchFirstLoad(t *testing.T) {
	a, err := veto.New(&veto.PolicySet{}, nil)
	require.NoError(t, err)
	require.ErrorIs(t, veto.Watch(t.Context(), a, filepath.Join(t.TempDir(), "none"), nil), fs.ErrNotExist)
	var e *veto.LoadError
	require.ErrorAs(t, veto.Watch(t.Context(), a, write(t, t.TempDir(), "p.yaml", "policies: 1"), nil), &e)
	require.Error(t, veto.Watch(t.Context(), nil, write(t, t.TempDir(), "p.yaml", document("p")), nil))
}
