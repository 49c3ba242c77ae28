package approval_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

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
