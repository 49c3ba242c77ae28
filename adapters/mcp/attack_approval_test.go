package vetomcp_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/guard"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// connected is a server whose callers are told apart by their connection.
type connected struct {
	*mcp.Server
	mu  sync.Mutex
	who map[mcp.Session]guard.Identity
}

func (c *connected) identity(_ context.Context, req mcp.Request) guard.Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.who[req.GetSession()]
}

// connect returns a client that is this agent.
func (c *connected) connect(t *testing.T, who guard.Identity) *mcp.ClientSession {
	known := make(map[mcp.Session]bool)
	for ss := range c.Sessions() {
		known[ss] = true
	}
	cs := connect(t, c.Server, versions[0], nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	for ss := range c.Sessions() {
		if !known[ss] {
			c.who[ss] = who
		}
	}
	return cs
}

// E1: one call is approved, and another is made. (CVE-2025-54136)
func TestAttack_E1_AnotherCallThanTheApproved(t *testing.T) {
	const document = `policies: [{id: p, agentId: "*", rules: [{type: require_approval, tools: ["*"]}]}]`
	w, tool := newWorld(t, document), &seen{}
	s := &connected{Server: newServer(), who: make(map[mcp.Session]guard.Identity)}
	g := newGuard(t, w, vetomcp.Options{Identity: s.identity, StateKey: make([]byte, 32)})
	for _, name := range []string{"remove", "wipe"} {
		require.NoError(t, vetomcp.AddTool(s.Server, g, &mcp.Tool{Name: name, InputSchema: open}, tool.tool))
	}
	who := guard.Identity{Agent: "bot", Project: "p", Session: "s", User: "u"}
	mine := s.connect(t, who)
	id, signed := state(t, call(t, mine, "remove", `{"path":"/a"}`))
	approve(t, w, id)

	for _, args := range []string{`{"path":"/b"}`, `{"path":"/a","copies":1}`, `{}`, `{"path":"/a","path":"/b"}`} {
		refused(t, callWith(t, mine, again("remove", args, signed)))
	}
	refused(t, callWith(t, mine, again("wipe", `{"path":"/a"}`, signed)))
	for _, other := range []guard.Identity{
		{Agent: "other", Project: "p", Session: "s", User: "u"}, {Agent: "bot", Project: "q", Session: "s", User: "u"},
		{Agent: "bot", Project: "p", Session: "t", User: "u"}, {Agent: "bot", Project: "p", Session: "s", User: "v"}, {Agent: "bot"},
	} {
		refused(t, callWith(t, s.connect(t, other), again("remove", `{"path":"/a"}`, signed)))
	}
	// A policy that is another now.
	set, err := veto.Load("p.yaml", []byte(`policies: [{id: p, agentId: "*", rules: [{type: require_approval, tools: ["*"], approval: {ttlSeconds: 60}}]}]`))
	require.NoError(t, err)
	require.NoError(t, w.SetPolicies(set))
	refused(t, callWith(t, mine, again("remove", `{"path":"/a"}`, signed)))
	require.Empty(t, tool.calls)

	// Nothing of that has used it up.
	set, err = veto.Load("p.yaml", []byte(document))
	require.NoError(t, err)
	require.NoError(t, w.SetPolicies(set))
	allowed(t, callWith(t, mine, again("remove", `{"path":"/a"}`, signed)))
	require.Len(t, tool.calls, 1)
}

// E1: the id of an approval that another call has is worth nothing without a
// state for it, and a state is not for the client to make.
func TestAttack_E1_SwappedIDs(t *testing.T) {
	both(t, vetomcp.Options{TrustClientUserAsApprover: trustAnn}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		cs := connect(nil)
		good, _ := state(t, call(t, cs, "remove", `{"path":"/good"}`))
		approve(t, w, good)
		bad, signed := state(t, call(t, cs, "remove", `{"path":"/bad"}`))
		mac := signed[:len(signed)-len(bad)]
		for _, forged := range []any{good, mac + good, mac + bad + "," + good, "veto1.." + good, "veto1." + good, map[string]any{"id": good}, []any{signed}, 7, nil, ""} {
			r, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "remove", Arguments: raw(`{"path":"/bad"}`), Meta: mcp.Meta{vetomcp.MetaKey: forged}})
			require.NoError(t, err)
			refused(t, r)
		}
		require.Empty(t, tool.calls)
	})
}

