package vetomcp_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/guard"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

const clientPolicies = `
policies:
  - id: secret-policy-name
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [mcp__mail__send, mcp__mail__echo]}
      - type: parameter_constraint
        tools: [mcp__mail__send]
        parameters: {to: {match: '[a-z]+@example\.com'}}
      - {type: tool_allowlist, tools: [mcp__mail__remove]}
      - {type: require_approval, tools: [mcp__mail__remove]}`

// guarded is a session of a client that is guarded, with a server that is not.
func guarded(t *testing.T, w *world, version string, opts vetomcp.Options) (*mcp.ClientSession, *seen) {
	t.Helper()
	tool, s := &seen{}, newServer()
	for _, name := range []string{"send", "echo", "remove", "delete"} {
		s.AddTool(&mcp.Tool{Name: name, InputSchema: open}, tool.raw)
	}
	s.AddResource(&mcp.Resource{Name: "a", URI: "file:///a"}, nil)
	opts.Name = vetomcp.Prefix("mail")
	c := mcp.NewClient(&mcp.Implementation{Name: "client"}, nil)
	c.AddSendingMiddleware(newGuard(t, w, opts).Middleware)
	return connectClient(t, s, version, c), tool
}

func TestClient(t *testing.T) {
	for _, version := range versions {
		w := newWorld(t, clientPolicies)
		cs, tool := guarded(t, w, version, vetomcp.Options{})
		require.Equal(t, []string{"echo", "remove", "send"}, names(t, cs))
		for _, args := range []any{map[string]any{"to": "ann@example.com"}, raw(`{"to":"ann@example.com"}`), struct {
			To string `json:"to"`
		}{"ann@example.com"}} {
			allowed(t, callWith(t, cs, &mcp.CallToolParams{Name: "send", Arguments: args}))
		}
		require.Equal(t, []string{`{"to":"ann@example.com"}`, `{"to":"ann@example.com"}`, `{"to":"ann@example.com"}`}, tool.calls)
		allowed(t, callWith(t, cs, &mcp.CallToolParams{Name: "echo"}))

		for _, args := range []any{
			map[string]any{"to": "ann@evil.com"}, raw(`{"to":"ann@example.com","to":"ann@evil.com"}`), raw(`{"to":"ann@example.com","TO":"ann@evil.com"}`),
			raw(`{"to":`), make(chan int), func() {}, panics{}, nil,
		} {
			r := callWith(t, cs, &mcp.CallToolParams{Name: "send", Arguments: args})
			refused(t, r)
			var b *guard.BlockedError
			require.ErrorAs(t, r.GetError(), &b)
			require.ErrorIs(t, b, veto.ErrDenied)
		}
		refused(t, callWith(t, cs, &mcp.CallToolParams{Name: "delete"}))
		_, err := cs.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "file:///a"})
		var b *guard.BlockedError
		require.ErrorAs(t, err, &b)
		require.Equal(t, "mcp__mail__mcp.resources.read", b.Tool)
		require.Len(t, tool.calls, 4)
	}
}

type panics struct{}

func (panics) MarshalJSON() ([]byte, error) { panic("x") }

func TestClientApproval(t *testing.T) {
	for _, version := range versions {
		w := newWorld(t, clientPolicies)
		cs, tool := guarded(t, w, version, vetomcp.Options{})
		r := callWith(t, cs, &mcp.CallToolParams{Name: "remove"})
		id, signed := state(t, r)
		require.Empty(t, signed, "the server has no use for it")
		var b *guard.BlockedError
		require.ErrorAs(t, r.GetError(), &b)
		require.Equal(t, id, b.Result.ApprovalID)
		approve(t, w, id)
		r, err := cs.CallTool(guard.WithApproval(t.Context(), id), &mcp.CallToolParams{Name: "remove"})
		require.NoError(t, err)
		allowed(t, r)
		r, err = cs.CallTool(guard.WithApproval(t.Context(), id), &mcp.CallToolParams{Name: "remove"})
		require.NoError(t, err)
		refused(t, r)
		require.Len(t, tool.calls, 1)

		cs, tool = guarded(t, w, version, vetomcp.Options{Approver: yes{}})
		allowed(t, callWith(t, cs, &mcp.CallToolParams{Name: "remove"}))
		require.Len(t, tool.calls, 1)
		cs, _ = guarded(t, w, version, vetomcp.Options{Approver: no{}})
		require.Equal(t, "A human did not approve this call.", text(callWith(t, cs, &mcp.CallToolParams{Name: "remove"})))
	}
}

