package vetomcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

func TestAddTool(t *testing.T) {
	for _, version := range versions {
		for _, net := range []bool{false, true} {
			w := newWorld(t, policies)
			g, s, tool := newGuard(t, w, vetomcp.Options{}), newServer(), &seen{}
			require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "send"}, tool.tool))
			require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "delete"}, tool.tool))
			if net {
				s.AddReceivingMiddleware(g.Middleware)
			}
			cs := connect(t, s, version, nil)
			r := call(t, cs, "send", `{"to":"ann@example.com"}`)
			allowed(t, r)
			require.Equal(t, map[string]any{"to": "ann@example.com"}, r.StructuredContent)
			require.JSONEq(t, `{"to":"ann@example.com"}`, text(r))
			r = call(t, cs, "send", `{"to":"ann@evil.com"}`)
			refused(t, r)
			require.Equal(t, "This call is not permitted with these arguments.", text(r))
			require.Nil(t, r.StructuredContent)
			r = call(t, cs, "delete", `{}`)
			refused(t, r)
			require.Equal(t, "This call is not permitted.", text(r))
			require.Equal(t, []string{`{"to":"ann@example.com"}`}, tool.calls)
			require.Equal(t, []string{"send: allowed", "send: constraint_violated", "delete: default_deny"}, w.decisions(t), "version %s, net %v", version, net)
		}
	}
}

// TestResultsAreThoseOfTheSDK: but for the guard, AddTool does what the SDK's
// does.
func TestResultsAreThoseOfTheSDK(t *testing.T) {
	w := newWorld(t, `policies: [{id: p, agentId: bot, rules: [{type: tool_allowlist, tools: ["*"]}]}]`)
	g, ours, theirs := newGuard(t, w, vetomcp.Options{}), newServer(), newServer()
	add(t, g, ours, theirs, "struct", func(in sendArgs) (*mcp.CallToolResult, sendArgs, error) { return nil, in, nil })
	add(t, g, ours, theirs, "pointer", func(in *sendArgs) (*mcp.CallToolResult, *sendArgs, error) { return nil, in, nil })
	add(t, g, ours, theirs, "nil pointer", func(sendArgs) (*mcp.CallToolResult, *sendArgs, error) { return nil, nil, nil })
	add(t, g, ours, theirs, "nil number", func(sendArgs) (*mcp.CallToolResult, *int, error) { return nil, nil, nil })
	add(t, g, ours, theirs, "map", func(in map[string]any) (*mcp.CallToolResult, map[string]any, error) { return nil, in, nil })
	add(t, g, ours, theirs, "any", func(in any) (*mcp.CallToolResult, any, error) { return nil, in, nil })
	add(t, g, ours, theirs, "nothing", func(sendArgs) (*mcp.CallToolResult, any, error) { return nil, nil, nil })
	add(t, g, ours, theirs, "slice", func(in sendArgs) (*mcp.CallToolResult, []string, error) { return nil, []string{in.To}, nil })
	add(t, g, ours, theirs, "content", func(in sendArgs) (*mcp.CallToolResult, int, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "mine"}}}, 7, nil
	})
	add(t, g, ours, theirs, "error", func(sendArgs) (*mcp.CallToolResult, any, error) { return nil, nil, errors.New("broken") })
	add(t, g, ours, theirs, "protocol error", func(sendArgs) (*mcp.CallToolResult, any, error) {
		return nil, nil, &jsonrpc.Error{Code: -32000, Message: "broken"}
	})
	a, b := connect(t, ours, versions[1], nil), connect(t, theirs, versions[1], nil)
	listed, err := a.ListTools(t.Context(), nil)
	require.NoError(t, err)
	same, err := b.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, asJSON(t, same.Tools), asJSON(t, listed.Tools))
	for _, tool := range listed.Tools {
		for _, args := range []string{`{}`, `{"to":"ann","copies":2}`, `{"copies":"two"}`, `{"more":1}`, `{"to":"x","copies":1e1}`, `{"copies":1.5}`} {
			if tool.Name == "struct" || tool.Name == "pointer" || strings.Contains(args, "two") || !strings.Contains(args, "more") {
				p := &mcp.CallToolParams{Name: tool.Name, Arguments: json.RawMessage(args)}
				got, err := a.CallTool(t.Context(), p)
				want, wantErr := b.CallTool(t.Context(), p)
				require.Equal(t, wantErr, err, "%s %s", tool.Name, args)
				require.Equal(t, asJSON(t, want), asJSON(t, got), "%s %s", tool.Name, args)
			}
		}
	}
}

