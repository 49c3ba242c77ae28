package vetomcp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/guard"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// bearer adds a token to requests.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// TestHTTP: many callers on one server are told apart by what the server has
// verified, also when they call at the same time.
func TestHTTP(t *testing.T) {
	w, s := newWorld(t, `policies:
  - {id: a, agentId: agent-a, rules: [{type: tool_allowlist, tools: [first]}]}
  - {id: b, agentId: agent-b, rules: [{type: tool_allowlist, tools: [second]}]}`), newServer()
	g := newGuard(t, w, vetomcp.Options{Identity: func(_ context.Context, req mcp.Request) guard.Identity {
		if extra := req.GetExtra(); extra != nil && extra.TokenInfo != nil {
			return guard.Identity{Agent: extra.TokenInfo.UserID}
		}
		return guard.Identity{}
	}})
	s.AddReceivingMiddleware(g.Middleware)
	for _, name := range []string{"first", "second"} {
		require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: name, InputSchema: open}, (&quiet{}).tool))
	}
	verify := func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		return &auth.TokenInfo{UserID: "agent-" + token, Expiration: time.Now().Add(time.Hour)}, nil
	}
	handler := auth.RequireBearerToken(verify, nil)(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, nil))
	web := httptest.NewServer(handler)
	defer web.Close()
	for _, version := range versions {
		var wg sync.WaitGroup
		for token, tools := range map[string][2]string{"a": {"first", "second"}, "b": {"second", "first"}, "c": {}} {
			c := mcp.NewClient(&mcp.Implementation{Name: "agent-a"}, nil)
			cs, err := c.Connect(t.Context(), &mcp.StreamableClientTransport{
				Endpoint: web.URL, HTTPClient: &http.Client{Transport: bearer(token)}, DisableStandaloneSSE: true,
			}, &mcp.ClientSessionOptions{ProtocolVersion: version})
			require.NoError(t, err)
			defer cs.Close()
			wg.Go(func() {
				for range 5 {
					for _, name := range []string{"first", "second"} {
						r, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: name})
						if err != nil || r.IsError == (name == tools[0]) {
							t.Errorf("%s calls %s: %v %v", token, name, r, err)
						}
					}
				}
			})
			if tools[0] != "" {
				require.Equal(t, []string{tools[0]}, names(t, cs))
			} else {
				require.Empty(t, names(t, cs))
			}
		}
		wg.Wait()
	}
}

// quiet is a tool for several goroutines.
type quiet struct{}

func (*quiet) tool(context.Context, *mcp.CallToolRequest, sendArgs) (*mcp.CallToolResult, any, error) {
	return nil, nil, nil
}