type no struct{}

func (no) Ask(context.Context, approval.Ticket) (approval.Answer, error) {
	return approval.Answer{By: "operator"}, nil
}

// The caller changes the arguments while the call is on its way: what was
// decided on is sent.
func TestAttack_B4_ClientArgumentsThatChange(t *testing.T) {
	w := newWorld(t, clientPolicies)
	tool, s := &seen{}, newServer()
	s.AddTool(&mcp.Tool{Name: "send", InputSchema: open}, tool.raw)
	c := mcp.NewClient(&mcp.Implementation{Name: "client"}, nil)
	args, text := map[string]any{"to": "ann@example.com"}, raw(`{"to":"ann@example.com"}`)
	c.AddSendingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			args["to"] = "ann@evil.com"
			copy(text, `{"to":"ann@evil.comxxx"}`)
			return next(ctx, method, req)
		}
	})
	c.AddSendingMiddleware(newGuard(t, w, vetomcp.Options{Name: vetomcp.Prefix("mail")}).Middleware)
	cs := connectClient(t, s, versions[1], c)
	args["to"] = "ann@example.com"
	copy(text, `{"to":"ann@example.com"}`)
	allowed(t, callWith(t, cs, &mcp.CallToolParams{Name: "send", Arguments: args}))
	copy(text, `{"to":"ann@example.com"}`)
	allowed(t, callWith(t, cs, &mcp.CallToolParams{Name: "send", Arguments: text}))
	require.Equal(t, []string{`{"to":"ann@example.com"}`, `{"to":"ann@example.com"}`}, tool.calls)
}

// TestClientAndServer: both sides can be guarded, each by its own policies.
func TestClientAndServer(t *testing.T) {
	ours, theirs := newWorld(t, clientPolicies), newWorld(t, policies)
	s, tool := newServer(), &seen{}
	require.NoError(t, vetomcp.AddTool(s, newGuard(t, theirs, vetomcp.Options{}), &mcp.Tool{Name: "send"}, tool.tool))
	c := mcp.NewClient(&mcp.Implementation{Name: "client"}, nil)
	c.AddSendingMiddleware(newGuard(t, ours, vetomcp.Options{Name: vetomcp.Prefix("mail")}).Middleware)
	cs := connectClient(t, s, versions[1], c)
	allowed(t, call(t, cs, "send", `{"to":"ann@example.com"}`))
	r := call(t, cs, "send", `{"to":"ann@example.com","copies":9}`)
	refused(t, r)
	require.NoError(t, r.GetError(), "it was decided elsewhere")
	require.Equal(t, []string{"mcp__mail__send: allowed", "mcp__mail__send: allowed"}, ours.decisions(t))
	require.Equal(t, []string{"send: allowed", "send: constraint_violated"}, theirs.decisions(t))
	require.Len(t, tool.calls, 1)
}

// TestRequestsOfAnotherType: what is no tool call cannot be decided as one.
func TestRequestsOfAnotherType(t *testing.T) {
	w := newWorld(t, policies)
	m := newGuard(t, w, vetomcp.Options{}).Middleware(func(context.Context, string, mcp.Request) (mcp.Result, error) {
		t.Error("it ran")
		return nil, nil
	})
	for _, req := range []mcp.Request{
		&mcp.CallToolRequest{}, &mcp.ClientRequest[*mcp.CallToolParams]{}, &mcp.ListToolsRequest{}, nil,
		&mcp.ServerRequest[*mcp.CallToolParams]{Params: &mcp.CallToolParams{Name: "echo", Arguments: json.RawMessage(`{}`)}},
	} {
		_, err := m(t.Context(), "tools/call", req)
		require.Error(t, err)
	}
}
