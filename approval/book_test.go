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
	"github.com/useveto/veto-go/rules"
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

func TestRequestBounds(t *testing.T) {
	b, _ := newBook(t)
	n := 0
	try := func(change func(r *approval.Request)) error {
		n++
		r := request(n)
		r.Binding.Project = fmt.Sprint(n) // each its own bounds
		change(&r)
		_, err := b.Open(ctx, r)
		return err
	}
	ok := func(change func(r *approval.Request)) { t.Helper(); require.NoError(t, try(change)) }
	bad := func(change func(r *approval.Request)) {
		t.Helper()
		require.ErrorIs(t, try(change), approval.ErrInvalid)
	}
	text := func(n int) string { return strings.Repeat("é", n/2) + strings.Repeat("x", n%2) }

	ok(func(r *approval.Request) { r.TTL = time.Minute })
	bad(func(r *approval.Request) { r.TTL = time.Minute - 1 })
	ok(func(r *approval.Request) { r.TTL = 24 * time.Hour })
	bad(func(r *approval.Request) { r.TTL = 24*time.Hour + 1 })
	bad(func(r *approval.Request) { r.TTL = 0 })

	ok(func(r *approval.Request) { r.Message = strings.Repeat("é", 2000) })
	bad(func(r *approval.Request) { r.Message = strings.Repeat("é", 2001) })
	ok(func(r *approval.Request) { r.Message = "" })
	bad(func(r *approval.Request) { r.Message = "a\x1b[0m" })
	bad(func(r *approval.Request) { r.Message = "\xff" })

	quoted := func(n int) []byte { return []byte(`"` + strings.Repeat("<", n-2) + `"`) }
	ok(func(r *approval.Request) { r.Parameters = quoted(8 << 10) })
	ok(func(r *approval.Request) { r.Parameters = []byte(string(quoted(8<<10)) + strings.Repeat(" ", 100)) })
	bad(func(r *approval.Request) { r.Parameters = quoted(8<<10 + 1) })
	ok(func(r *approval.Request) { r.Parameters = nil })
	bad(func(r *approval.Request) { r.Parameters = []byte(`{"a":`) })
	bad(func(r *approval.Request) { r.Parameters = []byte("\"\xff\"") })

	for name, part := range map[string]struct {
		of       func(b *approval.Binding) *string
		most     int
		required bool
	}{
		"project": {func(b *approval.Binding) *string { return &b.Project }, 255, false},
		"agent":   {func(b *approval.Binding) *string { return &b.Agent }, 255, true},
		"session": {func(b *approval.Binding) *string { return &b.Session }, 255, false},
		"user":    {func(b *approval.Binding) *string { return &b.User }, 255, false},
		"tool":    {func(b *approval.Binding) *string { return &b.Tool }, 255, true},
		"digest":  {func(b *approval.Binding) *string { return &b.PolicyDigest }, 2048, true},
		"policy":  {func(b *approval.Binding) *string { return &b.PolicyID }, 2048, true},
		"rule":    {func(b *approval.Binding) *string { return &b.RuleID }, 2048, false},
	} {
		set := func(s string) func(r *approval.Request) {
			return func(r *approval.Request) { *part.of(&r.Binding) = s }
		}
		t.Log(name)
		ok(set(text(part.most)))
		bad(set(text(part.most + 1)))
		bad(set("a\nb"))
		bad(set("a\u0085b"))
		bad(set("\xff"))
		if part.required {
			bad(set(""))
		} else {
			ok(set(""))
		}
	}
	bad(func(r *approval.Request) { r.Binding.Arguments = approval.Digest{} })
}

func TestPendingLimits(t *testing.T) {
	b, c := newBook(t)
	other := request(0)
	other.Binding.Agent = "other"
	for n := range 20 {
		open(t, b, n)
	}
	_, err := b.Open(ctx, request(20))
	require.ErrorIs(t, err, approval.ErrLimit)
	require.Len(t, list(t, b), 20) // it left nothing behind
	first := open(t, b, 0)         // an equal one is no more
	_, err = b.Open(ctx, other)    // nor is another agent's
	require.NoError(t, err)

	// What is answered, used or over is not pending.
	require.NoError(t, b.Answer(ctx, first.ID, yes))
	open(t, b, 20)
	require.NoError(t, b.Use(ctx, first.ID, binding(0)))
	_, err = b.Open(ctx, request(21))
	require.ErrorIs(t, err, approval.ErrLimit)
	c.add(time.Hour)
	for n := range 20 {
		open(t, b, 100+n)
	}
	_, err = b.Open(ctx, request(120))
	require.ErrorIs(t, err, approval.ErrLimit)
}

func TestPendingLimitInAll(t *testing.T) {
	b, _ := newBook(t)
	r := request(0)
	for n := range 1000 {
		r.Binding.Agent = fmt.Sprint("agent-", n%100)
		r.Binding.Arguments[5] = byte(n / 100)
		_, err := b.Open(ctx, r)
		require.NoError(t, err)
	}
	r.Binding.Agent = "agent-1000"
	_, err := b.Open(ctx, r)
	require.ErrorIs(t, err, approval.ErrLimit)
	pending := list(t, b, approval.Pending)
	require.Len(t, pending, 1000)
	require.NoError(t, b.Revoke(ctx, pending[7].ID))
	_, err = b.Open(ctx, r)
	require.NoError(t, err)
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
