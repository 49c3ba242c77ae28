package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/useveto/veto-go"
	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

type (
	path struct {
		Path string `json:"path" jsonschema:"absolute path; / is the directory of the server"`
	}
	file struct {
		Path    string `json:"path" jsonschema:"absolute path of the file"`
		Content string `json:"content" jsonschema:"the new text of the file"`
	}
	move struct {
		From string `json:"from" jsonschema:"absolute path"`
		To   string `json:"to" jsonschema:"absolute path"`
	}
	text struct {
		Text string `json:"text"`
	}
	listing struct {
		Entries []string `json:"entries"`
	}
)

// newServer returns the server with all its tools, guarded.
func newServer(a *veto.Authorizer, root *os.Root, agent string, stateKey []byte) (*mcp.Server, error) {
	g, err := vetomcp.New(a, &vetomcp.Options{
		// One client starts the server and is the only one that it has: who
		// that is, the one who configured it has said.
		Agent: agent,
		// Most clients repeat a call, but do not send what its result says.
		RepeatResumes: true,
		StateKey:      stateKey,
	})
	if err != nil {
		return nil, err
	}
	s := mcp.NewServer(&mcp.Implementation{Name: "filesystem", Title: "Files, guarded by policies", Version: "1"}, nil)
	s.AddReceivingMiddleware(g.Middleware)
	t := tools{root}
	return s, errors.Join(
		vetomcp.AddTool(s, g, &mcp.Tool{Name: "read_file", Description: "Read a text file."}, t.read),
		vetomcp.AddTool(s, g, &mcp.Tool{Name: "list_directory", Description: "List the names in a directory."}, t.list),
		vetomcp.AddTool(s, g, &mcp.Tool{Name: "write_file", Description: "Write a text file, in place of the one that is there."}, t.write),
		vetomcp.AddTool(s, g, &mcp.Tool{Name: "delete_file", Description: "Delete a file. A human has to approve it; then call it again."}, t.remove),
		vetomcp.AddTool(s, g, &mcp.Tool{Name: "move_file", Description: "Move a file."}, t.move),
	)
}

// tools work in a directory that they cannot leave. A policy looks at the text
// of a path; that a link in it leads outside, only the file system can tell,
// and os.Root refuses to follow it.
type tools struct{ root *os.Root }

// inRoot is a path of a tool as os.Root takes it.
func inRoot(path string) string {
	if path = strings.Trim(path, "/"); path == "" {
		return "."
	}
	return path
}

func (t tools) read(_ context.Context, _ *mcp.CallToolRequest, in path) (*mcp.CallToolResult, text, error) {
	data, err := t.root.ReadFile(inRoot(in.Path))
	return nil, text{string(data)}, plain(err)
}

func (t tools) list(_ context.Context, _ *mcp.CallToolRequest, in path) (*mcp.CallToolResult, listing, error) {
	entries, err := fs.ReadDir(t.root.FS(), inRoot(in.Path))
	out := listing{Entries: []string{}}
	for _, e := range entries {
		out.Entries = append(out.Entries, e.Name())
	}
	return nil, out, plain(err)
}

func (t tools) write(_ context.Context, _ *mcp.CallToolRequest, in file) (*mcp.CallToolResult, any, error) {
	return done("written"), nil, plain(t.root.WriteFile(inRoot(in.Path), []byte(in.Content), 0o600))
}

func (t tools) remove(_ context.Context, _ *mcp.CallToolRequest, in path) (*mcp.CallToolResult, any, error) {
	return done("deleted"), nil, plain(t.root.Remove(inRoot(in.Path)))
}

func (t tools) move(_ context.Context, _ *mcp.CallToolRequest, in move) (*mcp.CallToolResult, any, error) {
	return done("moved"), nil, plain(t.root.Rename(inRoot(in.From), inRoot(in.To)))
}

func done(what string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: what}}}
}

// plain is what the agent should know of an error: not where the directory is.
func plain(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
