package vetomcp

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// tool decides a tool call that came to this server, and has h run it on args.
func (c *call) tool(ctx context.Context, req *mcp.CallToolRequest, args json.RawMessage, h mcp.ToolHandler) (res *mcp.CallToolResult, err error) {
	tickets := c.presented(req.Params)
	clean := with(req, args, tickets)
	c.run = func(ctx context.Context) (failed bool, err error) {
		res, err = h(ctx, clean)
		return res != nil && (res.IsError || res.InputRequests != nil), err
	}
	e := c.elicitation(ctx, req, clean)
	e.heed(ctx, tickets)
	blocked, waiting, err := c.settle(ctx, tickets, e.ask)
	switch {
	case blocked == nil:
		return res, err
	case waiting == nil:
		return c.refused(blocked), nil
	case e.later != nil:
		return c.asks(e.later, waiting), nil
	default:
		return c.waits(ctx, blocked, waiting), nil
	}
}

// presented are the approvals that the caller has a state for.
func (c *call) presented(p *mcp.CallToolParamsRaw) []string {
	if ids := c.verified(p.RequestState); ids != nil {
		return ids
	}
	state, _ := p.Meta[MetaKey].(string)
	return c.verified(state)
}

// with is the request as its handler should see it: with the arguments that
// were decided on, and without what was meant for the guard.
func with(req *mcp.CallToolRequest, args json.RawMessage, tickets []string) *mcp.CallToolRequest {
	p := *req.Params
	p.Arguments = args
	if strings.HasPrefix(p.RequestState, statePrefix) {
		p.RequestState = ""
	}
	if _, ok := p.Meta[MetaKey]; ok {
		p.Meta = maps.Clone(p.Meta)
		delete(p.Meta, MetaKey)
	}
	if len(tickets) > 0 && p.InputResponses != nil {
		p.InputResponses = maps.Clone(p.InputResponses)
		for _, id := range tickets {
			delete(p.InputResponses, id)
		}
		if len(p.InputResponses) == 0 {
			p.InputResponses = nil
		}
	}
	return &mcp.CallToolRequest{Session: req.Session, Params: &p, Extra: req.Extra}
}
