package vetomcp_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

const pathPolicy = `
policies:
  - id: paths
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [send]}
      - type: parameter_constraint
        tools: [send]
        parameters:
          path: {within: [/tmp], optional: true}
          /nested/path: {within: [/tmp], optional: true}
          copies: {max: 3, optional: true}
          size: {lessThan: 100, optional: true}`

type pathArgs struct {
	Path   string  `json:"path,omitempty"`
	Copies int64   `json:"copies,omitempty"`
	Size   float64 `json:"size,omitempty"`
	Nested struct {
		Path string `json:"path,omitempty"`
	} `json:"nested,omitzero"`
}

// ways are the three ways in which a tool can be guarded.
func ways(t *testing.T, document string, input any, test func(t *testing.T, cs *mcp.ClientSession, got *[]string, how string)) {
	for _, how := range []string{"typed", "raw", "net"} {
		w, s, got := newWorld(t, document), newServer(), new([]string)
		g := newGuard(t, w, vetomcp.Options{})
		tool := &mcp.Tool{Name: "send", InputSchema: input}
		typed := func(_ context.Context, _ *mcp.CallToolRequest, in pathArgs) (*mcp.CallToolResult, any, error) {
			data, err := json.Marshal(in)
			*got = append(*got, string(data))
			return nil, nil, err
		}
		switch how {
		case "typed":
			require.NoError(t, vetomcp.AddTool(s, g, tool, typed))
		case "raw":
			require.NoError(t, vetomcp.AddRawTool(s, g, tool, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				*got = append(*got, string(req.Params.Arguments))
				return &mcp.CallToolResult{}, nil
			}))
		case "net":
			s.AddReceivingMiddleware(g.Middleware)
			mcp.AddTool(s, tool, typed)
		}
		t.Run(how, func(t *testing.T) { test(t, connect(t, s, versions[1], nil), got, how) })
	}
}

// B1: encoding/json fills a struct's field from a key in another case; see
// CVE-2026-27896 of the SDK.
func TestAttack_B1_AnotherSpellingOfAKey(t *testing.T) {
	ways(t, pathPolicy, open, func(t *testing.T, cs *mcp.ClientSession, got *[]string, how string) {
		for _, args := range []string{
			`{"path":"/tmp/a","PATH":"/etc/passwd"}`, `{"PATH":"/etc/passwd","path":"/tmp/a"}`,
			`{"nested":{"path":"/tmp/a","Path":"/etc/passwd"}}`, `{"nested":{"path":"/tmp"},"Nested":{"path":"/etc"}}`,
		} {
			refused(t, call(t, cs, "send", args))
		}
		require.Empty(t, *got)
		// Alone it is a parameter that the tool does not have.
		allowed(t, call(t, cs, "send", `{"PATH":"/etc/passwd"}`))
		if how == "raw" {
			require.Equal(t, []string{`{"PATH":"/etc/passwd"}`}, *got)
		} else {
			require.Equal(t, []string{`{}`}, *got)
		}
	})
}

func TestAttack_B2_RepeatedKeys(t *testing.T) {
	ways(t, pathPolicy, open, func(t *testing.T, cs *mcp.ClientSession, got *[]string, how string) {
		for _, args := range []string{
			`{"path":"/tmp/a","path":"/etc/passwd"}`, `{"path":"/etc/passwd","path":"/tmp/a"}`, `{"path":"/tmp/a","p\u0061th":"/etc/passwd"}`,
			`{"nested":{"path":"/tmp/a","path":"/etc/passwd"}}`, `{"copies":1,"copie\u017f":9}`, `{"kind":1,"\u212Aind":2}`,
		} {
			refused(t, call(t, cs, "send", args))
		}
		require.Empty(t, *got)
	})
}

