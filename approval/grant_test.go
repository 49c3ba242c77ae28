package approval_test

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/rules"
)

// fullGrant has constraints of every kind.
func fullGrant() *approval.Grant {
	number := func(s json.Number) *json.Number { return &s }
	text, n, yes := "^a<b>&\u2028$", 3, true
	return &approval.Grant{
		Parameters: map[string]rules.Constraint{
			"amount": {Min: number("1e2"), Max: number("100.0"), GreaterThan: number("-0"), LessThan: number("9007199254740993")},
			"to":     {Regex: &text, NotRegex: &text, Match: &text, Type: "string", IgnoreCase: true, MinLength: &n, MaxLength: &n},
			"/a/*/b": {Enum: []rules.Scalar{{Value: "x"}, {Value: json.Number("1.50")}, {Value: true}}, NotEnum: []rules.Scalar{{Value: "y"}}, Optional: true, Nullable: true},
			"path":   {Within: []string{"/srv"}},
			"url":    {Hosts: []string{"example.com"}, AssumeScheme: "https", NoQuery: true},
			"mail":   {EmailDomains: []string{"example.com"}},
			"flag":   {MustBe: &yes},
			"list":   {MinItems: &n, MaxItems: &n},
		},
		Until: start.Truncate(time.Millisecond).Add(2 * time.Hour), Times: 5, AnySession: true,
	}
}

func grant(t testing.TB, b *approval.Book, n int, g *approval.Grant) approval.Ticket {
	t.Helper()
	ticket := open(t, b, n)
	require.NoError(t, b.Answer(ctx, ticket.ID, approval.Answer{Approve: true, By: "klara", Grant: g}))
	return ticket
}

func simple(times int) *approval.Grant {
	return &approval.Grant{
		Parameters: map[string]rules.Constraint{"order": {Type: "integer"}},
		Until:      start.Truncate(time.Millisecond).Add(2 * time.Hour), Times: times,
	}
}

func TestGrant(t *testing.T) {
	store := new(approval.Memory)
	b, c := newBook(t, store)
	none, err := b.Grants(ctx, binding(9))
	require.NoError(t, err)
	require.Empty(t, none)
	ticket := grant(t, b, 1, simple(3))
	for _, b := range []*approval.Book{b, bookAt(t, c, store)} {
		live, err := b.Grants(ctx, binding(9)) // whatever the arguments
		require.NoError(t, err)
		require.Equal(t, []approval.LiveGrant{{ID: ticket.ID, Binding: ticket.Binding, By: "klara", Grant: *simple(3), Left: 3}}, live)
		live[0].Grant.Times = 1000 // the caller's
		delete(live[0].Grant.Parameters, "order")
	}

	// The call of the ticket is one of its own.
	require.NoError(t, b.Use(ctx, ticket.ID, binding(1)))
	for left := 3; left > 0; left-- {
		live, err := b.Grants(ctx, binding(9))
		require.NoError(t, err)
		require.Equal(t, left, live[0].Left)
		require.Equal(t, *simple(3), live[0].Grant)
		require.NoError(t, b.UseGrant(ctx, ticket.ID, binding(10+left)))
	}
	require.ErrorIs(t, b.UseGrant(ctx, ticket.ID, binding(9)), approval.ErrUsed)
	for _, b := range []*approval.Book{b, bookAt(t, c, store)} {
		live, err := b.Grants(ctx, binding(9))
		require.NoError(t, err)
		require.Empty(t, live)
		require.ErrorIs(t, b.UseGrant(ctx, ticket.ID, binding(9)), approval.ErrUsed)
	}
}

// A grant is for calls that differ from the one that was asked about in
// nothing but the arguments, and the session where that is said.
func TestGrantIsBound(t *testing.T) {
	b, _ := newBook(t)
	one := grant(t, b, 1, simple(3))
	for name, change := range changes {
		if name == "arguments" {
			continue
		}
		other := binding(9)
		change(&other)
		live, err := b.Grants(ctx, other)
		require.NoError(t, err)
		require.Empty(t, live, name)
		require.ErrorIs(t, b.UseGrant(ctx, one.ID, other), approval.ErrMismatch, name)
	}
	any := simple(3)
	any.AnySession = true
	two := grant(t, b, 2, any)
	other := binding(9)
	other.Session = "s2"
	live, err := b.Grants(ctx, other)
	require.NoError(t, err)
	require.Len(t, live, 1)
	require.Equal(t, two.ID, live[0].ID)
	require.NoError(t, b.UseGrant(ctx, two.ID, other))
	live, err = b.Grants(ctx, binding(9))
	require.NoError(t, err)
	require.Len(t, live, 2)
	require.ErrorIs(t, b.UseGrant(ctx, one.ID, approval.Binding{}), approval.ErrInvalid)
	require.ErrorIs(t, b.UseGrant(ctx, approved(t, b, 3).ID, binding(3)), approval.ErrNotFound)
	require.ErrorIs(t, b.UseGrant(ctx, open(t, b, 4).ID, binding(4)), approval.ErrNotFound)
}

