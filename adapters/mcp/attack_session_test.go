package vetomcp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/guard"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// C3, E1: a server without sessions is made anew for each request, with a guard
// of its own. Who calls is in the token, whatever the client says, and the
// state of an approval is good for its caller only.
func TestAttack_C3_StatelessHTTP(t *testing.T) {
	w, tool := newWorld(t, `policies: [{id: p, agentId: "agent-*", rules: [{type: tool_allowlist, tools: ["*"]}, {type: require_approval, tools: [remove]}]}]`), &quiet{}
	server := func(*http.Request) *mcp.Server {
		s := newServer()
		g := newGuard(t, w, vetomcp.Options{StateKey: make([]byte, 32), Identity: func(_ context.Context, req mcp.Request) guard.Identity {
			if extra := req.GetExtra(); extra != nil && extra.TokenInfo != nil {
				return guard.Identity{Agent: extra.TokenInfo.UserID}
			}
			return guard.Identity{}
		}})
		s.AddReceivingMiddleware(g.Middleware)
		if err := vetomcp.AddTool(s, g, &mcp.Tool{Name: "remove", InputSchema: open}, tool.tool); err != nil {
			t.Error(err)
		}
		return s
	}
	verify := func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		return &auth.TokenInfo{UserID: token, Expiration: time.Now().Add(time.Hour)}, nil
	}
	web := httptest.NewServer(auth.RequireBearerToken(verify, nil)(mcp.NewStreamableHTTPHandler(server, &mcp.StreamableHTTPOptions{Stateless: true})))
	defer web.Close()
	for n, version := range versions {
		as := func(token string) *mcp.ClientSession {
			c := mcp.NewClient(&mcp.Implementation{Name: "agent-a", Version: "agent-a"}, nil)
			cs, err := c.Connect(t.Context(), &mcp.StreamableClientTransport{
				Endpoint: web.URL, HTTPClient: &http.Client{Transport: bearer(token)}, DisableStandaloneSSE: true,
			}, &mcp.ClientSessionOptions{ProtocolVersion: version})
			require.NoError(t, err)
			t.Cleanup(func() { _ = cs.Close() })
			return cs
		}
		args := fmt.Sprintf(`{"copies":%d}`, n)
		a, b, c := as("agent-a"), as("agent-b"), as("guest")
		id, signed := state(t, call(t, a, "remove", args))
		approve(t, w, id)
		refused(t, callWith(t, b, again("remove", args, signed)))
		spoofed := again("remove", args, signed)
		spoofed.Meta["io.modelcontextprotocol/clientInfo"] = map[string]any{"name": "agent-a", "version": "1"}
		refused(t, callWith(t, c, spoofed))
		require.Empty(t, names(t, c))
		require.Equal(t, []string{"remove"}, names(t, a))
		allowed(t, callWith(t, a, again("remove", args, signed)))
		refused(t, callWith(t, a, again("remove", args, signed)))
	}
}

// D1: sessions that call at the same time share one limit, and nothing else.
func TestAttack_D1_SessionsAtTheSameTime(t *testing.T) {
	w, s := newWorld(t, policies), newServer()
	g := newGuard(t, w, vetomcp.Options{})
	s.AddReceivingMiddleware(g.Middleware)
	require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "count", InputSchema: open}, (&quiet{}).tool))
	var mu sync.Mutex
	var wg sync.WaitGroup
	ran := 0
	for i := range 8 {
		cs := connect(t, s, versions[i%2], nil)
		wg.Go(func() {
			for range 4 {
				if r, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "count"}); err == nil && !r.IsError {
					mu.Lock()
					ran++
					mu.Unlock()
				}
				if _, err := cs.ListTools(t.Context(), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 2, ran)
}

// A call that is given up while it waits for a human does not run when the
// human has answered, and leaves the ticket as it is.
func TestAttack_E4_GivenUpWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, tool := newWorld(t, policies), &seen{}
		m := newGuard(t, w, vetomcp.Options{Wait: true}).Middleware(func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if method == "tools/list" {
				return &mcp.ListToolsResult{}, nil
			}
			return tool.raw(ctx, req.(*mcp.CallToolRequest))
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan *mcp.CallToolResult)
		go func() {
			r, err := m(ctx, "tools/call", &mcp.CallToolRequest{Session: &mcp.ServerSession{}, Params: &mcp.CallToolParamsRaw{Name: "remove", Arguments: raw(`{}`)}})
			if err != nil {
				t.Error(err)
			}
			done <- r.(*mcp.CallToolResult)
		}()
		synctest.Wait()
		cancel()
		id, _ := state(t, <-done)
		approve(t, w, id)
		synctest.Wait()
		require.Empty(t, tool.calls)

		// One whose agent is suspended meanwhile ends too.
		go func() {
			r, _ := m(t.Context(), "tools/call", &mcp.CallToolRequest{Session: &mcp.ServerSession{}, Params: &mcp.CallToolParamsRaw{Name: "remove", Arguments: raw(`{"copies":1}`)}})
			done <- r.(*mcp.CallToolResult)
		}()
		synctest.Wait()
		before := time.Now()
		w.Suspend("bot")
		require.True(t, (<-done).IsError)
		require.Zero(t, time.Since(before), "it did not wait until the ticket expired")
		require.Empty(t, tool.calls)
	})
}

// A rule about every tool does not keep tools from being added that lack its
// parameter, optional or not; the calls of these it denies as it says.
func TestManyToolsUnderOneRule(t *testing.T) {
	w := newWorld(t, `policies: [{id: p, agentId: bot, rules: [
		{type: tool_allowlist, tools: ["*"]},
		{type: parameter_constraint, tools: ["*"], parameters: {path: {within: [/tmp], optional: true}}},
		{type: parameter_constraint, tools: ["file.*"], parameters: {mode: {enum: [r]}}}]}]`)
	g, s := newGuard(t, w, vetomcp.Options{}), newServer()
	s.AddReceivingMiddleware(g.Middleware)
	closed := raw(`{"type":"object","properties":{"n":{"type":"integer"}},"additionalProperties":false}`)
	for i := range 20 {
		require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: fmt.Sprintf("raw%d", i), InputSchema: closed}, (&seen{}).raw))
		require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: fmt.Sprintf("typed%d", i)}, func(context.Context, *mcp.CallToolRequest, struct{ N int }) (*mcp.CallToolResult, any, error) {
			return nil, nil, nil
		}))
	}
	require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "file.stat", InputSchema: closed}, (&seen{}).raw))
	cs := connect(t, s, versions[1], nil)
	for i := range 20 {
		allowed(t, call(t, cs, fmt.Sprintf("raw%d", i), `{"n":1}`))
		allowed(t, call(t, cs, fmt.Sprintf("typed%d", i), `{"N":1}`))
	}
	refused(t, call(t, cs, "file.stat", `{"n":1}`))
}
