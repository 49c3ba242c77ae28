package vetomcp_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// dispatched runs a test with a server whose tools call_tool and run_tool run
// others, one of which needs an approval. It calls servers of the same state:
// each has a guard of its own, with the same key.
func dispatched(t *testing.T, opts vetomcp.Options, test func(t *testing.T, w *world, server func() *mcp.Server, version string, tool *seen)) {
	opts.StateKey = make([]byte, 32)
	opts.Dispatchers = map[string]vetomcp.Dispatcher{}
	for _, name := range []string{"call_tool", "run_tool"} {
		opts.Dispatchers[name] = vetomcp.Dispatcher{Tool: "tool", Arguments: "arguments", Undecided: []string{"reason", "on"}}
	}
	for _, version := range versions {
		for _, where := range []string{"tool", "middleware", "both"} {
			t.Run(version+" "+where, func(t *testing.T) {
				w, tool := newWorld(t, policies), &seen{}
				test(t, w, func() *mcp.Server {
					s, g := newServer(), newGuard(t, w, opts)
					for _, name := range []string{"call_tool", "run_tool", "remove"} {
						if where == "middleware" {
							s.AddTool(&mcp.Tool{Name: name, InputSchema: open}, tool.raw)
						} else {
							require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: name, InputSchema: open}, tool.raw))
						}
					}
					if where != "tool" {
						s.AddReceivingMiddleware(g.Middleware)
					}
					return s
				}, version, tool)
			})
		}
	}
}

// unlike are calls that come to the same inner call as the first, and differ
// in what nothing decides on.
var unlike = [][2]string{
	{"call_tool", `{"tool":"remove","arguments":{"path":"/a"},"reason":"tidy","on":{"host":"test","n":1}}`},
	{"call_tool", `{"tool":"remove","arguments":{"path":"/a"},"reason":"tidy","on":{"host":"live","n":1}}`},
	{"call_tool", `{"tool":"remove","arguments":{"path":"/a"},"reason":"tidy","on":{"host":"live","host":"test","n":1}}`},
	{"call_tool", `{"tool":"remove","arguments":{"path":"/a"},"reason":"tidy","on":{"host":"test","n":2}}`},
	{"call_tool", `{"tool":"remove","arguments":{"path":"/a"},"on":{"host":"test","n":1}}`},
	{"call_tool", `{"tool":"remove","arguments":{"path":"/a"}}`},
	{"run_tool", `{"tool":"remove","arguments":{"path":"/a"},"reason":"tidy","on":{"host":"test","n":1}}`},
	{"call_tool", `{"tool":"run_tool","arguments":{"tool":"remove","arguments":{"path":"/a"},"reason":"tidy","on":{"host":"test","n":1}}}`},
	{"remove", `{"path":"/a"}`},
}

// same is the first of these, as another client may write it.
const same = `{ "on": {"host":"test", "n":1}, "arguments":"{\"path\":\"/a\"}","tool":"remove", "reason":"tidy"}`

// E1: what was approved through one tool, and with these parameters that
// nothing decides on, is not approved with others.
func TestAttack_E1_AnotherOuterCall(t *testing.T) {
	dispatched(t, vetomcp.Options{}, func(t *testing.T, w *world, server func() *mcp.Server, version string, tool *seen) {
		one, two := connect(t, server(), version, nil), connect(t, server(), version, nil)
		first := call(t, one, unlike[0][0], unlike[0][1])
		id, signed := state(t, first)
		require.Equal(t, signed, func() string { _, again := state(t, call(t, one, "call_tool", same)); return again }())
		for range 2 { // before the approval, and after it
			for _, cs := range []*mcp.ClientSession{one, two} {
				for _, other := range unlike[1:] {
					refused(t, callWith(t, cs, again(other[0], other[1], signed)))
					refused(t, callWith(t, cs, &mcp.CallToolParams{Name: other[0], Arguments: raw(other[1]), RequestState: signed}))
					// Nor is there a state for it to be had.
					r := call(t, cs, other[0], other[1])
					refused(t, r)
					if other[0] == "remove" && cs == two {
						continue // a process that does not know better: nothing is undecided there
					}
					require.NotContains(t, r.Meta, vetomcp.MetaKey, other)
					require.Contains(t, r.Content[1].(*mcp.TextContent).Text, "exactly as it was")
				}
			}
			if ticket, err := w.book.Get(t.Context(), id); err == nil && ticket.State == approval.Pending {
				approve(t, w, id)
			}
		}
		require.Empty(t, tool.calls)
		allowed(t, callWith(t, two, again("call_tool", same, signed)))
		require.Len(t, tool.calls, 1)
		require.JSONEq(t, same, tool.calls[0])
		other, _ := state(t, call(t, one, unlike[1][0], unlike[1][1]))
		require.NotEqual(t, id, other, "now it has its own")
	})
}

// E1: the same where a repeated call resumes.
func TestAttack_E1_AnotherOuterCallRepeats(t *testing.T) {
	dispatched(t, vetomcp.Options{RepeatResumes: true}, func(t *testing.T, w *world, server func() *mcp.Server, version string, tool *seen) {
		one, two := connect(t, server(), version, nil), connect(t, server(), version, nil)
		id, _ := state(t, call(t, one, unlike[0][0], unlike[0][1]))
		approve(t, w, id)
		for _, other := range unlike[1:] {
			refused(t, call(t, one, other[0], other[1]))
			if other[0] != "remove" {
				refused(t, call(t, two, other[0], other[1]))
			}
		}
		require.Empty(t, tool.calls)
		allowed(t, call(t, one, "call_tool", same))
		require.Len(t, tool.calls, 1)
	})
}

