package vetomcp_test

//lint:file-ignore SA1019 What is deprecated is guarded for as long as it works.

import (
	"context"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// TestWhatAServerAsksOfAClient is decided too, where the guard is a receiving
// middleware of the client.
func TestWhatAServerAsksOfAClient(t *testing.T) {
	w := newWorld(t, `policies: [{id: p, agentId: bot, rules: [{type: tool_allowlist, tools: [ask, mcp.elicitation.create]}]}]`)
	g, s := newGuard(t, w, vetomcp.Options{}), newServer()
	var errs []error
	s.AddTool(&mcp.Tool{Name: "ask", InputSchema: open}, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		_, elicits := req.Session.Elicit(ctx, &mcp.ElicitParams{Message: "Your name?"})
		_, samples := req.Session.CreateMessage(ctx, &mcp.CreateMessageParams{MaxTokens: 1, Messages: []*mcp.SamplingMessage{}})
		_, roots := req.Session.ListRoots(ctx, nil)
		errs = []error{elicits, samples, roots}
		return &mcp.CallToolResult{}, req.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "error", Data: "x"})
	})
	u, sampled := &user{action: "accept"}, 0
	c := mcp.NewClient(&mcp.Implementation{Name: "client"}, &mcp.ClientOptions{
		ElicitationHandler: u.client().ElicitationHandler,
		CreateMessageHandler: func(context.Context, *mcp.CreateMessageRequest) (*mcp.CreateMessageResult, error) {
			sampled++
			return &mcp.CreateMessageResult{Content: &mcp.TextContent{}}, nil
		},
	})
	c.AddSendingMiddleware(g.Middleware)
	c.AddReceivingMiddleware(g.Middleware)
	allowed(t, call(t, connectClient(t, s, versions[0], c), "ask", `{}`))
	require.NoError(t, errs[0])
	require.Len(t, u.asked, 1)
	require.ErrorContains(t, errs[1], "This call is not permitted.")
	require.ErrorContains(t, errs[2], "This call is not permitted.")
	require.Zero(t, sampled)
	require.Equal(t, []string{
		"ask: allowed", "mcp.elicitation.create: allowed", "mcp.sampling.createMessage: default_deny", "mcp.roots.list: default_deny",
	}, w.decisions(t))
}
