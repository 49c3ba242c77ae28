package approval_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

func TestZeroBookRefuses(t *testing.T) {
	for _, b := range []*approval.Book{nil, {}} {
		_, err := b.Open(ctx, request(1))
		require.ErrorIs(t, err, approval.ErrInvalid)
		_, err = b.Find(ctx, binding(1))
		require.ErrorIs(t, err, approval.ErrInvalid)
		_, err = b.Get(ctx, "apr_1")
		require.ErrorIs(t, err, approval.ErrInvalid)
		_, err = b.List(ctx)
		require.ErrorIs(t, err, approval.ErrInvalid)
		_, err = b.Wait(ctx, "apr_1")
		require.ErrorIs(t, err, approval.ErrInvalid)
		_, err = b.Ask(ctx, nil, "apr_1")
		require.ErrorIs(t, err, approval.ErrInvalid)
		_, err = b.Grants(ctx, binding(1))
		require.ErrorIs(t, err, approval.ErrInvalid)
		_, err = b.Digest(nil)
		require.ErrorIs(t, err, approval.ErrInvalid)
		require.ErrorIs(t, b.Use(ctx, "apr_1", binding(1)), approval.ErrInvalid)
		require.ErrorIs(t, b.UseGrant(ctx, "apr_1", binding(1)), approval.ErrInvalid)
		require.ErrorIs(t, b.Answer(ctx, "apr_1", yes), approval.ErrInvalid)
		require.ErrorIs(t, b.Resolve(ctx, approval.Resolution{}), approval.ErrInvalid)
		require.ErrorIs(t, b.Revoke(ctx, "apr_1"), approval.ErrInvalid)
		require.ErrorIs(t, b.Done(ctx, "apr_1", approval.Ran), approval.ErrInvalid)
	}
	var zero approval.Ticket
	require.Error(t, zero.State.Err())
	require.Error(t, approval.State(99).Err())
	_, err := new(approval.Key).Sign(zero, yes, start)
	require.ErrorIs(t, err, approval.ErrInvalid)
}

func TestNewRefuses(t *testing.T) {
	k, m := newKey(t), new(approval.Memory)
	for _, c := range []struct {
		store approval.Store
		key   *approval.Key
		opts  *approval.Options
	}{
		{nil, k, nil},
		{m, nil, nil},
		{m, new(approval.Key), nil},
		{m, k, &approval.Options{Keep: -1}},
		{m, k, &approval.Options{Poll: -1}},
	} {
		_, err := approval.New(c.store, c.key, c.opts)
		require.ErrorIs(t, err, approval.ErrInvalid)
	}
	_, err := approval.New(m, k, nil)
	require.NoError(t, err)
}

func TestKey(t *testing.T) {
	_, err := approval.NewKey(secret[:31])
	require.ErrorIs(t, err, approval.ErrInvalid)
	own := []byte(strings.Clone(string(secret)))
	k, err := approval.NewKey(own)
	require.NoError(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.NotContains(t, fmt.Sprintf(verb, k), "secret of the")
		require.NotContains(t, fmt.Sprintf(verb, *k), fmt.Sprintf("%x", secret[:8]))
	}

	// The secret is copied.
	b, err := approval.New(new(approval.Memory), k, nil)
	require.NoError(t, err)
	before, err := b.Digest([]byte(`{}`))
	require.NoError(t, err)
	clear(own)
	after, err := b.Digest([]byte(`{}`))
	require.NoError(t, err)
	require.Equal(t, before, after)
	other, err := approval.New(new(approval.Memory), newKey(t), nil)
	require.NoError(t, err)
	same, err := other.Digest([]byte(`{}`))
	require.NoError(t, err)
	require.Equal(t, before, same)

	var back approval.Digest
	require.NoError(t, back.UnmarshalText([]byte(before.String())))
	require.Equal(t, before, back)
	require.Error(t, back.UnmarshalText([]byte("00")))
	require.Error(t, back.UnmarshalText([]byte(strings.Repeat("x", 64))))
}

