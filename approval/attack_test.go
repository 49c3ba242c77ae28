package approval_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/rules"
)

// changes are those that make another binding, one for every part.
var changes = map[string]func(b *approval.Binding){
	"project":       func(b *approval.Binding) { b.Project = "other" },
	"no project":    func(b *approval.Binding) { b.Project = "" },
	"agent":         func(b *approval.Binding) { b.Agent = "Bot" },
	"session":       func(b *approval.Binding) { b.Session = "s2" },
	"no session":    func(b *approval.Binding) { b.Session = "" },
	"user":          func(b *approval.Binding) { b.User = "tom" },
	"tool":          func(b *approval.Binding) { b.Tool = "refund2" },
	"arguments":     func(b *approval.Binding) { b.Arguments[31]++ },
	"policy digest": func(b *approval.Binding) { b.PolicyDigest = "sha256:abd" },
	"policy":        func(b *approval.Binding) { b.PolicyID = "ask2" },
	"rule":          func(b *approval.Binding) { b.RuleID = "" },
	"shifted":       func(b *approval.Binding) { b.Project, b.Agent = "acmeb", "ot" },
	"swapped":       func(b *approval.Binding) { b.Session, b.User = b.User, b.Session },
}

// What is approved is one call; another cannot run in its place. A file of a
// tool's configuration that could be changed after it was approved is
// CVE-2025-54136.
func TestAttack_E1_ApproveOneRunAnother(t *testing.T) {
	b, _ := newBook(t)
	id := approved(t, b, 1).ID
	for name, change := range changes {
		other := binding(1)
		change(&other)
		require.ErrorIs(t, b.Use(ctx, id, other), approval.ErrMismatch, name)
		_, err := b.Find(ctx, other)
		require.ErrorIs(t, err, approval.ErrNotFound, name)
	}
	require.ErrorIs(t, b.Use(ctx, id, approval.Binding{}), approval.ErrMismatch)
	require.NoError(t, b.Use(ctx, id, binding(1))) // it is still there
}

// A ticket is used once, in its time, and where it was given. Across sessions
// and tenants: E1.
func TestAttack_E2_Replay(t *testing.T) {
	path := t.TempDir() + "/d"
	dir := newDir(t, path)
	b, c := newBook(t, dir)
	id := approved(t, b, 1).ID
	resolution := read(t, dir, id+".resolution")
	require.NoError(t, b.Use(ctx, id, binding(1)))
	for _, b := range []*approval.Book{b, bookAt(t, c, newDir(t, path))} {
		require.ErrorIs(t, b.Use(ctx, id, binding(1)), approval.ErrUsed)
	}
	// The answer to one ticket is none to the next, for the same call.
	next := open(t, b, 1)
	var body struct{ MAC []byte }
	require.NoError(t, json.Unmarshal(bytes.SplitN(resolution, []byte("\n"), 2)[1], &body))
	r := approval.Resolution{TicketID: next.ID, Approve: true, By: "klara", At: next.Created, MAC: body.MAC}
	require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrForged)
	require.NoError(t, dir.Create(ctx, next.ID+".resolution", resolution))
	require.Equal(t, approval.Pending, state(t, b, next.ID))

	// In this process the use is known even when its mark is gone.
	require.NoError(t, dir.Remove(ctx, id+".used"))
	require.ErrorIs(t, b.Use(ctx, id, binding(1)), approval.ErrUsed)

	late := approved(t, b, 2).ID
	c.add(time.Hour)
	require.ErrorIs(t, b.Use(ctx, late, binding(2)), approval.ErrExpired)
}