// B3: text that different readers read differently. A client of the SDK does
// not send most of it, so the requests are made here.
func TestAttack_B3_WhatIsNoPlainJSON(t *testing.T) {
	w := newWorld(t, pathPolicy)
	g := newGuard(t, w, vetomcp.Options{})
	ran := 0
	m := g.Middleware(func(_ context.Context, method string, _ mcp.Request) (mcp.Result, error) {
		if method == "tools/list" {
			return &mcp.ListToolsResult{Tools: []*mcp.Tool{{Name: "send", InputSchema: json.RawMessage(`{"type":"object","properties":{"copies":{"default":1}}}`)}}}, nil
		}
		ran++
		return &mcp.CallToolResult{}, nil
	})
	do := func(args string) *mcp.CallToolResult {
		r, err := m(t.Context(), "tools/call", &mcp.CallToolRequest{Session: &mcp.ServerSession{}, Params: &mcp.CallToolParamsRaw{Name: "send", Arguments: raw(args)}})
		require.NoError(t, err)
		return r.(*mcp.CallToolResult)
	}
	bad := []string{
		`{"path":"/tmp/a"}{"path":"/etc"}`, `{"path":"/tmp/a"} x`, "{\"path\":\"/tmp/\xff\"}", "{\"p\xffth\":1}", `{"path":"/tmp/\ud800"}`,
		`{"path":"/tmp/a\u0000"}`, `[{"path":"/tmp/a"}]`, `"{}"`, `7`, `{"path":`, "\x00", "\ufeff{}", `{"a":1e400}`, `{"a":NaN}`, `{'path':'/tmp'}`,
		`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, `{"a":"` + strings.Repeat("x", 70_000) + `"}`,
		`{"copies":9007199254740993}`, `{"size":99.99999999999999999999}`, `{"size":1e-400}`,
	}
	for _, args := range bad {
		refused(t, do(args))
	}
	require.Zero(t, ran)
	require.Len(t, w.decisions(t), len(bad), "each is on the record")
	for _, args := range []string{`{"path":"/tmp/a"}`, ``, `null`, ` {} `} {
		allowed(t, do(args))
	}
	require.Equal(t, 4, ran)
}

// B3: numbers reach the handler as they were decided on, or not at all.
func TestAttack_B3_NumbersThatDoNotFit(t *testing.T) {
	ways(t, `policies: [{id: p, agentId: bot, rules: [{type: tool_allowlist, tools: [send]}]}]`, open, func(t *testing.T, cs *mcp.ClientSession, got *[]string, how string) {
		big := call(t, cs, "send", `{"copies":9007199254740993}`)
		float := call(t, cs, "send", `{"size":99.99999999999999999999}`)
		switch how {
		case "net": // the SDK would make 9007199254740992 of it
			refused(t, big)
			refused(t, float)
			require.Empty(t, *got)
		case "typed":
			allowed(t, big)
			refused(t, float)
			require.Equal(t, []string{`{"copies":9007199254740993}`}, *got)
		case "raw":
			require.Equal(t, []string{`{"copies":9007199254740993}`, `{"size":99.99999999999999999999}`}, *got)
		}
	})
}

// B4: arguments that somebody rewrites between the decision and the handler,
// as the callbacks of google/adk-go may.
func TestAttack_B4_RewrittenOnTheWay(t *testing.T) {
	w, s, tool := newWorld(t, pathPolicy), newServer(), &seen{}
	g := newGuard(t, w, vetomcp.Options{})
	rewrite := func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if p, ok := req.GetParams().(*mcp.CallToolParamsRaw); ok {
				copy(p.Arguments, `{"path":"/etc"}`) // in place
			}
			return next(ctx, method, req)
		}
	}
	s.AddReceivingMiddleware(rewrite) // nearer to the tool than the guard: wrong
	s.AddReceivingMiddleware(g.Middleware)
	require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "send", InputSchema: open}, tool.raw))
	refused(t, call(t, connect(t, s, versions[1], nil), "send", `{"path":"/tmp"}`))
	require.Empty(t, tool.calls)
	require.Equal(t, []string{"send: allowed", "send: constraint_violated"}, w.decisions(t), "the tool's own guard saw another call")
}

// B4: the handler has the bytes to itself.
func TestAttack_B4_KeptByAnotherMiddleware(t *testing.T) {
	w, s := newWorld(t, pathPolicy), newServer()
	g := newGuard(t, w, vetomcp.Options{})
	var kept json.RawMessage
	s.AddReceivingMiddleware(g.Middleware)
	s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if p, ok := req.GetParams().(*mcp.CallToolParamsRaw); ok {
				kept = p.Arguments
			}
			return next(ctx, method, req)
		}
	})
	got := ""
	s.AddTool(&mcp.Tool{Name: "send", InputSchema: open}, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		copy(kept, `{"path":"/etc"}`)
		got = string(req.Params.Arguments)
		return &mcp.CallToolResult{}, nil
	})
	allowed(t, call(t, connect(t, s, versions[1], nil), "send", `{"path":"/tmp"}`))
	require.Equal(t, `{"path":"/tmp"}`, got)
}

// B5: a default that is filled in after the check.
func TestAttack_B5_DefaultsAfterTheCheck(t *testing.T) {
	schema := json.RawMessage(`{"type":"object","properties":{
		"path":{"type":"string"},"copies":{"type":"integer","default":5},
		"nested":{"type":"object","properties":{"path":{"type":"string","default":"/etc/passwd"}}}}}`)
	ways(t, pathPolicy, schema, func(t *testing.T, cs *mcp.ClientSession, got *[]string, how string) {
		refused(t, call(t, cs, "send", `{}`))
		refused(t, call(t, cs, "send", `{"copies":1}`))
		refused(t, call(t, cs, "send", `{"nested":{"path":"/tmp"}}`))
		refused(t, call(t, cs, "send", `{"copies":1,"nested":{"path":"/tmp"},"COPIES":1}`))
		require.Empty(t, *got)
		allowed(t, call(t, cs, "send", `{"copies":1,"nested":{"path":"/tmp"}}`))
		require.Equal(t, []string{`{"copies":1,"nested":{"path":"/tmp"}}`}, *got)
	})
}