// A ticket lives as its states say.
func TestLife(t *testing.T) {
	for name, store := range map[string]approval.Store{"memory": new(approval.Memory), "dir": newDir(t, t.TempDir()+"/d")} {
		t.Run(name, func(t *testing.T) {
			b, c := newBook(t, store)
			r := request(1)
			ticket, err := b.Open(ctx, r)
			require.NoError(t, err)
			require.Regexp(t, `^apr_[0-9a-f-]{36}$`, ticket.ID)
			require.Equal(t, r.Binding, ticket.Binding)
			require.Equal(t, start.Truncate(time.Millisecond), ticket.Created)
			require.Equal(t, start.Truncate(time.Millisecond).Add(time.Hour), ticket.Expires)
			require.Equal(t, r.Message, ticket.Message)
			require.Equal(t, `{"order":1,"note":"\u003cb\u003e"}`, string(ticket.Parameters))
			require.Equal(t, approval.Status{}, ticket.Status)
			copy(r.Parameters, "xxxxx") // the caller's

			got, err := b.Get(ctx, ticket.ID)
			require.NoError(t, err)
			require.Equal(t, ticket, got)
			require.ErrorIs(t, b.Use(ctx, ticket.ID, binding(1)), approval.ErrPending)
			require.ErrorIs(t, b.Done(ctx, ticket.ID, approval.Ran), approval.ErrPending)

			c.add(time.Minute)
			require.NoError(t, b.Answer(ctx, ticket.ID, yes))
			got, err = b.Find(ctx, binding(1))
			require.NoError(t, err)
			require.Equal(t, ticket.ID, got.ID)
			require.Equal(t, approval.Status{State: approval.Approved, By: "klara", ResolvedAt: ticket.Created.Add(time.Minute)}, got.Status)
			require.ErrorIs(t, b.Done(ctx, ticket.ID, approval.Ran), approval.ErrPending)

			require.NoError(t, b.Use(ctx, ticket.ID, binding(1)))
			require.ErrorIs(t, b.Use(ctx, ticket.ID, binding(1)), approval.ErrUsed)
			_, err = b.Find(ctx, binding(1))
			require.ErrorIs(t, err, approval.ErrNotFound)
			unknown, err := b.List(ctx, approval.Used)
			require.NoError(t, err)
			require.Len(t, unknown, 1)
			require.Equal(t, approval.OutcomeUnknown, unknown[0].Outcome)
			require.Equal(t, ticket.Created.Add(time.Minute), unknown[0].UsedAt)

			require.ErrorIs(t, b.Done(ctx, ticket.ID, approval.OutcomeUnknown), approval.ErrInvalid)
			require.NoError(t, b.Done(ctx, ticket.ID, approval.Failed))
			require.NoError(t, b.Done(ctx, ticket.ID, approval.Failed))
			require.ErrorIs(t, b.Done(ctx, ticket.ID, approval.Ran), approval.ErrMismatch)
			got, err = b.Get(ctx, ticket.ID)
			require.NoError(t, err)
			require.Equal(t, approval.Failed, got.Outcome)

			next := open(t, b, 1) // the same call once more is another question
			require.NotEqual(t, ticket.ID, next.ID)
			require.NoError(t, b.Answer(ctx, next.ID, approval.Answer{By: "klara"}))
			require.ErrorIs(t, b.Use(ctx, next.ID, binding(1)), approval.ErrDenied)
			require.Equal(t, next.ID, open(t, b, 1).ID) // a denial is not asked about again
			all, err := b.List(ctx)
			require.NoError(t, err)
			require.Len(t, all, 2)
		})
	}
}

func list(t testing.TB, b *approval.Book, states ...approval.State) []approval.Ticket {
	t.Helper()
	tickets, err := b.List(ctx, states...)
	require.NoError(t, err)
	return tickets
}

