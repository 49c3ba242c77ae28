package vetomcp_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/guard"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

const listPolicies = `policies:
  - {id: all, agentId: bot, rules: [{type: tool_allowlist, tools: ["seen*"]}]}
  - {id: one, agentId: other, rules: [{type: tool_allowlist, tools: [seen3]}]}`

// manyTools is a server with pages of 3 tools, of which most are hidden.
func manyTools(g *vetomcp.Guard) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "test"}, &mcp.ServerOptions{PageSize: 3})
	for i := range 10 {
		for _, name := range []string{"hush%d_payroll", "seen%d", "whisper%d"} {
			s.AddTool(&mcp.Tool{
				Name: fmt.Sprintf(name, i), Title: "T", Description: "D", Annotations: &mcp.ToolAnnotations{Title: "A"}, InputSchema: open,
			}, (&seen{}).raw)
		}
	}
	if g != nil {
		s.AddReceivingMiddleware(g.Middleware)
	}
	return s
}

// pages are the pages of a list of tools.
func pages(t *testing.T, cs *mcp.ClientSession) (all [][]string, cursors []string) {
	t.Helper()
	p := &mcp.ListToolsParams{}
	for {
		r, err := cs.ListTools(t.Context(), p)
		require.NoError(t, err)
		var page []string
		for _, tool := range r.Tools {
			page = append(page, tool.Name)
		}
		all = append(all, page)
		if r.NextCursor == "" {
			return all, cursors
		}
		cursors = append(cursors, r.NextCursor)
		require.Less(t, len(cursors), 30, "it has no end")
		p = &mcp.ListToolsParams{Cursor: r.NextCursor}
	}
}

// What is hidden is not in a cursor either, nor are there gaps where it was.
func TestAttack_C1_HiddenToolsInACursor(t *testing.T) {
	for _, version := range versions {
		s := manyTools(newGuard(t, newWorld(t, listPolicies), vetomcp.Options{}))
		all, cursors := pages(t, connect(t, s, version, nil))
		require.Equal(t, [][]string{{"seen0", "seen1", "seen2"}, {"seen3", "seen4", "seen5"}, {"seen6", "seen7", "seen8"}, {"seen9"}}, all)
		for _, cursor := range cursors {
			text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(cursor, "="))
			require.NoError(t, err)
			for _, hidden := range []string{"hush", "payroll", "whisper"} {
				require.NotContains(t, string(text), hidden)
				require.NotContains(t, cursor, hidden)
			}
		}
		s = manyTools(newGuard(t, newWorld(t, listPolicies), vetomcp.Options{Agent: "other"}))
		all, _ = pages(t, connect(t, s, version, nil))
		require.Equal(t, [][]string{{"seen3"}}, all, "that there is more does not show")

		// Cursors of other lists.
		cs := connect(t, s, version, nil)
		_, theirs := pages(t, connect(t, manyTools(nil), version, nil))
		for _, cursor := range append(theirs[:1:1], "x", "!", base64.URLEncoding.EncodeToString([]byte("seen3")), strings.Repeat("A", 1<<16)) {
			_, err := cs.ListTools(t.Context(), &mcp.ListToolsParams{Cursor: cursor})
			var wire *jsonrpc.Error
			require.ErrorAs(t, err, &wire, cursor)
			require.EqualValues(t, jsonrpc.CodeInvalidParams, wire.Code)
			require.NotContains(t, err.Error(), "seen")
		}
		for _, cursor := range cursors { // of another agent: filtered as ever
			r, err := cs.ListTools(t.Context(), &mcp.ListToolsParams{Cursor: cursor})
			require.NoError(t, err)
			for _, tool := range r.Tools {
				require.Equal(t, "seen3", tool.Name)
			}
		}
	}
}

// TestListThatChanges: a tool that goes away while it is the last of a page
// hides no other.
func TestListThatChanges(t *testing.T) {
	s := manyTools(newGuard(t, newWorld(t, listPolicies), vetomcp.Options{}))
	cs := connect(t, s, versions[1], nil)
	r, err := cs.ListTools(t.Context(), nil)
	require.NoError(t, err)
	s.RemoveTools("seen2")
	r, err = cs.ListTools(t.Context(), &mcp.ListToolsParams{Cursor: r.NextCursor})
	require.NoError(t, err)
	require.Equal(t, "seen3", r.Tools[0].Name)
}