// E1: the human at the client sees all that the approval is for.
func TestAttack_E1_OuterCallIsShown(t *testing.T) {
	dispatched(t, vetomcp.Options{TrustClientUserAsApprover: trustAnn}, func(t *testing.T, w *world, server func() *mcp.Server, version string, tool *seen) {
		ann := &user{action: "accept", content: map[string]any{"approve": true}}
		cs := connect(t, server(), version, ann.client())
		allowed(t, call(t, cs, unlike[0][0], unlike[0][1]))
		require.Equal(t, []string{`The agent "bot" wants to call the tool remove with {"path":"/a"}. Look at the path. ` +
			`It is called through "call_tool" with {"on":{"host":"test","n":1},"reason":"tidy"}.`}, ann.asked)
		allowed(t, call(t, cs, unlike[7][0], unlike[7][1]))
		require.Contains(t, ann.asked[1], `It is called through "call_tool", "run_tool" with {"on":{"host":"test","n":1},"reason":"tidy"}.`)
		allowed(t, call(t, cs, "remove", `{"path":"/a"}`))
		require.NotContains(t, ann.asked[2], "through")
		long := `{"tool":"remove","arguments":{},"reason":"<b>` + strings.Repeat("x", 5000) + `"}`
		allowed(t, call(t, cs, "call_tool", long))
		require.NotContains(t, ann.asked[3], "<b>")
		require.Regexp(t, `through "call_tool" with parameters of 50\d\d bytes, SHA-256 [0-9a-f]{64}\.$`, ann.asked[3])
	})
}

// approver is a human of the host's.
type approver struct {
	asked []string
	ask   func() (approval.Answer, error)
}

func (a *approver) Ask(_ context.Context, t approval.Ticket) (approval.Answer, error) {
	a.asked = append(a.asked, t.Message)
	return a.ask()
}

// E1: so does the approver of the host, and what it left open is for no other
// call.
func TestAttack_E1_OuterCallAndTheHostsApprover(t *testing.T) {
	human := &approver{}
	dispatched(t, vetomcp.Options{Approver: human}, func(t *testing.T, w *world, server func() *mcp.Server, version string, tool *seen) {
		human.asked = nil
		human.ask = func() (approval.Answer, error) { return approval.Answer{}, context.DeadlineExceeded }
		cs := connect(t, server(), version, nil)
		id, _ := state(t, call(t, cs, unlike[0][0], unlike[0][1]))
		require.Equal(t, []string{`Look at the path. It is called through "call_tool" with {"on":{"host":"test","n":1},"reason":"tidy"}.`}, human.asked)
		approve(t, w, id) // later, elsewhere
		refused(t, call(t, cs, unlike[1][0], unlike[1][1]))
		require.Empty(t, tool.calls)
		require.Len(t, human.asked, 1)
		allowed(t, call(t, cs, unlike[0][0], unlike[0][1]))
		human.ask = func() (approval.Answer, error) { return approval.Answer{Approve: true, By: "operator"}, nil }
		allowed(t, call(t, cs, unlike[1][0], unlike[1][1]))
		require.Len(t, human.asked, 2)
	})
}

// E1: one waits, and another that is unlike it does not take its approval.
func TestAttack_E1_OuterCallThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, tool := newWorld(t, policies), &seen{}
		g := newGuard(t, w, vetomcp.Options{Wait: true, Dispatchers: map[string]vetomcp.Dispatcher{
			"call_tool": {Tool: "tool", Arguments: "arguments", Undecided: []string{"reason", "on"}},
		}})
		m := g.Middleware(func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if method == "tools/list" {
				return &mcp.ListToolsResult{}, nil
			}
			return tool.raw(ctx, req.(*mcp.CallToolRequest))
		})
		do := func(args string) *mcp.CallToolResult {
			r, err := m(t.Context(), "tools/call", &mcp.CallToolRequest{Session: &mcp.ServerSession{}, Params: &mcp.CallToolParamsRaw{Name: "call_tool", Arguments: raw(args)}})
			require.NoError(t, err)
			return r.(*mcp.CallToolResult)
		}
		done := make(chan *mcp.CallToolResult)
		go func() { done <- do(unlike[0][1]) }()
		synctest.Wait()
		time.Sleep(time.Minute) // of fake time
		refused(t, do(unlike[1][1]))
		all, err := w.book.List(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
		approve(t, w, all[0].ID)
		allowed(t, <-done)
		require.Equal(t, []string{unlike[0][1]}, tool.calls)
	})
}

// B4: what is around the call is rewritten between the decision and the tool:
// for the tool's own guard it is another call.
func TestAttack_B4_OuterCallRewritten(t *testing.T) {
	w, s, tool := newWorld(t, policies), newServer(), &seen{}
	g := newGuard(t, w, vetomcp.Options{Dispatchers: map[string]vetomcp.Dispatcher{"call_tool": {Tool: "tool", Arguments: "arguments", Undecided: []string{"on"}}}})
	s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			if p, ok := req.GetParams().(*mcp.CallToolParamsRaw); ok {
				p.Arguments = raw(strings.ReplaceAll(string(p.Arguments), "test", "live"))
			}
			return next(ctx, method, req)
		}
	})
	s.AddReceivingMiddleware(g.Middleware)
	require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "call_tool", InputSchema: open}, tool.raw))
	cs := connect(t, s, versions[1], nil)
	id, signed := state(t, call(t, cs, "call_tool", `{"tool":"remove","arguments":{},"on":"test"}`))
	approve(t, w, id)
	refused(t, callWith(t, cs, again("call_tool", `{"tool":"remove","arguments":{},"on":"test"}`, signed)))
	require.Empty(t, tool.calls)
}
