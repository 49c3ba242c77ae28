package vetomcp_test

import (
	"context"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// B3: what is known of a guarded tool is not taken for another of its name,
// whose numbers the SDK rounds.
func TestAttack_B3_ANumberForAToolThatCameLater(t *testing.T) {
	const document = `policies: [{id: p, agentId: bot, rules: [{type: parameter_constraint, tools: [send], parameters: {copies: {notEnum: [9007199254740992]}}}]}]`
	const args = `{"copies":9007199254740993}`
	typed := func(got *[]int64) mcp.ToolHandlerFor[sendArgs, any] {
		return func(_ context.Context, _ *mcp.CallToolRequest, in sendArgs) (*mcp.CallToolResult, any, error) {
			*got = append(*got, in.Copies)
			return nil, nil, nil
		}
	}
	for _, how := range []string{"raw", "typed", "of another guard", "on another server"} {
		t.Run(how, func(t *testing.T) {
			w, s := newWorld(t, document), newServer()
			g, guarded, got := newGuard(t, w, vetomcp.Options{}), &seen{}, []int64{}
			s.AddReceivingMiddleware(g.Middleware)
			tool, registrar, on := &mcp.Tool{Name: "send", InputSchema: open}, g, s
			switch how {
			case "of another guard":
				registrar = newGuard(t, w, vetomcp.Options{})
			case "on another server":
				on = newServer()
			}
			if how == "raw" {
				require.NoError(t, vetomcp.AddRawTool(on, registrar, tool, guarded.raw))
			} else {
				require.NoError(t, vetomcp.AddTool(on, registrar, tool, typed(&got)))
			}
			cs := connect(t, s, versions[1], nil)
			switch how {
			case "raw":
				allowed(t, call(t, cs, "send", args))
				require.Equal(t, []string{args}, guarded.calls)
			case "typed", "of another guard":
				allowed(t, call(t, cs, "send", args))
				require.Equal(t, []int64{9007199254740993}, got)
				got = nil
			}
			s.RemoveTools("send")
			mcp.AddTool(s, tool, typed(&got)) // with the same description of it
			refused(t, call(t, cs, "send", args))
			require.Empty(t, got)
			allowed(t, call(t, cs, "send", `{"copies":7}`))
			require.Equal(t, []int64{7}, got)

			// And guarded once more.
			require.NoError(t, vetomcp.AddTool(s, g, tool, typed(&got)))
			allowed(t, call(t, cs, "send", args))
			require.Equal(t, []int64{7, 9007199254740993}, got)
		})
	}
}