// A server that is somebody else's may list a tool twice, in any order, and
// without an end.
func TestAttack_C1_ListsOfOtherServers(t *testing.T) {
	for _, version := range versions {
		s, endless := newServer(), false
		s.AddTool(&mcp.Tool{Name: "seen0", InputSchema: open}, (&seen{}).raw)
		s.AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler {
			return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
				p, ok := req.GetParams().(*mcp.ListToolsParams)
				if !ok || method != "tools/list" {
					return next(ctx, method, req)
				}
				r := &mcp.ListToolsResult{NextCursor: "hush1"}
				switch {
				case p == nil || p.Cursor == "":
					for _, name := range []string{"whisper", "seen2", "seen1"} {
						r.Tools = append(r.Tools, &mcp.Tool{Name: name, InputSchema: open})
					}
				case p.Cursor == "hush1" && !endless:
					r.NextCursor = ""
					for _, name := range []string{"seen1", "seen2", "hush1", "SEEN0", "seen\u200b0", "seen0"} {
						r.Tools = append(r.Tools, &mcp.Tool{Name: name, InputSchema: open})
					}
				}
				return r, nil
			}
		})
		c := mcp.NewClient(&mcp.Implementation{Name: "client"}, nil)
		c.AddSendingMiddleware(newGuard(t, newWorld(t, listPolicies), vetomcp.Options{}).Middleware)
		cs := connectClient(t, s, version, c)
		all, cursors := pages(t, cs)
		require.Equal(t, []string{"seen2", "seen1", "seen1", "seen2", "seen0"}, slices.Concat(all...))
		require.Empty(t, cursors)
		endless = true
		_, err := cs.ListTools(t.Context(), nil)
		require.ErrorContains(t, err, "no end")
	}
}

// A client keeps lists and resources in its own cache, which knows of no
// agents: what one has got must not be there for the next.
func TestAttack_C4_AnotherAgentsAnswers(t *testing.T) {
	w := newWorld(t, listPolicies+`
  - {id: read, agentId: bot, rules: [{type: tool_allowlist, tools: [mcp.resources.read]}]}`)
	s := mcp.NewServer(&mcp.Implementation{Name: "test"}, &mcp.ServerOptions{SetCacheable: func(_ context.Context, _ mcp.Request, c *mcp.Cacheable) {
		c.TTLMs, c.CacheScope = 1<<30, "public"
	}})
	for _, name := range []string{"seen1", "seen3"} {
		s.AddTool(&mcp.Tool{Name: name, InputSchema: open}, (&seen{}).raw)
	}
	s.AddResource(&mcp.Resource{Name: "a", URI: "file:///a"}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: "file:///a", Text: "text"}}}, nil
	})
	g, err := vetomcp.New(w.Authorizer, nil)
	require.NoError(t, err)
	c := mcp.NewClient(&mcp.Implementation{Name: "client"}, nil)
	c.AddSendingMiddleware(g.Middleware)
	cs := connectClient(t, s, versions[1], c)
	as := func(agent string) context.Context { return guard.WithAgent(t.Context(), agent) }
	for agent, want := range map[string]int{"bot": 2, "other": 1, "nobody": 0} {
		r, err := cs.ListTools(as(agent), nil)
		require.NoError(t, err)
		require.Len(t, r.Tools, want, agent)
	}
	_, err = cs.ReadResource(as("bot"), &mcp.ReadResourceParams{URI: "file:///a"})
	require.NoError(t, err)
	_, err = cs.ReadResource(as("other"), &mcp.ReadResourceParams{URI: "file:///a"})
	require.Error(t, err)

	// What a server answers is for the one who asked, and no cache between.
	s.AddReceivingMiddleware(newGuard(t, w, vetomcp.Options{}).Middleware)
	direct := connect(t, s, versions[1], nil)
	r, err := direct.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "file:///a"})
	require.NoError(t, err)
	require.Equal(t, "private", r.CacheScope)
	require.Equal(t, 1<<30, r.TTLMs, "the server's to say")
	require.Equal(t, "text", r.Contents[0].Text)
}
