package vetomcp_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"

	"github.com/useveto/veto-go"
	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// both runs a test with a tool that is guarded itself, and with one that only
// the middleware guards, under both generations of the protocol.
func both(t *testing.T, opts vetomcp.Options, test func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen)) {
	for _, version := range versions {
		for _, where := range []string{"tool", "middleware", "both"} {
			t.Run(version+" "+where, func(t *testing.T) {
				w, tool, s := newWorld(t, policies), &seen{}, newServer()
				g := newGuard(t, w, opts)
				if where != "middleware" {
					require.NoError(t, vetomcp.AddTool(s, g, &mcp.Tool{Name: "remove"}, tool.tool))
				} else {
					mcp.AddTool(s, &mcp.Tool{Name: "remove"}, tool.tool)
				}
				if where != "tool" {
					s.AddReceivingMiddleware(g.Middleware)
				}
				test(t, w, func(opts *mcp.ClientOptions) *mcp.ClientSession { return connect(t, s, version, opts) }, tool)
			})
		}
	}
}

func again(tool, args, state string) *mcp.CallToolParams {
	return &mcp.CallToolParams{Name: tool, Arguments: raw(args), Meta: mcp.Meta{vetomcp.MetaKey: state}}
}

func TestApprovalByState(t *testing.T) {
	both(t, vetomcp.Options{}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		cs := connect(nil)
		r := call(t, cs, "remove", `{"path":"/a"}`)
		require.Equal(t, "This call needs the approval of a human, who has not answered yet.", text(r))
		require.Nil(t, r.StructuredContent)
		id, state := state(t, r)
		require.Contains(t, r.Content[1].(*mcp.TextContent).Text, id)
		require.NotEmpty(t, r.Meta[vetomcp.MetaKey].(map[string]any)["expires"])

		refused(t, callWith(t, cs, again("remove", `{"path":"/a"}`, state))) // too early
		approve(t, w, id)
		refused(t, call(t, cs, "remove", `{"path":"/a"}`)) // without it
		require.Empty(t, tool.calls)
		allowed(t, callWith(t, cs, again("remove", `{ "path" : "/a" }`, state)))
		require.Equal(t, []string{`{"path":"/a"}`}, tool.calls)

		r = callWith(t, cs, again("remove", `{"path":"/a"}`, state)) // a second time
		require.Equal(t, "The approval of this call is no longer valid.", text(r))
		require.Len(t, tool.calls, 1)
		ticket, err := w.book.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, approval.Ran, ticket.Outcome)
	})
}

// TestTheHandlerDoesNotSeeTheState, which is the guard's, but the rest of _meta.
func TestTheHandlerDoesNotSeeTheState(t *testing.T) {
	w, s, got := newWorld(t, policies), newServer(), mcp.Meta{}
	require.NoError(t, vetomcp.AddRawTool(s, newGuard(t, w, vetomcp.Options{}), &mcp.Tool{Name: "echo", InputSchema: open}, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		got = req.Params.Meta
		return &mcp.CallToolResult{}, nil
	}))
	allowed(t, callWith(t, connect(t, s, versions[0], nil), &mcp.CallToolParams{Name: "echo", Meta: mcp.Meta{vetomcp.MetaKey: "veto1.x.y", "mine": "z"}}))
	require.Equal(t, mcp.Meta{"mine": "z"}, got)
}

func TestApprovalByRepeating(t *testing.T) {
	both(t, vetomcp.Options{RepeatResumes: true}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		cs := connect(nil)
		id, _ := state(t, call(t, cs, "remove", `{"path":"/a"}`))
		same, _ := state(t, call(t, cs, "remove", `{"path":"/a"}`))
		require.Equal(t, id, same)
		approve(t, w, id)
		refused(t, call(t, cs, "remove", `{"path":"/b"}`))
		allowed(t, call(t, cs, "remove", `{"path":"/a"}`))
		other, _ := state(t, call(t, cs, "remove", `{"path":"/a"}`))
		require.NotEqual(t, id, other, "it was for once")
		require.Equal(t, []string{`{"path":"/a"}`}, tool.calls)
	})
}

