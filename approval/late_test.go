package approval_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

// hooked calls a function before it makes an entry of this part.
type hooked struct {
	*approval.Memory
	part string
	hook func()
}

func (s *hooked) Create(ctx context.Context, name string, data []byte) error {
	if s.hook != nil && strings.Contains(name, s.part) {
		hook := s.hook
		s.hook = nil
		hook()
	}
	return s.Memory.Create(ctx, name, data)
}

// What happens while the mark of a use is written counts: the call must not
// run, and the ticket is used up.
func TestLateRefusals(t *testing.T) {
	s := &hooked{Memory: new(approval.Memory)}
	b, c := newBook(t, s)
	n := 0
	late := func(want error, hook func(id string)) {
		t.Helper()
		n++
		id := approved(t, b, n).ID
		s.part, s.hook = ".used", func() { hook(id) }
		require.ErrorIs(t, b.Use(ctx, id, binding(n)), want)
		require.Error(t, b.Use(ctx, id, binding(n)))
		got, err := b.Get(ctx, id)
		require.NoError(t, err)
		require.Equal(t, approval.Used, got.State)
		if !errors.Is(want, approval.ErrUsed) {
			require.Equal(t, approval.NotRun, got.Outcome)
			require.ErrorIs(t, b.Done(ctx, id, approval.Ran), approval.ErrMismatch)
		}
	}
	late(approval.ErrExpired, func(string) { c.add(time.Hour) })
	late(approval.ErrDenied, func(id string) { require.NoError(t, b.Revoke(ctx, id)) })
	late(approval.ErrUsed, func(id string) { require.NoError(t, b.Use(ctx, id, binding(n))) })

	lateGrant := func(want error, hook func(id string)) {
		t.Helper()
		n++
		g := simple(3)
		g.Until = c.now().Add(time.Hour)
		id := grant(t, b, n, g).ID
		s.part, s.hook = ".use.", func() { hook(id) }
		require.ErrorIs(t, b.UseGrant(ctx, id, binding(n)), want)
	}
	lateGrant(approval.ErrDenied, func(id string) { require.NoError(t, b.Revoke(ctx, id)) })
	lateGrant(approval.ErrExpired, func(string) { c.add(time.Hour) })
}

// Of an answer and another at the same moment, one stands.
func TestLateAnswers(t *testing.T) {
	s := &hooked{Memory: new(approval.Memory), part: ".resolution"}
	plain := struct{ approval.Store }{s} // no lock, so that the two can meet
	b, _ := newBook(t, plain)
	no := approval.Answer{By: "tom"}
	withGrant := approval.Answer{Approve: true, By: "klara", Grant: simple(1)}
	for n, c := range []struct {
		first, second approval.Answer
		want          error
		state         approval.State
	}{
		{yes, yes, nil, approval.Approved},
		{yes, no, nil, approval.Denied},
		{no, yes, approval.ErrDenied, approval.Denied},
		{no, no, nil, approval.Denied},
		{yes, withGrant, approval.ErrMismatch, approval.Approved},
		{withGrant, withGrant, nil, approval.Approved},
	} {
		id := open(t, b, n).ID
		s.hook = func() { require.NoError(t, b.Answer(ctx, id, c.first)) }
		require.ErrorIs(t, b.Answer(ctx, id, c.second), c.want, n)
		require.Equal(t, c.state, state(t, b, id), n)
	}
}

// unlockable is a store whose lock the system does not have, or that fails.
type unlockable struct {
	*approval.Memory
	err error
}

func (s unlockable) Lock(context.Context) (func(), error) { return nil, s.err }

func TestStoreWithoutLock(t *testing.T) {
	for _, s := range []approval.Store{
		struct{ approval.Store }{new(approval.Memory)},
		unlockable{new(approval.Memory), errors.ErrUnsupported},
	} {
		b, _ := newBook(t, s)
		id := approved(t, b, 1).ID
		require.NoError(t, b.Use(ctx, id, binding(1)))
		id = open(t, b, 2).ID
		require.NoError(t, s.Create(ctx, id+".resolution", []byte("x")))
		require.ErrorIs(t, b.Answer(ctx, id, yes), approval.ErrForged)
		require.Equal(t, approval.Pending, state(t, b, id))
	}
	s := unlockable{new(approval.Memory), errors.New("out of order")}
	b, _ := newBook(t, s)
	_, err := b.Open(ctx, request(1))
	require.ErrorIs(t, err, s.err)
	limited, cancel := context.WithCancel(ctx)
	cancel()
	b, _ = newBook(t)
	_, err = b.Open(limited, request(1))
	require.ErrorIs(t, err, context.Canceled)
}