// E1: an answer to a question that nobody put is none.
func TestAttack_E1_AnswersWithoutAQuestion(t *testing.T) {
	both(t, vetomcp.Options{TrustClientUserAsApprover: trustAnn}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		u := &user{action: "cancel"}
		cs := connect(u.client())
		id, _ := state(t, call(t, cs, "remove", `{"path":"/a"}`))
		yes := mcp.InputResponseMap{id: &mcp.ElicitResult{Action: "accept", Content: map[string]any{"approve": true}}}
		refused(t, callWith(t, cs, &mcp.CallToolParams{Name: "remove", Arguments: raw(`{"path":"/a"}`), InputResponses: yes, RequestState: "veto1.x." + id}))
		refused(t, callWith(t, cs, &mcp.CallToolParams{Name: "remove", Arguments: raw(`{"path":"/a"}`), InputResponses: yes}))
		require.Empty(t, tool.calls)
		ticket, err := w.book.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, approval.Pending, ticket.State)
	})
}

// By default the client's answers count for nothing, whatever it sends: the
// client is the agent's.
func TestAttack_E4_TheClientApprovesItself(t *testing.T) {
	both(t, vetomcp.Options{}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		u := &user{action: "accept", content: map[string]any{"approve": true}}
		cs := connect(u.client())
		id, signed := state(t, call(t, cs, "remove", `{"path":"/a"}`))
		yes := mcp.InputResponseMap{id: &mcp.ElicitResult{Action: "accept", Content: map[string]any{"approve": true}}}
		refused(t, callWith(t, cs, &mcp.CallToolParams{Name: "remove", Arguments: raw(`{"path":"/a"}`), InputResponses: yes, RequestState: signed}))
		require.Empty(t, tool.calls)
		require.Empty(t, u.asked)
		ticket, err := w.book.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, approval.Pending, ticket.State)
	})
}

// E4: the agent is no approver, also where the client is trusted.
func TestAttack_E4_TheAgentAsApprover(t *testing.T) {
	for _, name := range []string{"bot", "BOT"} {
		both(t, vetomcp.Options{TrustClientUserAsApprover: func(context.Context, mcp.Request) string { return name }},
			func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
				u := &user{action: "accept", content: map[string]any{"approve": true}}
				state(t, call(t, connect(u.client()), "remove", `{"path":"/a"}`))
				require.Len(t, u.asked, 1)
				require.Empty(t, tool.calls)
			})
	}
}

// E2: of many uses of one approval at the same time, one runs.
func TestAttack_E2_UsedAtTheSameTime(t *testing.T) {
	for _, repeat := range []bool{false, true} {
		w, s := newWorld(t, policies), newServer()
		g := newGuard(t, w, vetomcp.Options{RepeatResumes: repeat})
		var ran atomic.Int32
		s.AddReceivingMiddleware(g.Middleware)
		require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: "remove", InputSchema: open}, func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			ran.Add(1)
			return &mcp.CallToolResult{}, nil
		}))
		cs := connect(t, s, versions[1], nil)
		id, signed := state(t, call(t, cs, "remove", `{}`))
		approve(t, w, id)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { _, _ = cs.CallTool(t.Context(), again("remove", `{}`, signed)) })
		}
		wg.Wait()
		require.EqualValues(t, 1, ran.Load())
	}
}

// E3: a call that passes the guard twice is counted once and spends its
// approval once.
func TestAttack_E3_GuardedTwice(t *testing.T) {
	w, s, tool := newWorld(t, `policies: [{id: p, agentId: bot, rules: [
		{type: require_approval, tools: [remove]}, {type: rate_limit, tools: [remove], rateLimit: {maxCalls: 1, windowSeconds: 60}}]}]`), newServer(), &seen{}
	g := newGuard(t, w, vetomcp.Options{})
	s.AddReceivingMiddleware(g.Middleware, g.Middleware)
	require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "remove"}, tool.tool))
	cs := connect(t, s, versions[1], nil)
	id, signed := state(t, call(t, cs, "remove", `{}`))
	approve(t, w, id)
	allowed(t, callWith(t, cs, again("remove", `{}`, signed)))
	require.Equal(t, []string{"remove: approval_required", "remove: allowed"}, w.decisions(t))
	refused(t, callWith(t, cs, again("remove", `{}`, signed)))
	require.Len(t, tool.calls, 1)
}

// E3a: a loop of one call is one question; one of many calls ends at a limit.
func TestAttack_E3a_ManyEscalations(t *testing.T) {
	w, s, tool := newWorld(t, policies), newServer(), &seen{}
	require.NoError(t, vetomcp.AddTool(s, newGuard(t, w, vetomcp.Options{}), &mcp.Tool{Name: "remove"}, tool.tool))
	cs := connect(t, s, versions[1], nil)
	for range 100 {
		state(t, call(t, cs, "remove", `{"path":"/a"}`))
	}
	all, err := w.book.List(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	for i := range approval.MaxPendingPerAgent - 1 {
		state(t, call(t, cs, "remove", fmt.Sprintf(`{"copies":%d}`, i+1)))
	}
	r := call(t, cs, "remove", `{"copies":99}`)
	require.Equal(t, "This call is over a limit.", text(r))
	require.Nil(t, r.Meta[vetomcp.MetaKey])
	require.Empty(t, tool.calls)
}
