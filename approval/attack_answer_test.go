package approval_test

import (
	"encoding/json"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

// An answer is somebody's: a name that shows nothing is none, and one that
// differs from the agent's in nothing that can be seen is the agent's.
func TestAttack_E4_NamesThatShowNothing(t *testing.T) {
	b, _ := newBook(t)
	ticket := open(t, b, 1) // of the agent "bot"
	for _, name := range []string{
		" ", "\u00a0", "\u200b", "\u3164", "\u034f", "\ufe0f", // nobody
		"bot\ufe0f", "b\u034fot", "bo\u180bt", "\u115fbot", "bot\u3164", "\U000e0100bot", "bot\u2800", // the agent
		"b\u00ado\u2060T", "\u202ebot", "B o t",
	} {
		require.ErrorIs(t, b.Answer(ctx, ticket.ID, approval.Answer{Approve: true, By: name}), approval.ErrInvalid, "%q", name)
	}
	require.NoError(t, b.Answer(ctx, ticket.ID, approval.Answer{Approve: true, By: "Robot"}))
}

// A signed denial that comes when the call has run, or when it would be too
// late for it, still ends the grant that the approval brought.
func TestAttack_E2_DenialAfterUseEndsTheGrant(t *testing.T) {
	k := newKey(t)
	for name, c := range map[string]struct {
		before func(b *approval.Book, c *clock, id string)
		want   error
	}{
		"used":    {func(b *approval.Book, _ *clock, id string) { require.NoError(t, b.Use(ctx, id, binding(1))) }, approval.ErrUsed},
		"expired": {func(_ *approval.Book, c *clock, _ string) { c.add(time.Hour) }, nil},
	} {
		b, clock := newBook(t)
		g := simple(3)
		g.Until = start.Add(20 * time.Hour)
		ticket := grant(t, b, 1, g)
		denial, err := k.Sign(ticket, approval.Answer{By: "tom"}, start.Add(time.Second))
		require.NoError(t, err)
		clock.add(time.Second)
		c.before(b, clock, ticket.ID)
		require.NoError(t, b.UseGrant(ctx, ticket.ID, binding(2)), name)
		err = b.Resolve(ctx, denial)
		if c.want == nil {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, c.want, name)
		}
		require.ErrorIs(t, b.UseGrant(ctx, ticket.ID, binding(2)), approval.ErrDenied, name)
		live, err := b.Grants(ctx, binding(2))
		require.NoError(t, err)
		require.Empty(t, live, name)
	}
}

// The model writes the arguments, and a human reads them: nothing in them
// moves a cursor, hides, or turns around what is read.
func TestAttack_E1_ParametersShowWhatTheyAre(t *testing.T) {
	b, _ := newBook(t)
	evil := "a\u009b2K\u007f\u202eb\u200b\u2066c\ufeff\u0085\U000e0041\u00a0d\u3164e"
	text, err := json.Marshal(map[string]string{"to": evil, "né\u202e": "ünïcode 漢字 😀"})
	require.NoError(t, err)
	r := request(1)
	r.Parameters = text
	ticket, err := b.Open(ctx, r)
	require.NoError(t, err)
	for _, c := range string(ticket.Parameters) {
		require.True(t, unicode.IsPrint(c), "%U in %s", c, ticket.Parameters)
	}
	require.Contains(t, string(ticket.Parameters), "ünïcode 漢字 😀")
	require.JSONEq(t, string(text), string(ticket.Parameters)) // it says the same

	// It is the same to a signature when it comes back as JSON.
	sent, err := json.Marshal(ticket)
	require.NoError(t, err)
	var got approval.Ticket
	require.NoError(t, json.Unmarshal(sent, &got))
	answer, err := newKey(t).Sign(got, yes, start)
	require.NoError(t, err)
	require.NoError(t, b.Resolve(ctx, answer))
}

// A resolution is for one ticket: signed over everything that the human saw,
// it is worth nothing for a ticket that differs in anything.
func TestAttack_E2_ResolutionOfAnother(t *testing.T) {
	b, c := newBook(t)
	k := newKey(t)
	first := open(t, b, 1)
	r, err := k.Sign(first, yes, start)
	require.NoError(t, err)
	c.add(time.Hour)
	second := open(t, b, 1) // the same call, later
	r.TicketID = second.ID
	require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrForged)
	for name, change := range map[string]func(t *approval.Ticket){
		"id":         func(t *approval.Ticket) { t.ID = first.ID },
		"created":    func(t *approval.Ticket) { t.Created = t.Created.Add(time.Millisecond) },
		"expires":    func(t *approval.Ticket) { t.Expires = t.Expires.Add(time.Millisecond) },
		"message":    func(t *approval.Ticket) { t.Message += "." },
		"parameters": func(t *approval.Ticket) { t.Parameters = json.RawMessage(`{}`) },
		"rule":       func(t *approval.Ticket) { t.RuleID = "other" },
		"digest":     func(t *approval.Ticket) { t.Arguments[0]++ },
	} {
		shown := second
		change(&shown) // by who carries the ticket to the human
		r, err := k.Sign(shown, yes, c.now())
		require.NoError(t, err, name)
		r.TicketID = second.ID
		require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrForged, name)
	}
	require.Equal(t, approval.Pending, state(t, b, second.ID))
}

// Who can delete and has kept copies brings no approval back in a process that
// knows of its end: not what was taken back, not what was denied, not a grant.
func TestAttack_E3a_TakenBackStaysSo(t *testing.T) {
	for name, end := range map[string]func(b *approval.Book, id string) error{
		"revoked": func(b *approval.Book, id string) error { return b.Revoke(ctx, id) },
		"denied":  func(b *approval.Book, id string) error { return b.Answer(ctx, id, approval.Answer{By: "tom"}) },
	} {
		for _, lost := range []bool{false, true} { // the whole ticket, for a while
			store := new(approval.Memory)
			first, c := newBook(t, store)
			id := grant(t, first, 1, simple(3)).ID
			kept := map[string][]byte{}
			for _, part := range []string{".ticket", ".resolution"} {
				kept[id+part] = read(t, store, id+part)
			}
			require.NoError(t, end(first, id))
			for _, b := range []*approval.Book{first, bookAt(t, c, store)} { // also one that never saw it live
				removed := []string{id + ".revoked"}
				if lost {
					removed = append(removed, id+".ticket", id+".resolution")
				}
				for _, n := range removed {
					require.NoError(t, store.Remove(ctx, n))
				}
				_, err := b.List(ctx)
				require.NoError(t, err)
				for n, data := range kept {
					replace(t, store, n, data)
				}
				require.ErrorIs(t, b.Use(ctx, id, binding(1)), approval.ErrDenied, "%s %v", name, lost)
				require.Error(t, b.UseGrant(ctx, id, binding(2)), "%s %v", name, lost)
				live, err := b.Grants(ctx, binding(2))
				require.NoError(t, err)
				require.Empty(t, live)
				require.NoError(t, store.Create(ctx, id+".revoked", nil))
			}
		}
	}
}
