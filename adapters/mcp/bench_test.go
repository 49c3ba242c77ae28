package vetomcp_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// BenchmarkCall compares one call over an in-memory connection, of a server
// with a hundred tools.
func BenchmarkCall(b *testing.B) {
	none := func(context.Context, *mcp.CallToolRequest, sendArgs) (*mcp.CallToolResult, any, error) {
		return nil, nil, nil
	}
	for _, how := range []string{"unguarded", "tool", "middleware", "both"} {
		b.Run(how, func(b *testing.B) {
			w, s := newWorld(b, policies), newServer()
			g := newGuard(b, w, vetomcp.Options{})
			for i := range 100 {
				mcp.AddTool(s, &mcp.Tool{Name: fmt.Sprint("other", i)}, none)
			}
			if how == "unguarded" || how == "middleware" {
				mcp.AddTool(s, &mcp.Tool{Name: "send"}, none)
			} else {
				require.NoError(b, vetomcp.AddTool(s, g, &mcp.Tool{Name: "send"}, none))
			}
			if how == "middleware" || how == "both" {
				s.AddReceivingMiddleware(g.Middleware)
			}
			cs := connect(b, s, versions[1], nil)
			p := &mcp.CallToolParams{Name: "send", Arguments: raw(`{"to":"ann@example.com","copies":2}`)}
			b.ReportAllocs()
			for b.Loop() {
				if r, err := cs.CallTool(b.Context(), p); err != nil || r.IsError {
					b.Fatal(r, err)
				}
			}
		})
	}
}
