package vetomcp

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/evaluator"
)

// filtered is a list of tools without those that the agent can never use.
func (g *Guard) filtered(ctx context.Context, req mcp.Request, res mcp.Result) mcp.Result {
	all, ok := res.(*mcp.ListToolsResult)
	if !ok || all == nil || g.opts.ListAllTools {
		return res
	}
	some := *all
	some.CacheScope = "private" // it is of one agent
	some.Tools = []*mcp.Tool{}
	for i, use := range g.usable(ctx, req, all.Tools) {
		if use {
			some.Tools = append(some.Tools, all.Tools[i])
		}
	}
	return &some
}

// usable says of each tool whether the agent may see it.
func (g *Guard) usable(ctx context.Context, req mcp.Request, tools []*mcp.Tool) (use []bool) {
	use = make([]bool, len(tools))
	defer func() {
		if recover() != nil { // in a function of the host
			clear(use)
		}
	}()
	who := g.identity(ctx, req)
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = g.name(t.Name)
	}
	access := g.auth.ToolsFor(ctx, veto.Call{AgentID: who.Agent, Project: who.Project, Session: who.Session, User: who.User}, names)
	for i, t := range tools {
		_, inner := g.dispatcher(t.Name) // what it can do is that of its inner tools
		use[i] = inner || access[i].Access != evaluator.Never
	}
	return use
}

// maxPages bounds a list that does not end.
const maxPages = 10_000

// shapes are the input schemas of tools that a guard has seen.
type shapes struct {
	known sync.Map // *mcp.Tool to *schema
	n     atomic.Int32
}

// maxShapes bounds what is kept of tools that come and go.
const maxShapes = 4096

func (s *shapes) of(t *mcp.Tool) (*schema, error) {
	if known, ok := s.known.Load(t); ok {
		return known.(*schema), nil
	}
	shape, err := schemaOf(t.InputSchema)
	if err == nil && s.n.Load() < maxShapes {
		s.n.Add(1)
		s.known.Store(t, shape)
	}
	return shape, err
}

// shapeOf looks up the input schema of the tool that is called. The SDK fills
// in defaults by that one, and so it must be the one which the server has now.
func (g *Guard) shapeOf(ctx context.Context, req *mcp.CallToolRequest, next mcp.MethodHandler) (*schema, error) {
	params := &mcp.ListToolsParams{}
	for range maxPages {
		res, err := next(ctx, listTools, &mcp.ListToolsRequest{Session: req.Session, Params: params, Extra: req.Extra})
		if err != nil {
			return nil, fmt.Errorf("vetomcp: the tools cannot be listed: %w", err)
		}
		page, ok := res.(*mcp.ListToolsResult)
		if !ok {
			break
		}
		for _, t := range page.Tools {
			if t.Name == req.Params.Name {
				return g.shapes.of(t)
			}
		}
		if page.NextCursor == "" {
			return &schema{}, nil // the SDK says that there is no such tool
		}
		params = &mcp.ListToolsParams{Cursor: page.NextCursor}
	}
	return nil, errRequest
}
