package vetomcp_test

import (
	"context"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/guard"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

func TestAttack_C1_NamesOfTools(t *testing.T) {
	w, s, tool := newWorld(t, `policies: [{id: p, agentId: bot, rules: [{type: tool_allowlist, tools: ["*"]}, {type: tool_denylist, tools: [wire_transfer]}]}]`), newServer(), &seen{}
	g := newGuard(t, w, vetomcp.Options{})
	s.AddReceivingMiddleware(g.Middleware)
	bad := []string{
		"wire_transfer", "Wire_Transfer", "WIRE_TRANSFER", "wire_transfer ", " wire_transfer", "wire_\u200btransfer", "wire_transfer\u00a0",
		"wire\u2024transfer", "w\u0456re_transfer", "\uff57ire_transfer", "wire_transfe\u0301r", "wire_transfer\x00", strings.Repeat("x", 256), "",
	}
	for _, name := range bad[:len(bad)-1] {
		s.AddTool(&mcp.Tool{Name: name, InputSchema: open}, tool.raw)
	}
	cs := connect(t, s, versions[1], nil)
	for _, name := range bad {
		refused(t, call(t, cs, name, `{}`))
	}
	require.Empty(t, tool.calls)
}

// C2: a tool that runs other tools is decided as the inner one.
func TestAttack_C2_MetaTool(t *testing.T) {
	for _, how := range []string{"tool", "net"} {
		w, s, tool := newWorld(t, policies), newServer(), &seen{}
		g := newGuard(t, w, vetomcp.Options{Dispatchers: map[string]vetomcp.Dispatcher{
			"call_tool": {Tool: "tool_name", Arguments: "arguments", Undecided: []string{"reason"}},
		}})
		if how == "net" {
			s.AddTool(&mcp.Tool{Name: "call_tool", InputSchema: open}, tool.raw)
			s.AddReceivingMiddleware(g.Middleware)
		} else {
			require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "call_tool", InputSchema: open}, tool.raw))
		}
		cs := connect(t, s, versions[1], nil)
		good := []string{
			`{"tool_name":"send","arguments":{"to":"ann@example.com"}}`,
			`{"tool_name":"send","arguments":"{\"to\":\"ann@example.com\"}","reason":"because"}`,
			`{"tool_name":"call_tool","arguments":{"tool_name":"echo"}}`,
			`{"tool_name":"echo","arguments":null}`,
		}
		for _, args := range good {
			allowed(t, call(t, cs, "call_tool", args))
		}
		for _, args := range []string{
			`{}`, `{"tool_name":"delete"}`, `{"tool_name":"call_tool"}`, `{"tool_name":7}`, `{"tool_name":null}`, `{"tool_name":""}`,
			`{"tool_name":"send","arguments":{"to":"ann@evil.com"}}`,
			`{"tool_name":"send","arguments":"{\"to\":\"ann@evil.com\"}"}`,
			`{"tool_name":"send","arguments":"{\"to\":\"ann@example.com\",\"TO\":\"ann@evil.com\"}"}`,
			`{"tool_name":"send","arguments":["to"]}`, `{"tool_name":"send","arguments":"x"}`,
			`{"tool_name":"echo","tool_name":"delete"}`, `{"tool_name":"delete","tool_name":"echo"}`,
			`{"tool_name":"send","arguments":{"to":"ann@evil.com"},"arguments":{"to":"ann@example.com"}}`, `{"tool_name":"echo","Tool_Name":"delete"}`, `{"tool_name":"echo","tool_name\u0000":"x"}`,
			`{"tool_name":"send","arguments":{"to":"ann@example.com"},"Arguments":{"to":"ann@evil.com"}}`,
			`{"tool_name":"send","arguments":{"to":"ann@example.com"},"args":{"to":"ann@evil.com"}}`,
			`{"tool_name":"CALL_TOOL","arguments":{"tool_name":"delete"}}`,
			`{"tool_name":"call_tool","arguments":{"tool_name":"call_tool","arguments":{"tool_name":"call_tool","arguments":{"tool_name":"call_tool","arguments":{"tool_name":"echo"}}}}}`,
		} {
			refused(t, call(t, cs, "call_tool", args))
		}
		require.Equal(t, good, tool.calls)
		require.Equal(t, []string{"send: allowed", "send: allowed", "echo: allowed", "echo: allowed", "call_tool: invalid_request", "delete: default_deny"}, w.decisions(t)[:6])
	}

	// A dispatcher may look up the inner tool in a way that forgives case.
	w, s, tool := newWorld(t, `policies: [{id: p, agentId: bot, rules: [{type: tool_allowlist, tools: ["*"]}, {type: tool_denylist, tools: [delete]}]}]`), newServer(), &seen{}
	g := newGuard(t, w, vetomcp.Options{Dispatchers: map[string]vetomcp.Dispatcher{"call_tool": {Tool: "tool", Arguments: "arguments"}}})
	require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "call_tool", InputSchema: open}, tool.raw))
	cs := connect(t, s, versions[1], nil)
	refused(t, call(t, cs, "call_tool", `{"tool":"Call_Tool","arguments":{"tool":"delete"}}`))
	refused(t, call(t, cs, "call_tool", `{"tool":"DELETE"}`))
	allowed(t, call(t, cs, "call_tool", `{"tool":"Call_Tool","arguments":{"tool":"other"}}`))
	_, err := vetomcp.New(nil, &vetomcp.Options{Dispatchers: map[string]vetomcp.Dispatcher{"x": {Tool: "t"}}})
	require.ErrorContains(t, err, `dispatcher "x"`)
	d := vetomcp.Dispatcher{Tool: "t", Arguments: "a"}
	_, err = vetomcp.New(nil, &vetomcp.Options{Dispatchers: map[string]vetomcp.Dispatcher{"call": d, "CALL": d}})
	require.ErrorContains(t, err, `"CALL" and "call"`, "which of them another spelling means, nobody can tell")
}

// C3: who calls is not for the caller to say.
func TestAttack_C3_IdentityFromTheCaller(t *testing.T) {
	w, s, tool := newWorld(t, policies), newServer(), &seen{}
	g := newGuard(t, w, vetomcp.Options{Identity: func(_ context.Context, req mcp.Request) guard.Identity {
		if req.GetSession().(*mcp.ServerSession) == nil {
			return guard.Identity{}
		}
		return guard.Identity{Agent: "guest"}
	}})
	require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "echo", InputSchema: open}, tool.tool))
	s.AddReceivingMiddleware(g.Middleware)
	c := mcp.NewClient(&mcp.Implementation{Name: "bot", Version: "bot"}, nil)
	cs := connectClient(t, s, versions[1], c)
	refused(t, callWith(t, cs, &mcp.CallToolParams{
		Name: "echo", Arguments: raw(`{"agent":"bot","agent_id":"bot","agentId":"bot"}`),
		Meta: mcp.Meta{"agent": "bot", "agentId": "bot", "com.github.useveto/agent": "bot"},
	}))
	require.Empty(t, tool.calls)
}

// C5: nobody is no agent.
func TestAttack_C5_NoAgent(t *testing.T) {
	w, s, tool := newWorld(t, `policies: [{id: p, agentId: "*", rules: [{type: tool_allowlist, tools: ["*"]}]}]`), newServer(), &seen{}
	g, err := vetomcp.New(w.Authorizer, nil)
	require.NoError(t, err)
	require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "send"}, tool.tool))
	refused(t, call(t, connect(t, s, versions[0], nil), "send", `{}`))
	require.Empty(t, tool.calls)
}
