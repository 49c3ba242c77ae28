package approval_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/rules"
)

// A resolution can be made elsewhere, from a ticket that was sent as JSON, and
// be sent back as JSON.
func TestResolutionTravels(t *testing.T) {
	b, c := newBook(t)
	text, err := json.Marshal(open(t, b, 1))
	require.NoError(t, err)
	var there approval.Ticket
	require.NoError(t, json.Unmarshal(text, &there))
	a := approval.Answer{Approve: true, By: "klara", Grant: fullGrant()}
	r, err := newKey(t).Sign(there, a, start.Add(time.Second))
	require.NoError(t, err)
	text, err = json.MarshalIndent(r, "", " ")
	require.NoError(t, err)
	var back approval.Resolution
	require.NoError(t, json.Unmarshal(text, &back))
	c.add(2 * time.Second)
	require.NoError(t, b.Resolve(ctx, back))
	got, err := b.Get(ctx, there.ID)
	require.NoError(t, err)
	require.Equal(t, approval.Approved, got.State)
	require.Equal(t, fullGrant(), got.Grant)
}

// A resolution is for one ticket as it is: every part of the ticket and of the
// answer is signed.
func TestResolutionBinds(t *testing.T) {
	b, _ := newBook(t)
	k := newKey(t)
	ticket := open(t, b, 1)
	answer := approval.Answer{Approve: true, By: "klara", Grant: fullGrant()}
	for name, change := range changes {
		other := ticket
		change(&other.Binding)
		r, err := k.Sign(other, answer, start)
		require.NoError(t, err)
		require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrForged, name)
	}
	for name, change := range map[string]func(t *approval.Ticket){
		"created":    func(t *approval.Ticket) { t.Created = t.Created.Add(time.Millisecond) },
		"expires":    func(t *approval.Ticket) { t.Expires = t.Expires.Add(time.Millisecond) },
		"message":    func(t *approval.Ticket) { t.Message = "" },
		"parameters": func(t *approval.Ticket) { t.Parameters = json.RawMessage(`{"order":2}`) },
	} {
		other := ticket
		change(&other)
		r, err := k.Sign(other, answer, start)
		require.NoError(t, err)
		require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrForged, name)
	}
	for name, change := range map[string]func(r *approval.Resolution){
		"approve":     func(r *approval.Resolution) { r.Approve, r.Grant = false, nil },
		"by":          func(r *approval.Resolution) { r.By = "tom" },
		"at":          func(r *approval.Resolution) { r.At = r.At.Add(time.Millisecond) },
		"no grant":    func(r *approval.Resolution) { r.Grant = nil },
		"until":       func(r *approval.Resolution) { r.Grant.Until = r.Grant.Until.Add(time.Millisecond) },
		"times":       func(r *approval.Resolution) { r.Grant.Times++ },
		"session":     func(r *approval.Resolution) { r.Grant.AnySession = false },
		"constraint":  func(r *approval.Resolution) { r.Grant.Parameters["path"] = rules.Constraint{} },
		"one less":    func(r *approval.Resolution) { delete(r.Grant.Parameters, "path") },
		"none at all": func(r *approval.Resolution) { r.Grant.Parameters = nil },
		"ticket":      func(r *approval.Resolution) { r.TicketID = open(t, b, 2).ID },
		"mac":         func(r *approval.Resolution) { r.MAC[0]++ },
		"short mac":   func(r *approval.Resolution) { r.MAC = r.MAC[:31] },
		"no mac":      func(r *approval.Resolution) { r.MAC = nil },
	} {
		r, err := k.Sign(ticket, approval.Answer{Approve: true, By: "klara", Grant: fullGrant()}, start)
		require.NoError(t, err)
		change(&r)
		require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrForged, name)
	}
	require.Equal(t, approval.Pending, state(t, b, ticket.ID))
}

func TestAnswerBounds(t *testing.T) {
	b, _ := newBook(t)
	ticket := open(t, b, 1)
	k := newKey(t)
	at := ticket.Created
	ok := func(a approval.Answer, at time.Time) {
		t.Helper()
		_, err := k.Sign(ticket, a, at)
		require.NoError(t, err)
	}
	bad := func(want error, a approval.Answer, at time.Time) {
		t.Helper()
		_, err := k.Sign(ticket, a, at)
		require.ErrorIs(t, err, want)
	}
	by := func(name string) approval.Answer { return approval.Answer{Approve: true, By: name} }
	ok(by(strings.Repeat("x", 255)), at)
	bad(approval.ErrInvalid, by(strings.Repeat("x", 256)), at)
	bad(approval.ErrInvalid, by(""), at)
	bad(approval.ErrInvalid, by("a\nb"), at)
	bad(approval.ErrInvalid, by("\xff"), at)
	bad(approval.ErrInvalid, approval.Answer{}, at)
	ok(by("ann"), at) // the user for whom the agent acts is no agent

	ok(yes, ticket.Expires.Add(-time.Millisecond))
	bad(approval.ErrExpired, yes, ticket.Expires)
	ok(yes, at.Add(-time.Minute))
	bad(approval.ErrExpired, yes, at.Add(-time.Minute-time.Millisecond))

	grant := func(change func(g *approval.Grant)) approval.Answer {
		g := &approval.Grant{Until: at.Add(time.Hour), Times: 1}
		change(g)
		return approval.Answer{Approve: true, By: "klara", Grant: g}
	}
	times := func(n int) func(g *approval.Grant) { return func(g *approval.Grant) { g.Times = n } }
	until := func(d time.Duration) func(g *approval.Grant) {
		return func(g *approval.Grant) { g.Until = at.Add(d) }
	}
	ok(grant(times(1000)), at)
	bad(approval.ErrInvalid, grant(times(1001)), at)
	bad(approval.ErrInvalid, grant(times(0)), at)
	bad(approval.ErrInvalid, grant(times(-1)), at)
	ok(grant(until(24*time.Hour)), at)
	bad(approval.ErrInvalid, grant(until(24*time.Hour+time.Millisecond)), at)
	ok(grant(until(time.Millisecond)), at)
	bad(approval.ErrInvalid, grant(until(0)), at)
	bad(approval.ErrInvalid, approval.Answer{By: "klara", Grant: &approval.Grant{Until: at.Add(time.Hour), Times: 1}}, at)

	parameters := func(n int, c rules.Constraint) approval.Answer {
		return grant(func(g *approval.Grant) {
			g.Parameters = make(map[string]rules.Constraint)
			for i := range n {
				g.Parameters[strings.Repeat("p", i+1)] = c
			}
		})
	}
	ok(parameters(64, rules.Constraint{}), at)
	bad(approval.ErrInvalid, parameters(65, rules.Constraint{}), at)
	bad(approval.ErrInvalid, parameters(1, rules.Constraint{Type: "text"}), at)
	bad(approval.ErrInvalid, parameters(1, rules.Constraint{InList: "staff"}), at)
	bad(approval.ErrInvalid, parameters(1, rules.Constraint{Expression: "value < 3"}), at)
	long := strings.Repeat("x", 4000)
	ok(parameters(15, rules.Constraint{Enum: []rules.Scalar{{Value: long}}}), at)
	bad(approval.ErrInvalid, parameters(17, rules.Constraint{Enum: []rules.Scalar{{Value: long}}}), at)
}

