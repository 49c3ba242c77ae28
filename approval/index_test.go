package approval

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// Of tickets that nobody used, the last ten thousand are kept; of those that
// were used, all until their time.
func TestUnusedAreBounded(t *testing.T) {
	x, at, keep := newIndex(), time.Unix(1e9, 0), time.Hour
	const n = maxUnused + 50
	for i := range n {
		ticket := &Ticket{ID: fmt.Sprintf("apr_%05d", i), Binding: Binding{Agent: fmt.Sprint(i)}, Created: at, Expires: at.Add(time.Duration(i))}
		if i%100 == 0 {
			ticket.State = Used
		}
		x.note(ticket, hasTicket, at.Add(-time.Hour), keep)
	}
	require.Equal(t, n-n/100-1, x.total)
	require.Empty(t, x.removable(at, keep, n))
	x.advance(at.Add(n), keep)
	require.Zero(t, x.total)
	require.Empty(t, x.pending)
	require.Empty(t, x.byBinding)
	require.Empty(t, x.removable(at.Add(n), keep, n)) // with the used ones there are more
	for i := range 200 {
		x.note(&Ticket{ID: fmt.Sprintf("apr_x%05d", i), Created: at, Expires: at.Add(time.Minute)}, hasTicket, at.Add(2*time.Minute), keep)
	}
	unused := len(x.unused)
	require.Greater(t, unused, maxUnused)
	gone := x.removable(at.Add(2*time.Minute), keep, n)
	require.Len(t, gone, unused-maxUnused)
	for _, e := range gone {
		require.NotEqual(t, Used, e.state)
		require.NotContains(t, x.byID, e.id)
	}
	require.Equal(t, "apr_00001", gone[0].id)
	require.Len(t, x.removable(at.Add(2*time.Hour), keep, 7), 7)
	x.removable(at.Add(2*time.Hour), keep, 2*n)
	require.Empty(t, x.byID)
	require.Empty(t, x.used)
	require.Empty(t, x.unused)
	require.Empty(t, x.waiting)
}

// Tickets that are answered at once are not pending, and not without end.
func TestAttack_D3_LiveAreBounded(t *testing.T) {
	k, err := NewKey(make([]byte, MinKeyBytes))
	require.NoError(t, err)
	at := time.Unix(1e9, 0)
	b, err := New(new(Memory), k, &Options{Now: func() time.Time { return at }})
	require.NoError(t, err)
	ticket := func(n int, s State) *Ticket {
		return &Ticket{ID: fmt.Sprint("apr_", n), Binding: Binding{Agent: fmt.Sprint(n % 3)}, Created: at, Expires: at.Add(time.Minute), Status: Status{State: s}}
	}
	for n := range maxUnused - 1 {
		b.note(ticket(n, []State{Approved, Denied}[n%2]), hasTicket)
		b.note(ticket(-1-n, Used), hasTicket) // these do not count
	}
	require.NoError(t, b.room(Binding{Agent: "0"}))
	b.note(ticket(maxUnused, Denied), hasTicket)
	require.ErrorIs(t, b.room(Binding{Agent: "0"}), ErrLimit)
	b.note(ticket(0, Used), hasTicket)
	require.NoError(t, b.room(Binding{Agent: "0"}))
	at = at.Add(time.Minute)
	require.NoError(t, b.room(Binding{Agent: "0"}))
	require.Zero(t, b.index.live)
}

// A use is not forgotten while it could be repeated, and what is known does not
// become less.
func TestIndexOnlyGoesUp(t *testing.T) {
	x, at := newIndex(), time.Unix(1e9, 0)
	ticket := func(s State) *Ticket {
		return &Ticket{ID: "apr_1", Created: at, Expires: at.Add(time.Minute), Status: Status{State: s}}
	}
	for _, s := range []State{Approved, Used, Denied, Approved, Pending, Expired} {
		x.note(ticket(s), hasTicket, at, 0)
	}
	require.Equal(t, Used, x.byID["apr_1"].state)
	again := ticket(Approved)
	x.note(again, hasTicket, at, 0)
	require.Equal(t, Used, again.State)
	x.forget("apr_1")
	require.Contains(t, x.byID, "apr_1")
	require.Empty(t, x.find(Binding{}))
	x.advance(at.Add(time.Minute), 0)
	x.forget("apr_1")
	require.Empty(t, x.byID)
	require.Zero(t, x.total)
}

// A file that was sealed with the key, but holds what was not signed for this
// ticket, is no resolution.
func TestSealedIsNotSigned(t *testing.T) {
	k, err := NewKey(make([]byte, MinKeyBytes))
	require.NoError(t, err)
	at := time.Unix(1e9, 0)
	r := Request{Binding: Binding{Agent: "a", Tool: "t", Arguments: Digest{1}, PolicyDigest: "d", PolicyID: "p"}, TTL: time.Hour}
	one, err := newTicket(&r, at)
	require.NoError(t, err)
	two, err := newTicket(&r, at)
	require.NoError(t, err)
	signed, err := k.Sign(*one, Answer{Approve: true, By: "k"}, at)
	require.NoError(t, err)
	entry, err := signed.seal(k)
	require.NoError(t, err)
	_, err = k.openResolution(one, entry)
	require.NoError(t, err)
	signed.TicketID = two.ID
	entry, err = signed.seal(k)
	require.NoError(t, err)
	_, err = k.openResolution(two, entry)
	require.ErrorIs(t, err, ErrForged)
	_, err = k.openResolution(one, k.seal(one.ID+resolutionPart, []byte("{")))
	require.ErrorIs(t, err, ErrForged)
	_, err = k.openTicket(one.ID, k.seal(one.ID+ticketPart, []byte(`{"id":"`+two.ID+`"}`)))
	require.ErrorIs(t, err, ErrForged)
}

// The digest of arguments, which an agent chooses and can see, is no code of a
// file or a resolution.
func TestKeysAreApart(t *testing.T) {
	k, err := NewKey(make([]byte, MinKeyBytes))
	require.NoError(t, err)
	message := []byte("x")
	require.NotEqual(t, sum(k.arguments, message), sum(k.file, message))
	require.NotEqual(t, sum(k.arguments, message), sum(k.resolution, message))
	require.NotEqual(t, sum(k.file, message), sum(k.resolution, message))
}

func TestNames(t *testing.T) {
	id := idPrefix + rules.NewID(time.Unix(1e9, 0)).String()
	require.True(t, isID(id))
	require.Equal(t, time.Unix(1e9, 0), opened(id))
	for name, want := range map[string]parts{".ticket": hasTicket, ".resolution": hasResolution, ".revoked": hasRevoked, ".used": hasUsed, ".done": hasDone} {
		got, part, use, ok := parseName(id + name)
		require.True(t, ok && got == id && part == want && use == 0, name)
	}
	for n, want := range map[string]bool{"1": true, "1000": true, "1001": false, "0": false, "01": false, "+1": false, "-1": false, "": false, "x": false, "99999999999999999999": false} {
		_, _, _, ok := parseName(id + ".use." + n)
		require.Equal(t, want, ok, n)
	}
	for _, bad := range []string{"", id, id + ".", id + ".tickets", id + "ticket", "x" + id + ".ticket", id[:len(id)-1] + ".ticket", id[:len(id)-1] + "g.ticket", id[:len(id)-1] + "A.ticket"} {
		_, _, _, ok := parseName(bad)
		require.False(t, ok, bad)
	}
	require.LessOrEqual(t, len(grantUse(id, MaxGrantTimes)), 64)
	require.LessOrEqual(t, len(id+resolutionPart), 64)
}
