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

// toolOf looks up the tool that is called, and its input schema. The SDK fills
// in defaults by that one, and so it must be the one which the server has now.
// The tool is nil where there is none of that name, which the SDK says then.
func (g *Guard) toolOf(ctx context.Context, req *mcp.CallToolRequest, next mcp.MethodHandler) (found *mcp.Tool, shape *schema, err error) {
	err = eachPage(&mcp.ListToolsParams{}, func(p *mcp.ListToolsParams) (*mcp.ListToolsResult, error) {
		return listed(next(ctx, listTools, &mcp.ListToolsRequest{Session: req.Session, Params: p, Extra: req.Extra}))
	}, func(page *mcp.ListToolsResult) (more bool) {
		for _, t := range page.Tools {
			if t != nil && t.Name == req.Params.Name {
				found = t
				return false
			}
		}
		return true
	})
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("vetomcp: the tools cannot be listed: %w", err)
	case found == nil:
		return nil, &schema{}, nil
	}
	if own, ok := found.InputSchema.(*ownSchema); ok {
		return found, own.shape, nil
	}
	shape, err = g.shapes.of(found)
	return found, shape, err
}
