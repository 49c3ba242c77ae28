package approval_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

// realBook has the clock of the bubble.
func realBook(t *testing.T, store approval.Store) *approval.Book {
	b, err := approval.New(store, newKey(t), nil)
	require.NoError(t, err)
	return b
}

// waiting waits in the background, and returns how to get what Wait returned,
// and after what time.
func waiting(ctx context.Context, b *approval.Book, id string) func() (approval.Ticket, time.Duration, error) {
	type result struct {
		ticket approval.Ticket
		took   time.Duration
		err    error
	}
	c := make(chan result, 1)
	began := time.Now()
	go func() {
		ticket, err := b.Wait(ctx, id)
		c <- result{ticket, time.Since(began), err}
	}()
	return func() (approval.Ticket, time.Duration, error) {
		r := <-c
		return r.ticket, r.took, r.err
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := new(approval.Memory)
		b, other := realBook(t, store), realBook(t, store)
		ticket := open(t, b, 1)

		// Here at once, there when it looks again.
		here, here2, there := waiting(t.Context(), b, ticket.ID), waiting(t.Context(), b, ticket.ID), waiting(t.Context(), other, ticket.ID)
		time.Sleep(10*time.Second + 100*time.Millisecond)
		require.NoError(t, b.Answer(ctx, ticket.ID, yes))
		for _, w := range []func() (approval.Ticket, time.Duration, error){here, here2} {
			got, took, err := w()
			require.NoError(t, err)
			require.Equal(t, approval.Approved, got.State)
			require.Equal(t, 10*time.Second+100*time.Millisecond, took)
		}
		_, took, err := there()
		require.NoError(t, err)
		require.Equal(t, 10*time.Second+500*time.Millisecond, took)
		_, took, err = waiting(t.Context(), b, ticket.ID)()
		require.NoError(t, err)
		require.Zero(t, took)
		require.NoError(t, b.Use(ctx, ticket.ID, binding(1)))
		_, err = b.Wait(t.Context(), ticket.ID)
		require.ErrorIs(t, err, approval.ErrUsed)

		no := open(t, b, 2)
		here = waiting(t.Context(), b, no.ID)
		time.Sleep(time.Second)
		require.NoError(t, b.Revoke(ctx, no.ID))
		got, took, err := here()
		require.ErrorIs(t, err, approval.ErrDenied)
		require.Equal(t, approval.Denied, got.State)
		require.Equal(t, time.Second, took)

		expires := open(t, b, 3)
		_, took, err = waiting(t.Context(), b, expires.ID)()
		require.ErrorIs(t, err, approval.ErrExpired)
		require.LessOrEqual(t, took, time.Hour+time.Millisecond)
		require.Greater(t, took, time.Hour-time.Millisecond)

		cancelled := open(t, b, 4)
		limited, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		got, took, err = waiting(limited, b, cancelled.ID)()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, approval.Pending, got.State)
		require.Equal(t, 3*time.Second, took)

		_, err = b.Wait(t.Context(), "apr_1")
		require.ErrorIs(t, err, approval.ErrNotFound)
	})
}

type approver func(ctx context.Context, t approval.Ticket) (approval.Answer, error)

func (a approver) Ask(ctx context.Context, t approval.Ticket) (approval.Answer, error) {
	return a(ctx, t)
}

func TestAsk(t *testing.T) {
	b, _ := newBook(t)
	says := func(a approval.Answer) approver {
		return func(_ context.Context, t approval.Ticket) (approval.Answer, error) {
			clear(t.Parameters) // it may do with it what it likes
			return a, nil
		}
	}
	ticket := open(t, b, 1)
	got, err := b.Ask(ctx, says(yes), ticket.ID)
	require.NoError(t, err)
	require.Equal(t, approval.Approved, got.State)
	require.Equal(t, ticket.Parameters, got.Parameters)
	_, err = b.Ask(ctx, nil, ticket.ID) // nobody is asked again
	require.NoError(t, err)
	require.NoError(t, b.Use(ctx, ticket.ID, binding(1)))
	_, err = b.Ask(ctx, nil, ticket.ID)
	require.ErrorIs(t, err, approval.ErrUsed)

	ticket = open(t, b, 2)
	failure := errors.New("no terminal")
	for _, a := range []approval.Approver{
		nil,
		says(approval.Answer{Approve: true, By: "BOT"}),
		says(approval.Answer{}),
		approver(func(context.Context, approval.Ticket) (approval.Answer, error) { return yes, failure }),
		approver(func(context.Context, approval.Ticket) (approval.Answer, error) { panic("hunter2") }),
	} {
		got, err = b.Ask(ctx, a, ticket.ID)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hunter2")
		require.Equal(t, approval.Pending, got.State)
		require.Equal(t, approval.Pending, state(t, b, ticket.ID))
	}
	got, err = b.Ask(ctx, says(approval.Answer{By: "klara"}), ticket.ID)
	require.ErrorIs(t, err, approval.ErrDenied)
	require.Equal(t, approval.Denied, got.State)
	_, err = b.Ask(ctx, says(yes), "apr_1")
	require.ErrorIs(t, err, approval.ErrNotFound)
}

// An approver who does not answer is stopped when the ticket expires.
func TestAskEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := realBook(t, new(approval.Memory))
		ticket := open(t, b, 1)
		began := time.Now()
		_, err := b.Ask(t.Context(), approver(func(ctx context.Context, _ approval.Ticket) (approval.Answer, error) {
			<-ctx.Done()
			return yes, ctx.Err()
		}), ticket.ID)
		require.ErrorIs(t, err, approval.ErrPending)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(began), time.Hour)
		_, err = b.Ask(t.Context(), approver(nil), ticket.ID)
		require.ErrorIs(t, err, approval.ErrExpired)

		// Who answers all the same is too late.
		ticket = open(t, b, 2)
		_, err = b.Ask(t.Context(), approver(func(ctx context.Context, _ approval.Ticket) (approval.Answer, error) {
			<-ctx.Done()
			return yes, nil
		}), ticket.ID)
		require.ErrorIs(t, err, approval.ErrExpired)
	})
}