// Of uses at the same moment one succeeds.
func TestAttack_E2_ConcurrentUses(t *testing.T) {
	path := t.TempDir() + "/d"
	b, c := newBook(t, newDir(t, path))
	books := []*approval.Book{b, bookAt(t, c, newDir(t, path))}
	for round := range 5 {
		id := approved(t, b, round).ID
		var wg sync.WaitGroup
		var won atomic.Int32
		for g := range 32 {
			wg.Go(func() {
				if err := books[g%2].Use(ctx, id, binding(round)); err == nil {
					won.Add(1)
				} else {
					assert.ErrorIs(t, err, approval.ErrUsed)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, won.Load())
	}
}

// Of a revocation and a use at the same moment, at least one is refused.
func TestRevokeAgainstUse(t *testing.T) {
	b, _ := newBook(t)
	for round := range 200 {
		id := approved(t, b, round).ID
		var revoked, used error
		var wg sync.WaitGroup
		wg.Go(func() { revoked = b.Revoke(ctx, id) })
		wg.Go(func() { used = b.Use(ctx, id, binding(round)) })
		wg.Wait()
		require.False(t, revoked == nil && used == nil)
	}
}

// A hundred escalations of one loop are one ticket; a loop that asks about
// something else each time comes to an end.
func TestAttack_E3a_OneTicketForALoop(t *testing.T) {
	path := t.TempDir() + "/d"
	b, c := newBook(t, newDir(t, path))
	books := []*approval.Book{b, bookAt(t, c, newDir(t, path))}
	ids := make([]string, 100)
	var wg sync.WaitGroup
	for n := range ids {
		wg.Go(func() {
			ticket, err := books[n%2].Open(ctx, request(1))
			assert.NoError(t, err)
			ids[n] = ticket.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	c.add(59 * time.Minute)
	same := open(t, b, 1)
	require.Equal(t, ids[0], same.ID)
	require.Equal(t, time.Hour, same.Expires.Sub(same.Created)) // not prolonged

	var limited atomic.Int32
	for n := range 100 {
		wg.Go(func() {
			if _, err := books[n%2].Open(ctx, request(100+n)); err != nil {
				assert.ErrorIs(t, err, approval.ErrLimit)
				limited.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 81, limited.Load()) // with the first, 20
	require.Len(t, list(t, b, approval.Pending), 20)
}

// What the agent's own file tool writes approves nothing, whatever it has read.
func TestAttack_E3a_ForgedFiles(t *testing.T) {
	path := t.TempDir() + "/d"
	dir := newDir(t, path)
	b, c := newBook(t, dir)
	write := func(name string, data []byte) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(path, name), data, 0o600))
	}
	genuine := approved(t, b, 1)
	files := map[string][]byte{".ticket": nil, ".resolution": nil}
	for part := range files {
		files[part] = read(t, dir, genuine.ID+part)
	}

	// Another key, of somebody who knows the format.
	forger := new(approval.Memory)
	key, err := approval.NewKey(bytes.Repeat([]byte{7}, 32))
	require.NoError(t, err)
	theirs, err := approval.New(forger, key, &approval.Options{Now: c.now})
	require.NoError(t, err)
	forged := approved(t, theirs, 2)
	write(forged.ID+".ticket", read(t, forger, forged.ID+".ticket"))
	write(forged.ID+".resolution", read(t, forger, forged.ID+".resolution"))

	// A copy under another name, and one with other words.
	copied := "apr_" + rules.NewID(start).String()
	for part, data := range files {
		write(copied+part, data)
	}
	renamed := "apr_" + rules.NewID(start).String()
	for part, data := range files {
		write(renamed+part, bytes.ReplaceAll(data, []byte(genuine.ID), []byte(renamed)))
	}

	// Answers to a ticket that is pending.
	pending := open(t, b, 3)
	r, err := key.Sign(pending, yes, start)
	require.NoError(t, err)
	require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrForged)
	r.MAC = nil
	require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrForged)
	text, err := json.Marshal(r)
	require.NoError(t, err)
	write(pending.ID+".resolution", text)

	for _, b := range []*approval.Book{b, bookAt(t, c, newDir(t, path))} {
		for _, id := range []string{forged.ID, copied, renamed} {
			_, err := b.Get(ctx, id)
			require.ErrorIs(t, err, approval.ErrForged)
			require.ErrorIs(t, b.Use(ctx, id, binding(2)), approval.ErrForged)
			require.ErrorIs(t, b.Answer(ctx, id, yes), approval.ErrForged)
		}
		_, err = b.Find(ctx, binding(2))
		require.ErrorIs(t, err, approval.ErrNotFound)
		require.Equal(t, approval.Pending, state(t, b, pending.ID))
		err := b.Use(ctx, pending.ID, binding(3))
		require.ErrorIs(t, err, approval.ErrPending)
		require.ErrorIs(t, err, approval.ErrForged)
		tickets, err := b.List(ctx)
		require.Len(t, tickets, 2)
		for _, name := range []string{forged.ID, copied, renamed, pending.ID + ".resolution"} {
			require.ErrorContains(t, err, name)
		}
		require.NotContains(t, err.Error(), genuine.ID)
	}
	// The human can still answer.
	require.NoError(t, b.Answer(ctx, pending.ID, yes))
	require.NoError(t, b.Use(ctx, pending.ID, binding(3)))
}

// No byte of a ticket, a resolution or a grant can be changed, none be cut off
// or added, without the approval being lost.
func TestAttack_E3a_EveryByte(t *testing.T) {
	store := new(approval.Memory)
	b, c := newBook(t, store)
	id := grant(t, b, 1, simple(3)).ID
	tried := 0
	for _, part := range []string{".ticket", ".resolution"} {
		name := id + part
		whole := read(t, store, name)
		refused := func(data []byte, what ...any) {
			t.Helper()
			tried++
			replace(t, store, name, data)
			b := bookAt(t, c, store)
			if ticket, err := b.Get(ctx, id); err == nil {
				require.Equal(t, approval.Pending, ticket.State, what...)
			} else {
				require.ErrorIs(t, err, approval.ErrForged, what...)
			}
			require.ErrorIs(t, b.Use(ctx, id, binding(1)), approval.ErrForged, what...)
			require.Error(t, b.UseGrant(ctx, id, binding(1)), what...)
			_, err := b.List(ctx)
			require.ErrorContains(t, err, name, what...)
			if ticket, err := b.Find(ctx, binding(1)); err == nil {
				require.Equal(t, approval.Pending, ticket.State, what...)
			}
		}
		for i := range whole {
			for _, mask := range []byte{1, 0x20, 0x80} {
				refused(spoil(whole, i, mask), "byte %d of %s", i, part)
			}
			refused(whole[:i], "cut at %d of %s", i, part)
		}
		refused(append(bytes.Clone(whole), '\n'))
		refused(append([]byte(" "), whole...))
		replace(t, store, name, whole)
	}
	t.Logf("%d changes", tried)
	require.NoError(t, bookAt(t, c, store).UseGrant(ctx, id, binding(1)))
	require.NoError(t, bookAt(t, c, store).Use(ctx, id, binding(1)))
}

// A mark holds by being there, whatever it says: otherwise spoiling the mark of
// a use would make the use possible again.
func TestSpoiltMarksHold(t *testing.T) {
	for _, part := range []string{".used", ".revoked", ".use.1"} {
		store := new(approval.Memory)
		b, c := newBook(t, store)
		ticket := grant(t, b, 1, simple(1))
		id := ticket.ID
		require.NoError(t, store.Create(ctx, id+part, []byte("x")))
		for _, b := range []*approval.Book{b, bookAt(t, c, store)} {
			if part == ".use.1" {
				require.ErrorIs(t, b.UseGrant(ctx, id, binding(2)), approval.ErrUsed)
				continue
			}
			got, err := b.Get(ctx, id)
			require.NoError(t, err)
			require.Error(t, b.Use(ctx, id, binding(1)), part)
			require.True(t, got.UsedAt.IsZero())
			require.Equal(t, map[string]approval.State{".used": approval.Used, ".revoked": approval.Denied}[part], got.State)
			_, err = b.List(ctx)
			require.ErrorIs(t, err, approval.ErrForged)
			require.ErrorContains(t, err, id+part)
		}
	}
	store := new(approval.Memory)
	b, _ := newBook(t, store)
	id := approved(t, b, 1).ID
	require.NoError(t, b.Use(ctx, id, binding(1)))
	require.NoError(t, store.Create(ctx, id+".done", []byte(`{"outcome":"failed"}`)))
	got, err := b.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, approval.OutcomeUnknown, got.Outcome)
	require.ErrorIs(t, b.Done(ctx, id, approval.Ran), approval.ErrMismatch)

	// A mark of one ticket says nothing of another.
	other := approved(t, b, 2).ID
	require.NoError(t, b.Use(ctx, other, binding(2)))
	require.NoError(t, b.Done(ctx, other, approval.Failed))
	replace(t, store, id+".done", read(t, store, other+".done"))
	got, err = b.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, approval.OutcomeUnknown, got.Outcome)
}

// A name in a text that goes to a human or a log cannot fake a line of it; and
// an error quotes nothing of the call.
func TestErrorsQuoteNothing(t *testing.T) {
	b, _ := newBook(t)
	r := request(1)
	r.Binding.Agent = "hunter2\nx"
	_, err := b.Open(ctx, r)
	require.NotContains(t, err.Error(), "hunter2")
	id := approved(t, b, 1).ID
	other := binding(1)
	other.Session = "hunter2"
	require.NotContains(t, b.Use(ctx, id, other).Error(), "hunter2")
	require.NotContains(t, fmt.Sprint(b.Answer(ctx, id, approval.Answer{By: strings.Repeat("hunter2", 99)})), "hunter2")
}
