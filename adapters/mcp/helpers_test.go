package vetomcp_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	vetomcp "github.com/useveto/veto-go/adapters/mcp"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
)

const policies = `
policies:
  - id: secret-policy-name
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [send, echo, "mcp.resources.read", count]}
      - type: parameter_constraint
        tools: [send]
        parameters:
          to: {match: '[a-z]+@example\.com', optional: true}
          copies: {max: 3, optional: true}
      - {type: rate_limit, tools: [count], rateLimit: {maxCalls: 2, windowSeconds: 3600}}
      - type: parameter_constraint
        tools: [mcp.resources.read]
        parameters: {uri: {match: 'file:///public/.*'}}
  - id: removals
    agentId: bot
    rules:
      - {type: tool_allowlist, tools: [remove]}
      - {type: require_approval, tools: [remove], approval: {message: Look at the path.}}
`

// world is an Authorizer with everything that a test looks at.
type world struct {
	*veto.Authorizer
	book    *approval.Book
	records *audit.Memory
}

func newWorld(t testing.TB, document string) *world {
	t.Helper()
	set, err := veto.Load("policies.yaml", []byte(document))
	require.NoError(t, err)
	key, err := approval.NewKey([]byte("0123456789abcdef0123456789abcdef"))
	require.NoError(t, err)
	w := &world{records: audit.NewMemory(nil)}
	w.book, err = approval.New(&approval.Memory{}, key, nil)
	require.NoError(t, err)
	w.Authorizer, err = veto.New(set, &veto.Options{Approvals: w.book, Sink: w.records})
	require.NoError(t, err)
	return w
}

// decisions returns the results of all records, oldest first.
func (w *world) decisions(t testing.TB) []string {
	t.Helper()
	all, _ := w.records.Query(audit.Query{Limit: 1000})
	var said []string
	for i := len(all) - 1; i >= 0; i-- {
		said = append(said, all[i].ToolName+": "+all[i].Code.String())
	}
	return said
}

func newGuard(t testing.TB, w *world, opts vetomcp.Options) *vetomcp.Guard {
	t.Helper()
	if opts.Agent == "" && opts.Identity == nil {
		opts.Agent = "bot"
	}
	g, err := vetomcp.New(w.Authorizer, &opts)
	require.NoError(t, err)
	return g
}

func newServer() *mcp.Server {
	return mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
}

// The two generations of the protocol: with one session, and without.
var versions = []string{"2025-11-25", "2026-07-28"}

// connect returns a session of a new client with the server.
func connect(t testing.TB, s *mcp.Server, version string, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	return connectClient(t, s, version, mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, opts))
}

func connectClient(t testing.TB, s *mcp.Server, version string, c *mcp.Client) *mcp.ClientSession {
	t.Helper()
	ours, theirs := mcp.NewInMemoryTransports()
	ss, err := s.Connect(t.Context(), ours, nil)
	require.NoError(t, err)
	cs, err := c.Connect(t.Context(), theirs, &mcp.ClientSessionOptions{ProtocolVersion: version})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = cs.Close()
		_ = ss.Wait()
	})
	return cs
}

// call calls a tool with raw arguments and returns the result.
func call(t testing.TB, cs *mcp.ClientSession, tool, args string) *mcp.CallToolResult {
	t.Helper()
	return callWith(t, cs, &mcp.CallToolParams{Name: tool, Arguments: json.RawMessage(args)})
}

func callWith(t testing.TB, cs *mcp.ClientSession, p *mcp.CallToolParams) *mcp.CallToolResult {
	t.Helper()
	r, err := cs.CallTool(t.Context(), p)
	require.NoError(t, err)
	return r
}

func text(r *mcp.CallToolResult) string {
	if len(r.Content) == 0 {
		return ""
	}
	c, _ := r.Content[0].(*mcp.TextContent)
	return c.Text
}

func allowed(t testing.TB, r *mcp.CallToolResult) {
	t.Helper()
	require.False(t, r.IsError, text(r))
}

func refused(t testing.TB, r *mcp.CallToolResult) {
	t.Helper()
	require.True(t, r.IsError)
	for _, secret := range []string{"secret-policy-name", "removals", "example", "match"} {
		require.NotContains(t, text(r), secret)
	}
}

// state is what a result says of its approval.
func state(t testing.TB, r *mcp.CallToolResult) (id, signed string) {
	t.Helper()
	require.True(t, r.IsError)
	m, ok := r.Meta[vetomcp.MetaKey].(map[string]any)
	require.True(t, ok, "%v", r.Meta)
	id, _ = m["id"].(string)
	signed, _ = m["state"].(string)
	require.NotEmpty(t, id)
	return id, signed
}

func approve(t testing.TB, w *world, id string) {
	t.Helper()
	require.NoError(t, w.book.Answer(t.Context(), id, approval.Answer{Approve: true, By: "ann"}))
}

type sendArgs struct {
	To     string `json:"to,omitempty"`
	Path   string `json:"path,omitempty"`
	Copies int64  `json:"copies,omitempty"`
}

// seen is what a tool got.
type seen struct {
	calls []string
}

func (s *seen) tool(_ context.Context, _ *mcp.CallToolRequest, in sendArgs) (*mcp.CallToolResult, sendArgs, error) {
	data, err := json.Marshal(in)
	s.calls = append(s.calls, string(data))
	return nil, in, err
}

func (s *seen) raw(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	s.calls = append(s.calls, string(req.Params.Arguments))
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "done"}}}, nil
}

// open is an input schema that permits everything.
var open = json.RawMessage(`{"type":"object"}`)

func raw(text string) json.RawMessage { return json.RawMessage(text) }