// user is the human at a client.
type user struct {
	action  string
	content map[string]any
	err     error
	asked   []string
}

func (u *user) client() *mcp.ClientOptions {
	return &mcp.ClientOptions{ElicitationHandler: func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
		u.asked = append(u.asked, req.Params.Message)
		return &mcp.ElicitResult{Action: u.action, Content: u.content}, u.err
	}}
}

func trustAnn(context.Context, mcp.Request) string { return "ann" }

func TestApprovalByElicitation(t *testing.T) {
	both(t, vetomcp.Options{TrustClientUserAsApprover: trustAnn}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		ann := &user{action: "accept", content: map[string]any{"approve": true}}
		cs := connect(ann.client())
		allowed(t, call(t, cs, "remove", `{"path":"/a","copies":1}`))
		require.Equal(t, []string{`{"path":"/a","copies":1}`}, tool.calls)
		require.Equal(t, []string{`The agent "bot" wants to call the tool remove with {"path":"/a","copies":1}. Look at the path.`}, ann.asked)
		tickets, err := w.book.List(t.Context())
		require.NoError(t, err)
		require.Len(t, tickets, 1)
		require.Equal(t, "ann", tickets[0].By)
		require.Equal(t, approval.Used, tickets[0].State)
		require.Equal(t, approval.Ran, tickets[0].Outcome)

		allowed(t, call(t, cs, "remove", `{"path":"/a","copies":1}`))
		require.Len(t, ann.asked, 2, "each call is asked about")
	})
}

func TestElicitationThatDoesNotApprove(t *testing.T) {
	both(t, vetomcp.Options{TrustClientUserAsApprover: trustAnn}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		no, waits := "A human did not approve this call.", "This call needs the approval of a human, who has not answered yet."
		for i, u := range []struct {
			user
			want string
		}{
			{user{action: "decline"}, no},
			{user{action: "accept", content: map[string]any{"approve": false}}, no},
			{user{action: "cancel"}, waits},
			{user{action: "cancel", content: map[string]any{"approve": true}}, waits},
			{user{action: "accept"}, waits}, // a client that only clicks it away
		} {
			cs := connect(u.client())
			r := call(t, cs, "remove", `{"copies":`+string(rune('1'+i))+`}`)
			require.Equal(t, u.want, text(r), "%+v", u.user)
			require.Len(t, u.asked, 1)
			if u.want == waits {
				state(t, r)
			}
		}
		require.Empty(t, tool.calls)
	})
}

// TestElicitationThatFails: nobody was asked, so nobody has answered.
func TestElicitationThatFails(t *testing.T) {
	w, tool, s := newWorld(t, policies), &seen{}, newServer()
	require.NoError(t, vetomcp.AddTool(s, newGuard(t, w, vetomcp.Options{TrustClientUserAsApprover: trustAnn}), &mcp.Tool{Name: "remove"}, tool.tool))
	u := &user{err: errors.New("no terminal")}
	state(t, call(t, connect(t, s, versions[0], u.client()), "remove", `{}`))
	_, err := connect(t, s, versions[1], u.client()).CallTool(t.Context(), &mcp.CallToolParams{Name: "remove"})
	require.ErrorContains(t, err, "no terminal", "there the client asks, and says so")
	require.Empty(t, tool.calls)
}

// TestNobodyIsAskedWithoutTrust: neither by default, nor where the host does
// not trust this client, nor where the client cannot ask.
func TestNobodyIsAskedWithoutTrust(t *testing.T) {
	for name, trust := range map[string]func(context.Context, mcp.Request) string{
		"default": nil,
		"nobody":  func(context.Context, mcp.Request) string { return "" },
		"panic":   func(context.Context, mcp.Request) string { panic("x") },
	} {
		t.Run(name, func(t *testing.T) {
			both(t, vetomcp.Options{TrustClientUserAsApprover: trust}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
				u := &user{action: "accept", content: map[string]any{"approve": true}}
				state(t, call(t, connect(u.client()), "remove", `{}`))
				require.Empty(t, u.asked)
			})
		})
	}
	both(t, vetomcp.Options{TrustClientUserAsApprover: trustAnn}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		state(t, call(t, connect(nil), "remove", `{}`))
		u := &user{action: "accept", content: map[string]any{"approve": true}}
		url := &mcp.ClientOptions{
			ElicitationHandler: u.client().ElicitationHandler,
			Capabilities:       &mcp.ClientCapabilities{Elicitation: &mcp.ElicitationCapabilities{URL: &mcp.URLElicitationCapabilities{}}},
		}
		state(t, call(t, connect(url), "remove", `{}`))
		require.Empty(t, u.asked)
	})
}

