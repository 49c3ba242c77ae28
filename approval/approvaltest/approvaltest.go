// Package approvaltest is a conformance kit for implementations of
// approval.Store.
package approvaltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/useveto/veto-go/approval"
)

// Run tests what every Store must hold to, and the lock of one that is a
// Locker. open returns a store without entries; where several processes can
// reach one store, reopen returns another value for the same entries, else it
// is nil. What no test in one process can show is that an entry survives a
// crash once Create has returned.
func Run(t *testing.T, open func(t *testing.T) approval.Store, reopen func(t *testing.T) approval.Store) {
	s := open(t)
	other := s
	if reopen != nil {
		other = reopen(t)
	}
	t.Run("entries", func(t *testing.T) { entries(t, s, other) })
	t.Run("one creator", func(t *testing.T) { oneCreator(t, s, other) })
	t.Run("cancelled", func(t *testing.T) { cancelled(t, s) })
	one, ok := s.(approval.Locker)
	two, both := other.(approval.Locker)
	if ok && both {
		t.Run("lock", func(t *testing.T) { lock(t, one, two) })
	}
}

func entries(t *testing.T, s, other approval.Store) {
	ctx := t.Context()
	const name = "apr_00000000-0000-7000-8000-000000000001.resolution"
	if _, err := s.Read(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read of what is not there: %v", err)
	}
	if err := s.Remove(ctx, name); err != nil {
		t.Errorf("Remove of what is not there: %v", err)
	}
	big := bytes.Repeat([]byte{0, '\n', 0xff, 'x'}, 64<<10)
	want := bytes.Clone(big)
	if err := s.Create(ctx, name, big); err != nil {
		t.Fatalf("Create: %v", err)
	}
	clear(big) // the caller's again
	for range 2 {
		data, err := other.Read(ctx, name)
		if err != nil || !bytes.Equal(data, want) {
			t.Fatalf("Read returned %d bytes of %d, or others, and %v", len(data), len(want), err)
		}
		clear(data) // the caller's
	}
	if err := other.Create(ctx, name, []byte("other")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create of what is there: %v", err)
	}
	if data, _ := s.Read(ctx, name); !bytes.Equal(data, want) {
		t.Error("Create of what is there changed it")
	}
	if err := s.Create(ctx, "apr_2.used", nil); err != nil {
		t.Errorf("Create without bytes: %v", err)
	}
	names, err := other.List(ctx)
	slices.Sort(names)
	if err != nil || !slices.Equal(names, []string{name, "apr_2.used"}) {
		t.Errorf("List returned %q, %v", names, err)
	}
	for _, name := range names {
		if err := other.Remove(ctx, name); err != nil {
			t.Errorf("Remove: %v", err)
		}
	}
	if names, err := s.List(ctx); err != nil || len(names) != 0 {
		t.Errorf("List after Remove returned %q, %v", names, err)
	}
}

func oneCreator(t *testing.T, s, other approval.Store) {
	const names, callers = 20, 8
	var wg sync.WaitGroup
	var won [names]atomic.Int32
	for c := range callers {
		wg.Go(func() {
			for n := range names {
				err := []approval.Store{s, other}[c%2].Create(t.Context(), fmt.Sprint("race.", n), []byte{byte(c)})
				switch {
				case err == nil:
					won[n].Add(1)
				case !errors.Is(err, fs.ErrExist):
					t.Errorf("Create: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for n := range won {
		if w := won[n].Load(); w != 1 {
			t.Errorf("%d callers created one entry", w)
		}
	}
}

func cancelled(t *testing.T, s approval.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Create(ctx, "cancelled", nil); err == nil || errors.Is(err, fs.ErrExist) {
		t.Errorf("Create with a context that is done: %v", err)
	}
	if _, err := s.Read(ctx, "cancelled"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read with a context that is done: %v", err)
	}
}

func lock(t *testing.T, one, two approval.Locker) {
	var wg sync.WaitGroup
	var inside, entered atomic.Int32
	for c := range 8 {
		wg.Go(func() {
			for range 5 {
				unlock, err := []approval.Locker{one, two}[c%2].Lock(t.Context())
				if err != nil {
					t.Errorf("Lock: %v", err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two have the lock")
				}
				entered.Add(1)
				inside.Add(-1)
				unlock()
			}
		})
	}
	wg.Wait()
	if n := entered.Load(); n != 40 {
		t.Errorf("%d of 40 had the lock", n)
	}
	unlock, err := one.Lock(t.Context())
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := two.Lock(ctx); err == nil {
		t.Error("two have the lock")
	}
}