// The agent cannot be the approver, nor somebody who looks like it.
func TestAttack_E4_AgentApprovesItself(t *testing.T) {
	b, _ := newBook(t)
	r := request(1)
	r.Binding.Agent = "Kassen-bot"
	ticket, err := b.Open(ctx, r)
	require.NoError(t, err)
	for _, name := range []string{"Kassen-bot", "kassen-BOT", "\u212Aassen-bot", "Ka\u017F\u017Fen-bot", " Kassen-bot", "Kassen-bot\u00a0", "Kas\u200bsen-bot"} {
		for _, approve := range []bool{true, false} {
			require.ErrorIs(t, b.Answer(ctx, ticket.ID, approval.Answer{Approve: approve, By: name}), approval.ErrInvalid, "%q", name)
		}
	}
	require.Equal(t, approval.Pending, state(t, b, ticket.ID))
}

// The first answer stands; the same can come again; a denial can follow an
// approval, but not the other way round.
func TestAnswersFollow(t *testing.T) {
	b, c := newBook(t)
	k := newKey(t)
	no := approval.Answer{By: "tom"}

	ticket := open(t, b, 1)
	r, err := k.Sign(ticket, yes, start)
	require.NoError(t, err)
	require.NoError(t, b.Resolve(ctx, r))
	require.NoError(t, b.Resolve(ctx, r))
	c.add(time.Second)
	require.NoError(t, b.Answer(ctx, ticket.ID, approval.Answer{Approve: true, By: "tom"}))
	got, err := b.Get(ctx, ticket.ID)
	require.NoError(t, err)
	require.Equal(t, "klara", got.By)
	require.ErrorIs(t, b.Answer(ctx, ticket.ID, approval.Answer{Approve: true, By: "klara", Grant: fullGrant()}), approval.ErrMismatch)
	require.NoError(t, b.Answer(ctx, ticket.ID, no))
	require.ErrorIs(t, b.Use(ctx, ticket.ID, binding(1)), approval.ErrDenied)
	require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrDenied)
	require.NoError(t, b.Answer(ctx, ticket.ID, no))
	require.Equal(t, approval.Denied, state(t, b, ticket.ID))

	ticket = open(t, b, 2)
	require.NoError(t, b.Answer(ctx, ticket.ID, no))
	require.NoError(t, b.Answer(ctx, ticket.ID, no))
	require.ErrorIs(t, b.Answer(ctx, ticket.ID, yes), approval.ErrDenied)
	require.Equal(t, approval.Denied, state(t, b, ticket.ID))

	ticket = approved(t, b, 3)
	require.NoError(t, b.Use(ctx, ticket.ID, binding(3)))
	require.ErrorIs(t, b.Answer(ctx, ticket.ID, no), approval.ErrUsed)
	require.ErrorIs(t, b.Answer(ctx, ticket.ID, yes), approval.ErrUsed)
	require.ErrorIs(t, b.Revoke(ctx, ticket.ID), approval.ErrUsed)

	ticket = open(t, b, 4)
	r, err = k.Sign(ticket, yes, start.Add(62*time.Second))
	require.NoError(t, err)
	require.ErrorIs(t, b.Resolve(ctx, r), approval.ErrInvalid) // from the future
	require.NoError(t, b.Revoke(ctx, ticket.ID))
	require.NoError(t, b.Revoke(ctx, ticket.ID))
	require.Equal(t, approval.Denied, state(t, b, ticket.ID))

	for _, id := range []string{"", "apr_", ticket.ID + "x", ticket.ID[:39] + "/", "../" + ticket.ID[3:], strings.ToUpper(ticket.ID), "apr_00000000-0000-7000-8000-000000000000"} {
		_, err := b.Get(ctx, id)
		require.ErrorIs(t, err, approval.ErrNotFound, id)
		require.ErrorIs(t, b.Resolve(ctx, approval.Resolution{TicketID: id}), approval.ErrNotFound)
		require.ErrorIs(t, b.Revoke(ctx, id), approval.ErrNotFound)
		require.ErrorIs(t, b.Use(ctx, id, binding(1)), approval.ErrNotFound)
	}
}
