package approval_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

var (
	ctx    = context.Background()
	start  = time.Date(2026, time.March, 2, 9, 30, 0, 123456789, time.UTC)
	secret = []byte("a secret of the tests, 32 bytes+")
)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newKey(t testing.TB) *approval.Key {
	t.Helper()
	k, err := approval.NewKey(secret)
	require.NoError(t, err)
	return k
}

// newBook returns a book in memory, or in a store, and its clock.
func newBook(t testing.TB, store ...approval.Store) (*approval.Book, *clock) {
	t.Helper()
	c := &clock{at: start}
	return bookAt(t, c, store...), c
}

func bookAt(t testing.TB, c *clock, store ...approval.Store) *approval.Book {
	t.Helper()
	store = append(store, new(approval.Memory))
	b, err := approval.New(store[0], newKey(t), &approval.Options{Now: c.now})
	require.NoError(t, err)
	return b
}

func newDir(t testing.TB, path string) *approval.Dir {
	t.Helper()
	d, err := approval.OpenDir(path)
	require.NoError(t, err)
	t.Cleanup(func() { d.Close() })
	return d
}

// binding returns one for the nth call.
func binding(n int) approval.Binding {
	return approval.Binding{
		Project: "acme", Agent: "bot", Session: "s1", User: "ann", Tool: "refund",
		Arguments:    approval.Digest{1, byte(n), byte(n >> 8)},
		PolicyDigest: "sha256:abc", PolicyID: "ask", RuleID: "require_approval[0]",
	}
}

func request(n int) approval.Request {
	return approval.Request{
		Binding: binding(n), TTL: time.Hour, Message: "Check the order first.",
		Parameters: fmt.Appendf(nil, `{"order": %d, "note": "<b>"}`, n),
	}
}

func open(t testing.TB, b *approval.Book, n int) approval.Ticket {
	t.Helper()
	ticket, err := b.Open(ctx, request(n))
	require.NoError(t, err)
	return ticket
}

var yes = approval.Answer{Approve: true, By: "klara"}

// approved returns a ticket that is.
func approved(t testing.TB, b *approval.Book, n int) approval.Ticket {
	t.Helper()
	ticket := open(t, b, n)
	require.NoError(t, b.Answer(ctx, ticket.ID, yes))
	return ticket
}

func state(t testing.TB, b *approval.Book, id string) approval.State {
	t.Helper()
	ticket, err := b.Get(ctx, id)
	require.NoError(t, err)
	return ticket.State
}

// replace puts other bytes in the place of an entry.
func replace(t testing.TB, s approval.Store, name string, data []byte) {
	t.Helper()
	require.NoError(t, s.Remove(ctx, name))
	require.NoError(t, s.Create(ctx, name, data))
}

func read(t testing.TB, s approval.Store, name string) []byte {
	t.Helper()
	data, err := s.Read(ctx, name)
	require.NoError(t, err)
	return data
}

// spoil returns data with one byte changed.
func spoil(data []byte, i int, mask byte) []byte {
	data = bytes.Clone(data)
	data[i] ^= mask
	return data
}
