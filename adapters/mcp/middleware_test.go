package vetomcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/guard"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// TestMiddlewareIsTheSecondNet: tools that nobody guarded are decided too, and
// those that are guarded only once, whatever surrounds them.
func TestMiddlewareIsTheSecondNet(t *testing.T) {
	for _, version := range versions {
		w := newWorld(t, policies)
		g, s, tool := newGuard(t, w, vetomcp.Options{}), newServer(), &seen{}
		mcp.AddTool(s, &mcp.Tool{Name: "send"}, tool.tool)
		s.AddTool(&mcp.Tool{Name: "delete", InputSchema: open}, tool.raw)
		require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "count", InputSchema: open}, tool.raw))
		s.AddReceivingMiddleware(g.Middleware)
		s.AddReceivingMiddleware(g.Middleware) // a mistake that costs nothing
		cs := connect(t, s, version, nil)

		allowed(t, call(t, cs, "send", `{"to":"ann@example.com"}`))
		refused(t, call(t, cs, "send", `{"to":"ann@evil.com"}`))
		refused(t, call(t, cs, "delete", `{}`))
		refused(t, call(t, cs, "nonesuch", `{}`))
		allowed(t, call(t, cs, "count", `{}`))
		allowed(t, call(t, cs, "count", `{}`))
		r := call(t, cs, "count", `{}`)
		refused(t, r)
		require.Contains(t, text(r), "It can be tried again in")
		require.Equal(t, []string{`{"to":"ann@example.com"}`, `{}`, `{}`}, tool.calls)
		require.Equal(t, []string{
			"send: allowed", "send: constraint_violated", "delete: default_deny", "nonesuch: default_deny",
			"count: allowed", "count: allowed", "count: rate_limited",
		}, w.decisions(t))
	}
}

// TestAnUnknownToolThatIsAllowed is the SDK's to answer.
func TestAnUnknownToolThatIsAllowed(t *testing.T) {
	w := newWorld(t, policies)
	g, s := newGuard(t, w, vetomcp.Options{}), newServer()
	s.AddReceivingMiddleware(g.Middleware)
	_, err := connect(t, s, versions[0], nil).CallTool(t.Context(), &mcp.CallToolParams{Name: "echo"})
	require.ErrorContains(t, err, "unknown tool")
}

// TestReplacedTool: a tool that takes the place of a guarded one is decided.
func TestReplacedTool(t *testing.T) {
	w := newWorld(t, policies)
	g, s, tool := newGuard(t, w, vetomcp.Options{}), newServer(), &seen{}
	require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "send"}, tool.tool))
	s.AddReceivingMiddleware(g.Middleware)
	cs := connect(t, s, versions[0], nil)
	allowed(t, call(t, cs, "send", `{"to":"ann@example.com"}`))
	s.AddTool(&mcp.Tool{Name: "send", InputSchema: open}, tool.raw)
	refused(t, call(t, cs, "send", `{"to":"ann@evil.com"}`))
	require.Len(t, tool.calls, 1)
}

// TestTwoGuards: two guards are two opinions.
func TestTwoGuards(t *testing.T) {
	w, other := newWorld(t, policies), newWorld(t, `policies: [{id: p, agentId: bot, rules: [{type: tool_allowlist, tools: [send]}]}]`)
	inner, outer := newGuard(t, w, vetomcp.Options{}), newGuard(t, other, vetomcp.Options{})
	s, tool := newServer(), &seen{}
	require.NoError(t, vetomcp.AddTool(s, inner, &mcp.Tool{Name: "send"}, tool.tool))
	s.AddReceivingMiddleware(outer.Middleware)
	cs := connect(t, s, versions[1], nil)
	allowed(t, call(t, cs, "send", `{"to":"ann@example.com"}`))
	refused(t, call(t, cs, "send", `{"to":"ann@evil.com"}`))
	require.Len(t, tool.calls, 1)
	require.Equal(t, []string{"send: allowed", "send: allowed"}, other.decisions(t))
	require.Equal(t, []string{"send: allowed", "send: constraint_violated"}, w.decisions(t))
}

func names(t *testing.T, cs *mcp.ClientSession) (all []string) {
	t.Helper()
	for tool, err := range cs.Tools(t.Context(), nil) {
		require.NoError(t, err)
		all = append(all, tool.Name)
	}
	return all
}

