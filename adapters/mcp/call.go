package vetomcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/guard"
)

// call is one request that is decided.
type call struct {
	g      *Guard
	req    mcp.Request
	who    guard.Identity
	target target
	there  map[string]bool // tickets that were there before; nil: not known

	another bool // the approval is for a call with something else around it

	// run does what is decided on. failed says that it came to nothing,
	// although there is no error.
	run func(ctx context.Context) (failed bool, err error)
}

// begin finds out who calls what. The context that it returns says so too. A
// panic in a function of the host leaves a call that every decision refuses.
func (g *Guard) begin(ctx context.Context, req mcp.Request, tool string, args json.RawMessage) (c *call, in context.Context) {
	c, in = &call{g: g, req: req, target: target{tool: tool, params: notJSON}}, ctx
	defer func() { _ = recover() }()
	c.who = g.identity(ctx, req)
	in = guard.WithIdentity(ctx, c.who)
	c.target = g.target(tool, args)
	return c, in
}

// slip goes with a call that the Middleware has decided, so that the guard of
// the tool does not decide it again.
type slip struct {
	g      *Guard
	who    guard.Identity
	target target
	taken  atomic.Bool
}

type slipKey struct{}

// decided reports whether exactly this call has been decided already, and
// permitted, on its way here. That counts once.
func (c *call) decided(ctx context.Context) bool {
	s, _ := ctx.Value(slipKey{}).(*slip)
	return s != nil && s.g == c.g && s.who == c.who && s.target.is(&c.target) && s.taken.CompareAndSwap(false, true)
}

// withSlip says to those further in that the call has been decided.
func (c *call) withSlip(ctx context.Context) context.Context {
	s := &slip{g: c.g, who: c.who, target: c.target}
	s.target.params = bytes.Clone(c.target.params)
	return context.WithValue(ctx, slipKey{}, s)
}

// errFailed stands for a failure that the result tells.
var errFailed = errors.New("vetomcp: the tool failed")

// attempt decides the call, with these tickets in hand, and runs it.
func (c *call) attempt(ctx context.Context, tickets []string) (blocked *guard.BlockedError, err error) {
	opts := &guard.Options[struct{}]{
		OnBlocked: func(_ context.Context, b *guard.BlockedError) (struct{}, error) {
			blocked = b
			return struct{}{}, b
		},
	}
	if c.g.opts.Values != nil {
		opts.Values = func(ctx context.Context) any { return c.g.opts.Values(ctx, c.req) }
	}
	if len(tickets) > 0 {
		ctx = guard.WithApproval(ctx, tickets...)
	}
	// An error here says what the function answers.
	decide, _ := guard.Wrap(c.g.auth, c.target.tool, func(ctx context.Context, _ json.RawMessage) (struct{}, error) {
		failed, err := c.run(ctx)
		if err == nil && failed {
			err = errFailed
		}
		return struct{}{}, err
	}, opts)
	_, err = decide(ctx, c.target.params)
	switch {
	case blocked != nil:
		return blocked, nil
	case errors.Is(err, errFailed):
		return nil, nil
	default:
		return nil, err
	}
}

// settle makes attempts until the call has run or is blocked for good. ask, if
// not nil, puts a ticket to somebody, and reports whether there is an answer.
// The tickets that it returns are those to make the call with again; none
// where no human is waited for.
func (c *call) settle(ctx context.Context, tickets []string, ask func(ctx context.Context, id string) bool) (blocked *guard.BlockedError, _ []string, err error) {
	c.look(ctx)
	for range 2 * maxTickets { // each is opened, and answered
		blocked, err = c.attempt(ctx, tickets)
		if blocked == nil {
			c.g.claims.drop(tickets)
			return nil, nil, err
		}
		id := blocked.Result.ApprovalID
		if blocked.Result.Outcome != veto.Escalated || id == "" {
			return blocked, nil, nil
		}
		again := slices.Contains(tickets, id)
		if !again {
			if c.another = !c.holds(ctx, id); c.another {
				return blocked, nil, nil
			}
			tickets = append(slices.Clip(tickets), id)
		}
		if len(tickets) > maxTickets {
			return blocked, nil, nil
		}
		switch {
		case again && c.approved(ctx, id):
			return blocked, nil, nil // it does not help
		case !again && c.g.opts.RepeatResumes && c.approved(ctx, id):
		case c.answered(ctx, id):
		case ask != nil && ask(ctx, id):
		default:
			return blocked, tickets, nil
		}
	}
	return blocked, nil, nil
}

func (c *call) approved(ctx context.Context, id string) bool {
	t, err := c.g.auth.Approvals().Get(ctx, id)
	return err == nil && t.State == approval.Approved
}

// answered has the host's human asked about a ticket, or waits for one. It
// reports whether there is an answer.
func (c *call) answered(ctx context.Context, id string) bool {
	book := c.g.auth.Approvals()
	ctx, release := c.g.auth.UntilSuspended(ctx, c.who.Agent)
	defer release()
	var err error
	switch {
	case c.g.opts.Approver != nil:
		_, err = book.Ask(ctx, showing{c.g.opts.Approver, c}, id)
	case c.g.opts.Wait:
		_, err = book.Wait(ctx, id)
	default:
		return false
	}
	return isAnswer(err)
}

// isAnswer reports whether the call should be decided again with a ticket: also
// to say that it was denied, or came too late.
func isAnswer(err error) bool {
	return err == nil || errors.Is(err, approval.ErrDenied) || errors.Is(err, approval.ErrExpired)
}

// pending is what _meta says of a call that waits for a human.
func (c *call) pending(ctx context.Context, tickets []string) map[string]any {
	id := tickets[len(tickets)-1]
	says := map[string]any{"id": id}
	if c.onServer() {
		says["state"] = c.g.sign(tickets, c.who, c.target)
	}
	if t, err := c.g.auth.Approvals().Get(ctx, id); err == nil {
		says["expires"] = t.Expires.UTC().Format(time.RFC3339)
	}
	return says
}

func (c *call) onServer() bool { return isServers(c.req) }

// refused is the result of a tool call that did not run.
func (c *call) refused(b *guard.BlockedError) *mcp.CallToolResult {
	r := &mcp.CallToolResult{}
	if c.another {
		r.Content = []mcp.Content{&mcp.TextContent{Text: b.Error()}, &mcp.TextContent{
			Text: "Another call of that inner tool waits for the same approval, with something else around it. That one can be made again, exactly as it was.",
		}}
	}
	r.SetError(b)
	return r
}

// waits is the result of a tool call that waits for a human.
func (c *call) waits(ctx context.Context, b *guard.BlockedError, tickets []string) *mcp.CallToolResult {
	says := c.pending(ctx, tickets)
	r := &mcp.CallToolResult{
		Meta:    mcp.Meta{MetaKey: says},
		Content: []mcp.Content{&mcp.TextContent{Text: b.Error()}, &mcp.TextContent{Text: fmt.Sprintf("The approval that it waits for is %s.", says["id"])}},
	}
	r.SetError(b)
	return r
}
