package vetomcp

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// send decides a tool call that a client is about to send.
func (g *Guard) send(ctx context.Context, s *mcp.ClientSession, req mcp.Request, params *mcp.CallToolParams, next mcp.MethodHandler) (mcp.Result, error) {
	args := encoded(params.Arguments)
	c, ctx := g.begin(ctx, req, params.Name, args)
	var res mcp.Result
	c.run = func(ctx context.Context) (failed bool, err error) {
		p := *params
		p.Arguments = nil
		if !none(args) {
			p.Arguments = args
		}
		res, err = next(ctx, callTool, &mcp.ClientRequest[mcp.Params]{Session: s, Params: &p})
		r, _ := res.(*mcp.CallToolResult)
		return r != nil && (r.IsError || r.InputRequests != nil), err
	}
	blocked, waiting, err := c.settle(ctx, nil, nil)
	switch {
	case blocked == nil:
		return res, err
	case waiting == nil:
		return c.refused(blocked), nil
	default:
		return c.waits(ctx, blocked, waiting), nil
	}
}

// encoded is the JSON of arguments, which nobody changes any more.
func encoded(arguments any) (raw json.RawMessage) {
	defer func() {
		if recover() != nil {
			raw = notJSON
		}
	}()
	switch a := arguments.(type) {
	case nil:
		return nil
	case json.RawMessage:
		return bytes.Clone(a)
	}
	raw, err := json.Marshal(arguments)
	if err != nil {
		return notJSON
	}
	return raw
}
