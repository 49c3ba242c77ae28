package vetomcp

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/internal/visible"
)

// layer is a dispatcher around the tool that is decided.
type layer struct {
	Tool      string                     `json:"tool"`
	Undecided map[string]json.RawMessage `json:"undecided,omitempty"`
}

// digest is a form of everything around a call that nothing decides on, "" for
// nothing. It goes by the text of each parameter: where two readers could take
// one text for two things, these are not two texts.
func digest(around []layer) (outer string, ok bool) {
	if len(around) == 0 {
		return "", true
	}
	text, err := json.Marshal(around)
	sum := sha256.Sum256(text)
	return string(sum[:]), err == nil
}

// maxShown is how many bytes of undecided parameters a human gets to see.
const maxShown = 4 << 10

// through says to a human what is around the call, "" where nothing is.
func through(around []layer) string {
	if len(around) == 0 {
		return ""
	}
	said := make([]string, len(around))
	for i, l := range around {
		said[i] = fmt.Sprintf("%q", l.Tool)
		if len(l.Undecided) == 0 {
			continue
		}
		text, _ := json.Marshal(l.Undecided) // as it was for the digest
		if len(text) <= maxShown {
			said[i] += " with " + string(visible.Escape(text))
		} else {
			said[i] += fmt.Sprintf(" with parameters of %d bytes, SHA-256 %x", len(text), sha256.Sum256(text))
		}
	}
	return "It is called through " + strings.Join(said, ", ") + "."
}

// claims say for which outer call a ticket was opened: the ticket is bound to
// the inner one only, and the same for all that come to it. There is nothing
// in it for a guard without dispatchers.
type claims struct {
	mu sync.Mutex
	of map[string]claim // by the ids of tickets
}

type claim struct {
	outer string
	until time.Time
}

// maxClaims bounds the claims; what is used up is dropped, and what is past.
const maxClaims = 4096

// hold reports whether a ticket is for a call with this around it. sure says
// that it was opened for it, if it is not known that it was for another. A
// call with nothing around it is all that the human has seen, so it may have a
// ticket that some other process has opened.
func (c *claims) hold(id, outer string, until time.Time, sure bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.of[id]; ok {
		return known.outer == outer
	}
	if len(c.of) >= maxClaims {
		now := time.Now()
		for id, known := range c.of {
			if known.until.Before(now) {
				delete(c.of, id)
			}
		}
	}
	if !sure || len(c.of) >= maxClaims {
		return outer == ""
	}
	if c.of == nil {
		c.of = make(map[string]claim)
	}
	c.of[id] = claim{outer, until}
	return true
}

func (c *claims) drop(ids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		delete(c.of, id)
	}
}

// look notes which tickets are there before the call is decided, if it has
// something around it and a human is to be asked: none of them is for it, as
// far as this process knows.
func (c *call) look(ctx context.Context) {
	book := c.g.auth.Approvals()
	if c.target.outer == "" || book == nil {
		return
	}
	defer func() { _ = recover() }() // of a function of the host; then none is new
	proposed := veto.Call{
		AgentID: c.who.Agent, Project: c.who.Project, Session: c.who.Session, User: c.who.User, CallID: c.who.CallID,
		Tool: c.target.tool, Parameters: c.target.params,
	}
	if c.g.opts.Values != nil {
		proposed.Context = c.g.opts.Values(ctx, c.req)
	}
	if c.g.auth.Explain(ctx, proposed, nil).Result.Outcome != veto.Escalated {
		return
	}
	there := make(map[string]bool)
	all, _ := book.List(ctx, approval.Pending, approval.Approved) // the error is of entries that are none
	for i := range all {
		there[all[i].ID] = true
	}
	c.there = there
}

// holds reports whether the ticket that the call waits for is for this call
// with what is around it.
func (c *call) holds(ctx context.Context, id string) bool {
	if len(c.g.opts.Dispatchers) == 0 {
		return true
	}
	t, err := c.g.auth.Approvals().Get(ctx, id)
	if err != nil {
		return c.target.outer == ""
	}
	isNew := c.there != nil && !c.there[id] && t.State == approval.Pending
	return c.g.claims.hold(id, c.target.outer, t.Expires, isNew)
}

// verified are the tickets of a state that was signed for this call.
func (c *call) verified(state string) []string {
	ids := c.g.verify(state, c.who, c.target)
	if len(c.g.opts.Dispatchers) == 0 {
		return ids
	}
	for _, id := range ids {
		if !c.g.claims.hold(id, c.target.outer, time.Now().Add(approval.MaxTTL), true) {
			return nil
		}
	}
	return ids
}

// shown is a ticket with what is around its call.
func (c *call) shown(t approval.Ticket) approval.Ticket {
	t.Message = strings.TrimSpace(t.Message + " " + c.target.around)
	return t
}

// showing is an approver that sees that too.
type showing struct {
	approval.Approver
	c *call
}

func (s showing) Ask(ctx context.Context, t approval.Ticket) (approval.Answer, error) {
	return s.Approver.Ask(ctx, s.c.shown(t))
}