func TestToolsListIsWhatTheAgentMayUse(t *testing.T) {
	for _, version := range versions {
		w := newWorld(t, policies)
		tool := &seen{}
		server := func(opts vetomcp.Options) *mcp.Server {
			s := mcp.NewServer(&mcp.Implementation{Name: "test"}, &mcp.ServerOptions{PageSize: 2})
			for _, name := range []string{"a", "b", "c", "count", "delete", "remove", "send", "z"} {
				s.AddTool(&mcp.Tool{Name: name, InputSchema: open}, tool.raw)
			}
			s.AddReceivingMiddleware(newGuard(t, w, opts).Middleware)
			return s
		}
		require.Equal(t, []string{"count", "remove", "send"}, names(t, connect(t, server(vetomcp.Options{}), version, nil)))
		require.Empty(t, names(t, connect(t, server(vetomcp.Options{Agent: "other"}), version, nil)))
		require.Empty(t, names(t, connect(t, server(vetomcp.Options{Identity: func(context.Context, mcp.Request) guard.Identity { panic("no") }}), version, nil)))
		require.Len(t, names(t, connect(t, server(vetomcp.Options{ListAllTools: true}), version, nil)), 8)
		require.Equal(t, []string{"a", "count", "remove", "send"}, names(t, connect(t, server(vetomcp.Options{
			Dispatchers: map[string]vetomcp.Dispatcher{"a": {Tool: "tool", Arguments: "arguments"}},
		}), version, nil)), "a dispatcher can do what its tools can")
		r, err := connect(t, server(vetomcp.Options{}), version, nil).ListTools(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, "private", r.CacheScope, "what is of one agent is not for all")
		w.Suspend("bot")
		require.Empty(t, names(t, connect(t, server(vetomcp.Options{}), version, nil)))
		require.Empty(t, w.decisions(t), "a list is no decision")
	}
}

type customParams struct {
	mcp.ParamsBase
	What string `json:"what"`
}

// TestOtherMethods: a request that is no tool call needs a policy too.
func TestOtherMethods(t *testing.T) {
	for _, version := range versions {
		w := newWorld(t, policies)
		server := func(opts vetomcp.Options) (*mcp.Server, *int) {
			s, read := newServer(), new(int)
			for _, uri := range []string{"file:///public/a", "file:///secret/b"} {
				s.AddResource(&mcp.Resource{Name: uri, URI: uri}, func(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
					*read++
					return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: req.Params.URI, Text: "text"}}}, nil
				})
			}
			s.AddPrompt(&mcp.Prompt{Name: "p"}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
				*read++
				return &mcp.GetPromptResult{}, nil
			})
			require.NoError(t, mcp.AddReceivingCustomMethod(s, "custom/do", func(context.Context, *mcp.ServerSession, *customParams) (*mcp.ReadResourceResult, error) {
				*read++
				return &mcp.ReadResourceResult{}, nil
			}))
			s.AddReceivingMiddleware(newGuard(t, w, opts).Middleware)
			return s, read
		}
		s, ran := server(vetomcp.Options{})
		c := mcp.NewClient(&mcp.Implementation{Name: "client"}, nil)
		require.NoError(t, mcp.AddSendingCustomMethod[*customParams, *mcp.ReadResourceResult](c, "custom/do"))
		cs := connectClient(t, s, version, c)
		_, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "file:///public/a"})
		require.NoError(t, err)
		_, err = cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "file:///secret/b"})
		isRefused(t, err)
		_, err = cs.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "p"})
		isRefused(t, err)
		_, err = mcp.CallCustomMethod[*customParams, *mcp.ReadResourceResult](t.Context(), cs, "custom/do", &customParams{What: "x"})
		isRefused(t, err)
		require.Equal(t, 1, *ran)
		// What lists and connects passes.
		_, err = cs.ListResources(t.Context(), nil)
		require.NoError(t, err)
		_, err = cs.ListPrompts(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, []string{
			"mcp.resources.read: allowed", "mcp.resources.read: constraint_violated", "mcp.prompts.get: default_deny", "mcp.custom.do: default_deny",
		}, w.decisions(t))

		s, ran = server(vetomcp.Options{UndecidedMethods: []string{"prompts/get"}})
		_, err = connect(t, s, version, nil).GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "p"})
		require.NoError(t, err)
		require.Equal(t, 1, *ran)
	}
}

func isRefused(t *testing.T, err error) {
	t.Helper()
	var e *jsonrpc.Error
	require.ErrorAs(t, err, &e)
	require.EqualValues(t, vetomcp.CodeRefused, e.Code)
	require.Contains(t, e.Message, "This call is not permitted")
	require.NotContains(t, e.Message, "secret-policy-name")
}

// TestOtherMethodsWithApproval: a state goes with any request.
func TestOtherMethodsWithApproval(t *testing.T) {
	w := newWorld(t, `policies: [{id: p, agentId: bot, rules: [{type: require_approval, tools: [mcp.resources.read]}]}]`)
	s := newServer()
	s.AddResource(&mcp.Resource{Name: "a", URI: "file:///a"}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: "file:///a"}}}, nil
	})
	s.AddReceivingMiddleware(newGuard(t, w, vetomcp.Options{}).Middleware)
	cs := connect(t, s, versions[0], nil)
	_, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "file:///a"})
	var e *jsonrpc.Error
	require.ErrorAs(t, err, &e)
	var data map[string]struct{ ID, State string }
	require.NoError(t, json.Unmarshal(e.Data, &data))
	approve(t, w, data[vetomcp.MetaKey].ID)
	again := &mcp.ReadResourceParams{URI: "file:///a", Meta: mcp.Meta{vetomcp.MetaKey: data[vetomcp.MetaKey].State}}
	_, err = cs.ReadResource(t.Context(), again)
	require.NoError(t, err)
	_, err = cs.ReadResource(t.Context(), again)
	require.ErrorAs(t, err, &e)
	require.Equal(t, "The approval of this call is no longer valid.", e.Message)
}

