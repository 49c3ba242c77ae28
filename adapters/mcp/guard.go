package vetomcp

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/guard"
)

// Guard guards the tools of one server, or the calls of one client. The tools
// that it adds and its Middleware know of each other. It is safe for
// concurrent use. A nil Guard denies every call.
type Guard struct {
	auth *veto.Authorizer
	opts Options
	key  []byte

	shapes shapes
	claims claims
}

// New returns a Guard that asks a. opts may be nil; nothing of it is kept but
// its functions. An error says what is wrong with the options. A nil a denies
// every call.
func New(a *veto.Authorizer, opts *Options) (*Guard, error) {
	g := &Guard{auth: a}
	if opts != nil {
		g.opts = *opts
	}
	asks := g.opts.Approver != nil || g.opts.Wait || g.opts.TrustClientUserAsApprover != nil
	if asks && a != nil && a.Approvals() == nil {
		return nil, errors.New("vetomcp: the options ask a human about calls, and the Authorizer has no approvals; set veto.Options.Approvals")
	}
	g.opts.Dispatchers = maps.Clone(g.opts.Dispatchers)
	for name, d := range g.opts.Dispatchers {
		if d.Tool == "" || d.Arguments == "" || d.Tool == d.Arguments {
			return nil, fmt.Errorf("vetomcp: dispatcher %q: say in which parameters it has the name and the arguments of the inner tool", name)
		}
		for other := range g.opts.Dispatchers {
			if other != name && strings.EqualFold(other, name) {
				return nil, fmt.Errorf("vetomcp: dispatchers %q and %q differ in case only", min(name, other), max(name, other))
			}
		}
		d.Undecided = slices.Clone(d.Undecided)
		g.opts.Dispatchers[name] = d
	}
	g.opts.UndecidedMethods = slices.Clone(g.opts.UndecidedMethods)
	if g.key = bytes.Clone(g.opts.StateKey); len(g.key) == 0 {
		g.key = make([]byte, MinStateKeyBytes)
		_, _ = rand.Read(g.key) // it never fails
	}
	if len(g.key) < MinStateKeyBytes {
		return nil, fmt.Errorf("vetomcp: the state key has %d bytes; it must have at least %d", len(g.key), MinStateKeyBytes)
	}
	g.opts.StateKey = nil
	return g, nil
}

var nobody = &Guard{}

func (g *Guard) orNobody() *Guard {
	if g == nil {
		return nobody
	}
	return g
}

// name is the name that policies have for a tool.
func (g *Guard) name(tool string) string {
	if g.opts.Name == nil {
		return tool
	}
	return g.opts.Name(tool)
}

// identity says who calls: by the connection, else the context, else the
// options.
func (g *Guard) identity(ctx context.Context, req mcp.Request) guard.Identity {
	// What the host says of this request comes first: over HTTP the context is
	// that of the request which opened the session, and may be another's.
	var who guard.Identity
	if g.opts.Identity != nil {
		who = g.opts.Identity(ctx, req)
	}
	fill(&who, guard.IdentityOf(ctx))
	fill(&who, guard.Identity{Agent: g.opts.Agent, Project: g.opts.Project, Session: g.opts.Session, User: g.opts.User})
	return who
}

// fill fills in what is empty.
func fill(who *guard.Identity, by guard.Identity) {
	for _, p := range []struct{ to, from *string }{
		{&who.Agent, &by.Agent}, {&who.Project, &by.Project}, {&who.Session, &by.Session}, {&who.User, &by.User}, {&who.CallID, &by.CallID},
	} {
		if *p.to == "" {
			*p.to = *p.from
		}
	}
}