const twoPolicies = `
policies:
  - {id: one, agentId: bot, rules: [{type: tool_allowlist, tools: [remove]}, {type: require_approval, tools: [remove], approval: {message: First.}}]}
  - {id: two, agentId: bot, rules: [{type: require_approval, tools: [remove], approval: {message: Second.}}]}`

// TestTwoPoliciesAsk: a call that two policies escalate is asked about twice,
// and one state carries both approvals.
func TestTwoPoliciesAsk(t *testing.T) {
	for _, version := range versions {
		w, tool, s := newWorld(t, twoPolicies), &seen{}, newServer()
		require.NoError(t, vetomcp.AddTool(s, newGuard(t, w, vetomcp.Options{TrustClientUserAsApprover: trustAnn}), &mcp.Tool{Name: "remove"}, tool.tool))
		ann := &user{action: "accept", content: map[string]any{"approve": true}}
		allowed(t, call(t, connect(t, s, version, ann.client()), "remove", `{}`))
		require.Len(t, ann.asked, 2)
		require.Len(t, tool.calls, 1)

		cs := connect(t, s, version, nil)
		one, first := state(t, call(t, cs, "remove", `{}`))
		approve(t, w, one)
		two, second := state(t, callWith(t, cs, again("remove", `{}`, first)))
		require.NotEqual(t, one, two)
		approve(t, w, two)
		allowed(t, callWith(t, cs, again("remove", `{}`, second)))
		require.Len(t, tool.calls, 2)
	}
}

// TestToolThatAsksItself: a tool's own requests for input pass, with its state,
// and each round is decided.
func TestToolThatAsksItself(t *testing.T) {
	for _, version := range versions {
		w, s := newWorld(t, policies), newServer()
		g := newGuard(t, w, vetomcp.Options{RepeatResumes: true, TrustClientUserAsApprover: trustAnn})
		rounds := 0
		for _, name := range []string{"echo", "remove"} {
			require.NoError(t, vetomcp.AddRawTool(s, g, &mcp.Tool{Name: name, InputSchema: open}, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				if rounds++; req.Params.RequestState == "" {
					return &mcp.CallToolResult{RequestState: "mine", InputRequests: mcp.InputRequestMap{"name": &mcp.ElicitParams{Message: "Your name?"}}}, nil
				}
				require.Equal(t, "mine", req.Params.RequestState)
				return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: req.Params.InputResponses["name"].(*mcp.ElicitResult).Action}}}, nil
			}))
		}
		s.AddReceivingMiddleware(g.Middleware)
		u := &user{action: "accept", content: map[string]any{"approve": true}}
		cs := connect(t, s, version, u.client())
		require.Equal(t, "accept", text(call(t, cs, "echo", `{}`)))
		require.Equal(t, []string{"Your name?"}, u.asked)
		require.Equal(t, 2, rounds)
		require.Equal(t, []string{"echo: allowed", "echo: allowed"}, w.decisions(t), version)

		// Asked about within such an exchange, the human would take the place
		// of the tool's question, and its state would be lost.
		if version == versions[1] {
			state(t, callWith(t, cs, &mcp.CallToolParams{Name: "remove", RequestState: "mine"}))
			require.Equal(t, []string{"Your name?"}, u.asked)
		}
	}
}