// Two books on one store, as of two processes, see each other's tickets, and
// count them together.
func TestTwoBooks(t *testing.T) {
	path := t.TempDir() + "/d"
	one, c := newBook(t, newDir(t, path))
	two := bookAt(t, c, newDir(t, path))
	ticket := open(t, one, 0)
	require.Equal(t, ticket.ID, open(t, two, 0).ID)
	require.NoError(t, two.Answer(ctx, ticket.ID, yes))
	found, err := one.Find(ctx, binding(0))
	require.NoError(t, err)
	require.Equal(t, approval.Approved, found.State)
	require.NoError(t, one.Use(ctx, ticket.ID, binding(0)))
	require.ErrorIs(t, two.Use(ctx, ticket.ID, binding(0)), approval.ErrUsed)
	_, err = two.Find(ctx, binding(0))
	require.ErrorIs(t, err, approval.ErrNotFound)

	for n := range 20 {
		open(t, []*approval.Book{one, two}[n%2], 1+n)
	}
	for _, b := range []*approval.Book{one, two, bookAt(t, c, newDir(t, path))} {
		_, err = b.Open(ctx, request(21))
		require.ErrorIs(t, err, approval.ErrLimit)
	}
	// Answered by one, room for the other.
	found, err = two.Find(ctx, binding(5))
	require.NoError(t, err)
	require.NoError(t, two.Answer(ctx, found.ID, yes))
	open(t, one, 21)
}

// A ticket whose file is gone, or is not what it was, is none, and counts no
// more.
func TestTicketsGoAway(t *testing.T) {
	store := new(approval.Memory)
	b, c := newBook(t, store)
	other := bookAt(t, c, store)
	for n := range 20 {
		open(t, b, n)
		open(t, other, n)
	}
	gone, spoilt := open(t, b, 0), open(t, b, 1)
	require.NoError(t, store.Remove(ctx, gone.ID+".ticket"))
	replace(t, store, spoilt.ID+".ticket", []byte("x"))
	_, err := b.Wait(ctx, gone.ID)
	require.ErrorIs(t, err, approval.ErrNotFound)
	for _, b := range []*approval.Book{b, other} {
		require.NotEqual(t, spoilt.ID, open(t, b, 1).ID)
		require.NotEqual(t, gone.ID, open(t, b, 0).ID)
		_, err = b.Open(ctx, request(20))
		require.ErrorIs(t, err, approval.ErrLimit)
		tickets, err := b.List(ctx)
		require.ErrorContains(t, err, spoilt.ID)
		require.Len(t, tickets, 20)
	}
	require.NoError(t, store.Remove(ctx, spoilt.ID+".ticket"))
	require.Len(t, list(t, b), 20)
}

// A store that fails is an error that is none of the sentinels.
func TestStoreFails(t *testing.T) {
	inner := new(approval.Memory)
	s := &failing{Memory: inner}
	b, _ := newBook(t, s)
	ticket := open(t, b, 1)
	s.err = errors.New("disk on fire")
	_, err := b.Open(ctx, request(2))
	require.ErrorIs(t, err, s.err)
	_, err = b.Find(ctx, binding(1))
	require.ErrorIs(t, err, s.err)
	require.ErrorIs(t, b.Answer(ctx, ticket.ID, yes), s.err)
	require.ErrorIs(t, b.Use(ctx, ticket.ID, binding(1)), s.err)
	require.ErrorIs(t, b.Revoke(ctx, ticket.ID), s.err)
	_, err = approval.New(s, newKey(t), nil)
	require.ErrorIs(t, err, s.err)
}

type failing struct {
	*approval.Memory
	err error
}

func (s *failing) Read(ctx context.Context, name string) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Memory.Read(ctx, name)
}

func (s *failing) List(ctx context.Context) ([]string, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Memory.List(ctx)
}
