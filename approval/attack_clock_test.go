package approval_test

import (
	"context"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

// A clock that panics ends the call that asked it, and no other.
func TestAttack_G8_ClockPanics(t *testing.T) {
	c := &clock{at: start}
	var left atomic.Int32 // how often the clock answers before it panics
	left.Store(math.MaxInt32)
	b, err := approval.New(new(approval.Memory), newKey(t), &approval.Options{Now: func() time.Time {
		if left.Add(-1) == 0 {
			panic("no time")
		}
		return c.now()
	}})
	require.NoError(t, err)
	grant(t, b, 100, simple(1000))
	for n := range 40 {
		calls := []func(){
			func() { _, _ = b.Open(ctx, request(n)) },
			func() { _, _ = b.Find(ctx, binding(100)) },
			func() { _, _ = b.Grants(ctx, binding(5)) },
			func() { _ = b.Use(ctx, approved(t, b, n).ID, binding(n)) },
		}
		for at := range calls {
			left.Store(int32(1 + n%10))
			func() {
				defer func() { _ = recover() }()
				calls[at]()
			}()
			left.Store(math.MaxInt32)
			done := make(chan error, 1)
			go func() {
				_, err := b.List(ctx)
				done <- err
			}()
			select {
			case err := <-done:
				require.NoError(t, err)
			case <-time.After(10 * time.Second):
				t.Fatal("the book hangs")
			}
			c.add(time.Hour)
		}
	}
}

// To keep tickets for ever is no reason to remove what another key sealed.
func TestKeepForEver(t *testing.T) {
	store := new(approval.Memory)
	b, c := newBook(t, store)
	id := approved(t, b, 1).ID
	require.NoError(t, b.Use(ctx, id, binding(1)))
	before, err := store.List(ctx)
	require.NoError(t, err)
	key, err := approval.NewKey(make([]byte, approval.MinKeyBytes))
	require.NoError(t, err)
	for _, k := range []*approval.Key{key, newKey(t)} {
		for _, later := range []time.Duration{0, 365 * 24 * time.Hour} {
			c := &clock{at: c.now().Add(later)}
			_, err = approval.New(store, k, &approval.Options{Now: c.now, Keep: math.MaxInt64})
			require.NoError(t, err)
			after, err := store.List(ctx)
			require.NoError(t, err)
			require.ElementsMatch(t, before, after)
		}
	}
}

// A process whose clock is far ahead removes what it takes for old. A use that
// is made in that moment is none: its mark, too, may be gone.
func TestAttack_E2_RemovedDuringUse(t *testing.T) {
	s := &hooked{Memory: new(approval.Memory)}
	b, c := newBook(t, s)
	id := approved(t, b, 1).ID
	other := bookAt(t, c, s.Memory) // another process, on time
	s.part, s.hook = ".used", func() {
		require.NoError(t, other.Use(ctx, id, binding(1)))
		bookAt(t, &clock{at: start.AddDate(1, 0, 0)}, s.Memory)
		names, err := s.List(ctx)
		require.NoError(t, err)
		require.Empty(t, names)
	}
	require.ErrorIs(t, b.Use(ctx, id, binding(1)), approval.ErrNotFound)
}

// The moments around the end of a ticket, and of a grant, to the millisecond.
func TestAttack_E2_TheMomentOfExpiry(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		want  error
	}{
		{time.Hour - time.Millisecond, nil},
		{time.Hour - 1, nil}, // the ticket's own times are of milliseconds
		{time.Hour, approval.ErrExpired},
		{time.Hour + 1, approval.ErrExpired},
	} {
		b, clock := newBook(t)
		clock.at = start.Truncate(time.Millisecond)
		g := simple(1)
		g.Until = clock.at.Add(time.Hour)
		id := grant(t, b, 1, g).ID
		clock.add(c.after)
		use, useGrant := b.Use(ctx, id, binding(1)), b.UseGrant(ctx, id, binding(2))
		if c.want == nil {
			require.NoError(t, use)
			require.NoError(t, useGrant)
			continue
		}
		require.ErrorIs(t, use, c.want)
		require.ErrorIs(t, useGrant, c.want)
	}
}

// A clock that stands at nothing is a clock.
func TestClockAtNothing(t *testing.T) {
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC)} {
		store := new(approval.Memory)
		c := &clock{at: at}
		b := bookAt(t, c, store)
		id := approved(t, b, 1).ID
		require.NoError(t, b.Use(ctx, id, binding(1)), at)
		require.ErrorIs(t, bookAt(t, c, store).Use(ctx, id, binding(1)), approval.ErrUsed, at)
	}
	b := bookAt(t, &clock{at: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)})
	_, err := b.Open(ctx, request(1))
	require.Error(t, err)
}

// unreadable is a store that cannot be read for a while.
type unreadable struct {
	*approval.Memory
	err error
}

func (s *unreadable) Read(ctx context.Context, name string) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Memory.Read(ctx, name)
}

// What is known of a ticket stays known while its entries cannot be read.
func TestAttack_E2_UnreadableForAWhile(t *testing.T) {
	s := &unreadable{Memory: new(approval.Memory)}
	b, c := newBook(t, s)
	id := approved(t, b, 1).ID
	c.add(time.Hour)
	require.Equal(t, approval.Expired, state(t, b, id))
	require.NoError(t, s.Create(ctx, id+".done", []byte("x"))) // something to read anew
	s.err = context.DeadlineExceeded
	_, err := b.List(ctx)
	require.Error(t, err)
	s.err = nil
	c.add(-30 * time.Minute)
	require.ErrorIs(t, b.Use(ctx, id, binding(1)), approval.ErrExpired)
}

// Of 64 uses at the same moment by two books one succeeds, and one of 64
// answers is the answer.
func TestAttack_E2_SixtyFour(t *testing.T) {
	path := t.TempDir() + "/d"
	b, c := newBook(t, newDir(t, path))
	books := []*approval.Book{b, bookAt(t, c, newDir(t, path))}
	id := open(t, b, 1).ID
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			by := "klara-" + strings.Repeat("i", n)
			assert.NoError(t, books[n%2].Answer(context.WithoutCancel(ctx), id, approval.Answer{Approve: true, By: by}))
		})
	}
	wg.Wait()
	one, err := books[0].Get(ctx, id)
	require.NoError(t, err)
	two, err := books[1].Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, one, two)
	var won atomic.Int32
	for n := range 64 {
		wg.Go(func() {
			if err := books[n%2].Use(ctx, id, binding(1)); err == nil {
				won.Add(1)
			} else {
				assert.ErrorIs(t, err, approval.ErrUsed)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
}