func TestGrantEnds(t *testing.T) {
	store := new(approval.Memory)
	b, c := newBook(t, store)
	ticket := grant(t, b, 1, simple(9))
	revoked := grant(t, b, 2, simple(9))
	require.NoError(t, b.Use(ctx, revoked.ID, binding(2)))
	require.ErrorIs(t, b.Revoke(ctx, revoked.ID), approval.ErrUsed)
	other := bookAt(t, c, store)
	for _, b := range []*approval.Book{b, other} {
		live, err := b.Grants(ctx, binding(9))
		require.NoError(t, err)
		require.Len(t, live, 1)
		require.ErrorIs(t, b.UseGrant(ctx, revoked.ID, binding(9)), approval.ErrDenied)
	}

	c.add(2*time.Hour - time.Millisecond) // an hour after the ticket
	require.NoError(t, b.UseGrant(ctx, ticket.ID, binding(9)))
	c.add(time.Millisecond)
	for _, b := range []*approval.Book{b, other, bookAt(t, c, store)} {
		live, err := b.Grants(ctx, binding(9))
		require.NoError(t, err)
		require.Empty(t, live)
		require.ErrorIs(t, b.UseGrant(ctx, ticket.ID, binding(9)), approval.ErrExpired)
	}
	c.add(-time.Hour)
	require.ErrorIs(t, b.UseGrant(ctx, ticket.ID, binding(9)), approval.ErrExpired)
}

func TestGrantLimit(t *testing.T) {
	store := new(approval.Memory)
	b, c := newBook(t, store)
	for n := range 99 {
		grant(t, b, n, simple(1))
	}
	other := bookAt(t, c, store)
	last := grant(t, b, 99, simple(1))
	ticket := open(t, b, 100)
	for _, b := range []*approval.Book{b, other} {
		require.ErrorIs(t, b.Answer(ctx, ticket.ID, approval.Answer{Approve: true, By: "klara", Grant: simple(1)}), approval.ErrLimit)
	}
	require.Equal(t, approval.Pending, state(t, b, ticket.ID))
	require.NoError(t, b.UseGrant(ctx, last.ID, binding(500))) // it was the last of its uses
	grant(t, b, 100, simple(1))
	ticket = open(t, b, 101)
	require.ErrorIs(t, other.Answer(ctx, ticket.ID, approval.Answer{Approve: true, By: "klara", Grant: simple(1)}), approval.ErrLimit)
	require.NoError(t, b.Revoke(ctx, last.ID)) // which is live no more
	c.add(2 * time.Hour)
	ticket = open(t, b, 102)
	g := simple(1)
	g.Until = c.now().Add(time.Hour)
	require.NoError(t, other.Answer(ctx, ticket.ID, approval.Answer{Approve: true, By: "klara", Grant: g}))
}

// However many use a grant at once, in however many books, there are no more
// uses than were given.
func TestGrantConcurrently(t *testing.T) {
	path := t.TempDir() + "/d"
	b, c := newBook(t, newDir(t, path))
	books := []*approval.Book{b, bookAt(t, c, newDir(t, path)), bookAt(t, c, newDir(t, path))}
	ticket := grant(t, b, 1, simple(20))
	var wg sync.WaitGroup
	var used, refused atomic.Int32
	for g := range 12 {
		wg.Go(func() {
			for n := range 3 {
				switch err := books[g%3].UseGrant(ctx, ticket.ID, binding(g*3+n)); {
				case err == nil:
					used.Add(1)
				default:
					refused.Add(1)
					assert.ErrorIs(t, err, approval.ErrUsed)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 20, used.Load())
	require.EqualValues(t, 16, refused.Load())
}
