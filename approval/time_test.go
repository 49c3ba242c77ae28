package approval_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/rules"
)

func TestExpiry(t *testing.T) {
	store := new(approval.Memory)
	b, c := newBook(t, store)
	pending, yes1, late := open(t, b, 1), approved(t, b, 2), open(t, b, 3)
	no := open(t, b, 4)
	require.NoError(t, b.Answer(ctx, no.ID, approval.Answer{By: "klara"}))
	k := newKey(t)
	resolution, err := k.Sign(late, yes, late.Created)
	require.NoError(t, err)

	c.add(time.Hour - time.Millisecond)
	require.Equal(t, approval.Pending, state(t, b, pending.ID))
	require.Equal(t, approval.Approved, state(t, b, yes1.ID))
	c.add(time.Millisecond)
	for _, b := range []*approval.Book{b, bookAt(t, c, store)} {
		require.Equal(t, approval.Expired, state(t, b, pending.ID))
		require.Equal(t, approval.Expired, state(t, b, yes1.ID))
		require.Equal(t, approval.Denied, state(t, b, no.ID))
		require.ErrorIs(t, b.Use(ctx, yes1.ID, binding(2)), approval.ErrExpired)
		require.ErrorIs(t, b.Answer(ctx, pending.ID, yes), approval.ErrExpired)
		require.ErrorIs(t, b.Resolve(ctx, resolution), approval.ErrExpired) // in time, but late
		_, err = b.Find(ctx, binding(2))
		require.ErrorIs(t, err, approval.ErrNotFound)
	}
	require.NotEqual(t, no.ID, open(t, b, 4).ID) // a denial is not for ever
	require.Len(t, list(t, b, approval.Expired), 3)
}

// A clock that is set back makes nothing valid again, and nothing longer.
func TestClockGoesBack(t *testing.T) {
	store := new(approval.Memory)
	b, c := newBook(t, store)
	id := approved(t, b, 1).ID
	c.add(time.Hour)
	require.Equal(t, approval.Expired, state(t, b, id))
	c.add(-30 * time.Minute)
	require.Equal(t, approval.Expired, state(t, b, id))
	require.ErrorIs(t, b.Use(ctx, id, binding(1)), approval.ErrExpired)
	_, err := b.Find(ctx, binding(1))
	require.ErrorIs(t, err, approval.ErrNotFound)

	id = approved(t, b, 2).ID
	c.add(-time.Minute)
	require.Equal(t, approval.Approved, state(t, b, id))
	c.add(-time.Second)
	for _, b := range []*approval.Book{b, bookAt(t, c, store)} {
		require.ErrorIs(t, b.Use(ctx, id, binding(2)), approval.ErrExpired)
	}
}

// Tickets go a week after they are over, and not before, used or not.
func TestCleaning(t *testing.T) {
	store := new(approval.Memory)
	b, c := newBook(t, store)
	open(t, b, 1)
	used := approved(t, b, 2)
	require.NoError(t, b.Use(ctx, used.ID, binding(2)))
	require.NoError(t, b.Done(ctx, used.ID, approval.Ran))
	no := open(t, b, 3)
	require.NoError(t, b.Revoke(ctx, no.ID))
	granted := open(t, b, 4)
	require.NoError(t, b.Answer(ctx, granted.ID, approval.Answer{Approve: true, By: "klara", Grant: &approval.Grant{
		Until: start.Add(24 * time.Hour), Times: 3}}))
	require.NoError(t, b.UseGrant(ctx, granted.ID, binding(40)))
	stray := "apr_" + rules.NewID(start).String() + ".used"
	require.NoError(t, store.Create(ctx, stray, nil))
	names := func() []string {
		names, err := store.List(ctx)
		require.NoError(t, err)
		return names
	}
	before := len(names())

	c.add(7*24*time.Hour + time.Hour - time.Second)
	bookAt(t, c, store)
	require.Len(t, names(), before)
	c.add(time.Second)
	bookAt(t, c, store)
	require.Len(t, names(), 4, "%q", names()) // the granted one, and the stray
	c.add(48 * time.Hour)
	bookAt(t, c, store)
	require.Empty(t, names())

	// The book that had them cleans them when it opens another.
	open(t, b, 5)
	require.Len(t, names(), 1)
	require.Len(t, list(t, b), 1)
	c.add(8 * 24 * time.Hour)
	open(t, b, 6)
	require.Len(t, names(), 1)
}