// TestResultsThatAsk are marked as such for clients that look at the mark.
func TestResultsThatAsk(t *testing.T) {
	both(t, vetomcp.Options{TrustClientUserAsApprover: trustAnn}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		opts := (&user{action: "cancel"}).client()
		opts.MultiRoundTrip = &mcp.MultiRoundTripOptions{Disabled: true}
		cs := connect(opts)
		r := call(t, cs, "remove", `{}`)
		if cs.InitializeResult().ProtocolVersion == versions[0] {
			state(t, r)
			return
		}
		require.True(t, r.NeedsInput())
		require.False(t, r.IsError)
		require.Empty(t, r.Content)
		require.Len(t, r.InputRequests, 1)
		for id := range r.InputRequests {
			approve(t, w, id) // by somebody else, meanwhile
			allowed(t, callWith(t, cs, &mcp.CallToolParams{Name: "remove", Arguments: raw(`{}`), RequestState: r.RequestState}))
		}
		require.Len(t, tool.calls, 1)
	})
}

// TestApproverOfTheHost is asked where the guard has one, and nothing of the
// protocol is needed.
func TestApproverOfTheHost(t *testing.T) {
	both(t, vetomcp.Options{Approver: yes{}}, func(t *testing.T, w *world, connect func(*mcp.ClientOptions) *mcp.ClientSession, tool *seen) {
		allowed(t, call(t, connect(nil), "remove", `{}`))
		require.Len(t, tool.calls, 1)
	})
}

type yes struct{}

func (yes) Ask(context.Context, approval.Ticket) (approval.Answer, error) {
	return approval.Answer{Approve: true, By: "operator"}, nil
}

// Who is to ask a human needs a place where the answers are.
func TestAskingNeedsApprovals(t *testing.T) {
	set, err := veto.Load("policies.yaml", []byte(policies))
	require.NoError(t, err)
	a, err := veto.New(set, nil)
	require.NoError(t, err)
	for _, opts := range []vetomcp.Options{
		{Wait: true},
		{Approver: struct{ approval.Approver }{}},
		{TrustClientUserAsApprover: func(context.Context, mcp.Request) string { return "ann" }},
	} {
		_, err := vetomcp.New(a, &opts)
		require.ErrorContains(t, err, "veto.Options.Approvals")
	}
}

// once approves the first ticket; then nobody is there.
type once struct{ asked atomic.Int64 }

func (o *once) Ask(context.Context, approval.Ticket) (approval.Answer, error) {
	if o.asked.Add(1) == 1 {
		return approval.Answer{Approve: true, By: "ann"}, nil
	}
	return approval.Answer{}, errors.New("nobody is there")
}

// A call that needs two approvals and has one waits for the other, however
// often it is made again.
func TestSecondTicketWaits(t *testing.T) {
	w := newWorld(t, `
policies:
  - id: both
    agentId: bot
    rules:
      - {type: require_approval, tools: [pay]}
      - {type: parameter_constraint, tools: [pay], onViolation: require_approval, parameters: {amount: {max: 1}}}
`)
	s, ran := newServer(), false
	require.NoError(t, vetomcp.AddRawTool(s, newGuard(t, w, vetomcp.Options{Approver: &once{}}), &mcp.Tool{Name: "pay", InputSchema: map[string]any{"type": "object"}},
		func(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			ran = true
			return &mcp.CallToolResult{}, nil
		}))
	client := connect(t, s, versions[0], nil)
	says := call(t, client, "pay", `{"amount":5}`).Meta[vetomcp.MetaKey].(map[string]any)
	r, err := client.CallTool(t.Context(), again("pay", `{"amount":5}`, says["state"].(string)))
	require.NoError(t, err)
	waits := r.Meta[vetomcp.MetaKey].(map[string]any)
	require.Equal(t, says["id"], waits["id"])
	require.False(t, ran)
	require.Less(t, len(w.decisions(t)), 10)

	require.NoError(t, w.book.Answer(t.Context(), waits["id"].(string), approval.Answer{Approve: true, By: "ann"}))
	_, err = client.CallTool(t.Context(), again("pay", `{"amount":5}`, waits["state"].(string)))
	require.NoError(t, err)
	require.True(t, ran)
}
