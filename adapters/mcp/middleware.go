package vetomcp

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	callTool  = "tools/call"
	listTools = "tools/list"
)

// CodeRefused is the code of the JSON-RPC error of a request, other than a
// tool call, that is not permitted.
const CodeRefused = -32010

// Middleware is a receiving middleware of a server, or a sending middleware of
// a client. Add it before any other: what is added later stands around it, and
// so nothing can change a call between the decision and the handler, and what
// others put into the context, such as an identity, is there.
//
// It decides every tools/call; on a server, a tool that was added by [AddTool]
// or [AddRawTool] is not decided a second time. From tools/list it leaves out
// what the agent can never use, and makes pages of the rest; a client gets all
// on one. What else opens a connection or lists, and
// every notification, passes. Any other method is decided as the call of a
// tool of its own, whose parameters are those of the request: resources/read
// as mcp.resources.read with the parameter uri, prompts/get as
// mcp.prompts.get, and so methods that a program has added; Options.Name
// applies to these names too. Without a policy for them they are refused, as a
// JSON-RPC error with [CodeRefused]; see Options.UndecidedMethods.
func (g *Guard) Middleware(next mcp.MethodHandler) mcp.MethodHandler {
	g = g.orNobody()
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		switch {
		case method == callTool:
			return g.callTool(ctx, req, next)
		case method == listTools:
			return g.list(ctx, req, next)
		case g.passes(method, req):
			return next(ctx, method, req)
		default:
			return g.other(ctx, method, req, next)
		}
	}
}

// passes reports whether a request neither reads nor does anything that a
// policy could be about.
func (g *Guard) passes(method string, req mcp.Request) bool {
	switch method {
	case "initialize", "ping", "server/discover", "logging/setLevel",
		"prompts/list", "resources/list", "resources/templates/list", "resources/unsubscribe":
		return true
	case "subscriptions/listen":
		p, ok := req.GetParams().(*mcp.SubscriptionsListenParams)
		if ok && (p == nil || p.Notifications == nil || len(p.Notifications.ResourceSubscriptions) == 0) {
			return true
		}
	}
	return strings.HasPrefix(method, "notifications/") || slices.Contains(g.opts.UndecidedMethods, method)
}

var errRequest = errors.New("vetomcp: a tool call without the parameters of one")

// callTool decides a tool call, on its way in or out.
func (g *Guard) callTool(ctx context.Context, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	if r, ok := req.(*mcp.CallToolRequest); ok && r.Params != nil {
		return g.receive(ctx, r, next)
	}
	if req == nil {
		return nil, errRequest
	}
	// The SDK has several types for the requests of clients.
	s, isClient := req.GetSession().(*mcp.ClientSession)
	p, isCall := req.GetParams().(*mcp.CallToolParams)
	if !isClient || !isCall || p == nil {
		return nil, errRequest
	}
	return g.send(ctx, s, req, p, next)
}

// receive decides a tool call that came to a server.
func (g *Guard) receive(ctx context.Context, req *mcp.CallToolRequest, next mcp.MethodHandler) (mcp.Result, error) {
	t, shape, err := g.toolOf(ctx, req, next)
	if err != nil {
		return nil, err
	}
	args := frozen(req.Params.Arguments, shape)
	c, ctx := g.begin(ctx, req, req.Params.Name, args)
	if t != nil && !isOwn(t) && lossy(args) {
		c.target.params = notJSON // the SDK would give the handler another number
	}
	h := func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		res, err := next(c.withSlip(ctx), callTool, req)
		r, _ := res.(*mcp.CallToolResult)
		if r == nil && err == nil {
			err = errRequest
		}
		return r, err
	}
	var r *mcp.CallToolResult
	if c.decided(ctx) { // the middleware is there twice
		r, err = h(ctx, with(req, args, nil))
	} else {
		r, err = c.tool(ctx, req, args, h)
	}
	if r == nil {
		return nil, err
	}
	return r, err
}

// other decides a request that is no tool call.
func (g *Guard) other(ctx context.Context, method string, req mcp.Request, next mcp.MethodHandler) (res mcp.Result, err error) {
	c, ctx := g.begin(ctx, req, "mcp."+strings.ReplaceAll(method, "/", "."), parametersOf(req))
	c.run = func(ctx context.Context) (bool, error) {
		if res, err = next(ctx, method, req); err == nil {
			res = ofOneAgent(req, res)
		}
		return false, err
	}
	var tickets []string
	if c.onServer() {
		state, _ := metaOf(req)[MetaKey].(string)
		tickets = c.verified(state)
	}
	blocked, waiting, err := c.settle(ctx, tickets, nil)
	switch {
	case blocked == nil:
		return res, err
	case !c.onServer():
		return nil, blocked
	}
	e := &jsonrpc.Error{Code: CodeRefused, Message: blocked.Error()}
	if waiting != nil {
		e.Data, _ = json.Marshal(map[string]any{MetaKey: c.pending(ctx, waiting)})
	}
	return nil, e
}

func metaOf(req mcp.Request) (meta map[string]any) {
	defer func() { _ = recover() }() // a nil pointer
	if p := req.GetParams(); p != nil {
		meta = p.GetMeta()
	}
	return meta
}

// parametersOf is a request as a policy sees it: without what the protocol
// itself puts in.
func parametersOf(req mcp.Request) (raw json.RawMessage) {
	defer func() {
		if recover() != nil {
			raw = notJSON
		}
	}()
	data, err := json.Marshal(req.GetParams())
	if err != nil {
		return notJSON
	}
	if none(data) {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(data, &all) != nil {
		return notJSON
	}
	for _, name := range []string{"_meta", "inputResponses", "requestState"} {
		delete(all, name)
	}
	if raw, err = json.Marshal(all); err != nil {
		return notJSON
	}
	return raw
}