func add[In, Out any](t *testing.T, g *vetomcp.Guard, ours, theirs *mcp.Server, name string, fn func(In) (*mcp.CallToolResult, Out, error)) {
	t.Helper()
	name = strings.ReplaceAll(name, " ", "_")
	h := func(_ context.Context, _ *mcp.CallToolRequest, in In) (*mcp.CallToolResult, Out, error) {
		return fn(in)
	}
	require.NoError(t, vetomcp.AddTool(ours, g, &mcp.Tool{Name: name}, h))
	mcp.AddTool(theirs, &mcp.Tool{Name: name}, h)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// TestToolsThatCannotBeGuarded are not added.
func TestToolsThatCannotBeGuarded(t *testing.T) {
	w := newWorld(t, policies)
	g, s := newGuard(t, w, vetomcp.Options{Dispatchers: map[string]vetomcp.Dispatcher{"send": {Tool: "tool", Arguments: "arguments"}}}), newServer()
	type wrong struct {
		Recipient string `json:"recipient"`
	}
	h := func(context.Context, *mcp.CallToolRequest, wrong) (*mcp.CallToolResult, any, error) {
		return nil, nil, nil
	}
	require.NoError(t, vetomcp.AddTool(newServer(), g, &mcp.Tool{Name: "send"}, h), "a dispatcher's tools have parameters of their own")
	g = newGuard(t, w, vetomcp.Options{})
	require.ErrorContains(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "send"}, h), `no parameter "to"`)
	closed := json.RawMessage(`{"type":"object","properties":{"recipient":{}},"additionalProperties":false}`)
	require.ErrorContains(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "send", InputSchema: closed}, (&seen{}).raw), `no parameter "to"`)
	require.ErrorContains(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "echo", InputSchema: open}, nil), "nil")
	require.ErrorContains(t, vetomcp.AddTool[wrong, any](s, g, &mcp.Tool{Name: "echo"}, nil), "nil")
	require.ErrorContains(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "echo"}, func(context.Context, *mcp.CallToolRequest, wrong) (*mcp.CallToolResult, chan int, error) {
		return nil, nil, nil
	}), "output schema")
	require.Empty(t, names(t, connect(t, s, versions[1], nil)))
}

// TestSuspensionEndsRunningTools: the context of a handler ends with the
// agent.
func TestSuspensionEndsRunningTools(t *testing.T) {
	w, s := newWorld(t, policies), newServer()
	g := newGuard(t, w, vetomcp.Options{})
	require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "echo", InputSchema: open}, func(ctx context.Context, _ *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		w.Suspend("bot")
		<-ctx.Done()
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: context.Cause(ctx).Error()}}}, nil
	}))
	s.AddReceivingMiddleware(g.Middleware)
	cs := connect(t, s, versions[1], nil)
	require.Equal(t, veto.ErrSuspended.Error(), text(call(t, cs, "echo", `{}`)))
	refused(t, call(t, cs, "echo", `{}`))
}

// TestIdentity: of the connection, the context and the options, in that order.
func TestIdentity(t *testing.T) {
	w, s := newWorld(t, `policies: [{id: p, agentId: "*", rules: [{type: tool_allowlist, tools: ["*"]}]}]`), newServer()
	g := newGuard(t, w, vetomcp.Options{Project: "options", Name: vetomcp.Prefix("x"), Identity: func(context.Context, mcp.Request) guard.Identity {
		return guard.Identity{Agent: "connection", Project: "connection", User: "connection", CallID: "1"}
	}, Values: func(context.Context, mcp.Request) any { return map[string]any{"a": 1} }})
	s.AddReceivingMiddleware(g.Middleware)
	s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			return next(guard.WithUser(ctx, "context"), method, req)
		}
	})
	require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "echo"}, (&seen{}).tool))
	allowed(t, call(t, connect(t, s, versions[0], nil), "echo", `{}`))
	all, n := w.records.Query(audit.Query{})
	require.Equal(t, 1, n)
	r := all[0]
	require.Equal(t, []string{"connection", "connection", "connection", "1", "mcp__x__echo"}, []string{r.AgentID, r.ProjectID, r.UserID, r.CallID, r.ToolName})
}