// TestSubscriptions: to listen for changes of lists needs no policy, to listen
// for those of a resource does.
func TestSubscriptions(t *testing.T) {
	w := newWorld(t, policies)
	m := newGuard(t, w, vetomcp.Options{}).Middleware(func(context.Context, string, mcp.Request) (mcp.Result, error) {
		return &mcp.SubscriptionsListenResult{}, nil
	})
	listen := func(uris ...string) error {
		_, err := m(t.Context(), "subscriptions/listen", &mcp.SubscriptionsListenRequest{
			Session: &mcp.ServerSession{},
			Params:  &mcp.SubscriptionsListenParams{Notifications: &mcp.NotificationSubscriptions{ToolsListChanged: true, ResourceSubscriptions: uris}},
		})
		return err
	}
	require.NoError(t, listen())
	isRefused(t, listen("file:///a"))
	_, err := m(t.Context(), "notifications/progress", nil)
	require.NoError(t, err)
}

// TestNilGuardDenies: as every zero value does.
func TestNilGuardDenies(t *testing.T) {
	var none *vetomcp.Guard
	require.Error(t, vetomcp.AddTool(newServer(), none, &mcp.Tool{Name: "send"}, (&seen{}).tool))
	nobody, err := vetomcp.New(nil, nil)
	require.NoError(t, err)
	for _, g := range []*vetomcp.Guard{none, nobody, {}} {
		s, tool := newServer(), &seen{}
		s.AddTool(&mcp.Tool{Name: "send", InputSchema: open}, tool.raw)
		s.AddResource(&mcp.Resource{Name: "a", URI: "file:///a"}, nil)
		s.AddReceivingMiddleware(g.Middleware)
		cs := connect(t, s, versions[1], nil)
		refused(t, call(t, cs, "send", `{}`))
		require.Empty(t, names(t, cs))
		_, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "file:///a"})
		isRefused(t, err)
		require.Empty(t, tool.calls)
	}
}

// TestFunctionsOfTheHostThatPanic deny.
func TestFunctionsOfTheHostThatPanic(t *testing.T) {
	for name, opts := range map[string]vetomcp.Options{
		"Identity": {Agent: "bot", Identity: func(context.Context, mcp.Request) guard.Identity { panic("x") }},
		"Name":     {Agent: "bot", Name: func(string) string { panic("x") }},
		"Values":   {Agent: "bot", Values: func(context.Context, mcp.Request) any { panic("x") }},
	} {
		w := newWorld(t, policies)
		s, tool := newServer(), &seen{}
		s.AddTool(&mcp.Tool{Name: "echo", InputSchema: open}, tool.raw)
		s.AddReceivingMiddleware(newGuard(t, w, opts).Middleware)
		refused(t, call(t, connect(t, s, versions[1], nil), "echo", `{}`))
		require.Empty(t, tool.calls, name)
	}
}

// TestToolsThatFail: what a tool returns is untouched, and an error result is
// no success.
func TestToolsThatFail(t *testing.T) {
	w := newWorld(t, `policies: [{id: p, agentId: bot, rules: [
		{type: tool_allowlist, tools: [first, second]},
		{type: sequence, tools: [second], sequence: {requires: [{tools: [first]}]}}]}]`)
	require.NoError(t, w.OpenSession(t.Context(), "", "s"))
	g, s := newGuard(t, w, vetomcp.Options{Agent: "bot", Session: "s"}), newServer()
	results := []*mcp.CallToolResult{
		{IsError: true, Content: []mcp.Content{&mcp.TextContent{Text: "broken"}}},
		{Content: []mcp.Content{&mcp.TextContent{Text: "fine"}}},
	}
	n := 0
	require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "first", InputSchema: open}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if n++; n == 1 {
			return nil, fmt.Errorf("wrapped: %w", errors.New("protocol error"))
		}
		return results[n-2], nil
	}))
	require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "second", InputSchema: open}, (&seen{}).raw))
	cs := connect(t, s, versions[1], nil)
	_, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "first"})
	require.ErrorContains(t, err, "protocol error")
	refused(t, call(t, cs, "second", `{}`))
	require.Equal(t, "broken", text(call(t, cs, "first", `{}`)))
	refused(t, call(t, cs, "second", `{}`))
	require.Equal(t, "fine", text(call(t, cs, "first", `{}`)))
	allowed(t, call(t, cs, "second", `{}`))
}
