package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	vetomcp "github.com/useveto/veto-go/adapters/mcp"
)

// program is the command, built for the tests.
func program(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "filesystem")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return bin
}

// place is a directory of files, and beside it one of state.
type place struct{ bin, root, state string }

func newPlace(t *testing.T) *place {
	t.Helper()
	dir := t.TempDir()
	p := &place{program(t), filepath.Join(dir, "files"), filepath.Join(dir, "state")}
	for _, name := range []string{"notes", "drafts", "other"} {
		require.NoError(t, os.MkdirAll(filepath.Join(p.root, name), 0o700))
	}
	p.write(t, "notes/a.txt", "a note")
	p.write(t, ".hidden", "hidden")
	p.write(t, "drafts/old.txt", "old")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "outside.txt"), []byte("secret"), 0o600))
	return p
}

func (p *place) write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(p.root, name), []byte(content), 0o600))
}

func (p *place) has(name string) bool {
	_, err := os.Stat(filepath.Join(p.root, name))
	return err == nil
}

// command runs the program as a human does.
func (p *place) command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(p.bin, append([]string{"-state", p.state}, args...)...).CombinedOutput()
	return string(out), err
}

// connect starts the server and returns a client's session with it.
func (p *place) connect(t *testing.T, version string) *mcp.ClientSession {
	t.Helper()
	cmd := exec.Command(p.bin, "-root", p.root, "-state", p.state)
	cmd.Stderr = os.Stderr
	c := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	cs, err := c.Connect(t.Context(), &mcp.CommandTransport{Command: cmd}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	require.NoError(t, err)
	t.Cleanup(func() { _ = cs.Close() })
	return cs
}

type arguments = map[string]any

func call(t *testing.T, cs *mcp.ClientSession, tool string, args arguments, meta mcp.Meta) *mcp.CallToolResult {
	t.Helper()
	r, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: args, Meta: meta})
	require.NoError(t, err)
	return r
}

func textOf(r *mcp.CallToolResult) string { return r.Content[0].(*mcp.TextContent).Text }

// waiting is the id and the state of a call that waits for a human.
func waiting(t *testing.T, r *mcp.CallToolResult) (id string, again mcp.Meta) {
	t.Helper()
	require.True(t, r.IsError)
	require.Equal(t, "This call needs the approval of a human, who has not answered yet.", textOf(r))
	m, ok := r.Meta[vetomcp.MetaKey].(map[string]any)
	require.True(t, ok, "%v", r.Meta)
	return m["id"].(string), mcp.Meta{vetomcp.MetaKey: m["state"]}
}

func TestFilesystem(t *testing.T) {
	p := newPlace(t)
	for _, version := range mcp.SupportedProtocolVersions()[:2] {
		t.Run(version, func(t *testing.T) { p.testPolicies(t, p.connect(t, version)) })
	}
	t.Run("approvals", p.testApprovals)
	t.Run("records", p.testRecords)
}

func (p *place) testPolicies(t *testing.T, cs *mcp.ClientSession) {
	var listed []string
	for tool, err := range cs.Tools(t.Context(), nil) {
		require.NoError(t, err)
		listed = append(listed, tool.Name)
	}
	require.Equal(t, []string{"delete_file", "list_directory", "read_file", "write_file"}, listed, "what no policy allows is not shown")

	// Allowed.
	require.Equal(t, map[string]any{"text": "a note"}, call(t, cs, "read_file", arguments{"path": "/notes/a.txt"}, nil).StructuredContent)
	r := call(t, cs, "list_directory", arguments{"path": "/"}, nil)
	require.Contains(t, textOf(r), "drafts")
	require.False(t, call(t, cs, "write_file", arguments{"path": "/drafts/new.txt", "content": "new"}, nil).IsError)
	require.True(t, p.has("drafts/new.txt"))

	// Denied: outside of the directory, hidden, not a draft, not permitted.
	for _, denied := range []struct {
		tool string
		args arguments
	}{
		{"read_file", arguments{"path": "/notes/../../outside.txt"}},
		{"read_file", arguments{"path": "../outside.txt"}},
		{"read_file", arguments{"path": "/%2e%2e/outside.txt"}},
		{"read_file", arguments{"path": "/.hidden"}},
		{"write_file", arguments{"path": "/notes/a.txt", "content": "changed"}},
		{"write_file", arguments{"path": "/drafts/../notes/a.txt", "content": "changed"}},
		{"write_file", arguments{"path": "/drafts/long.txt", "content": strings.Repeat("x", 20_001)}},
		{"delete_file", arguments{"path": "/notes/a.txt"}},
		{"move_file", arguments{"from": "/drafts/old.txt", "to": "/drafts/b.txt"}},
		{"run", arguments{"command": "rm"}},
	} {
		r := call(t, cs, denied.tool, denied.args, nil)
		require.True(t, r.IsError, "%v", denied)
		require.Contains(t, textOf(r), "This call is not permitted")
		require.NotContains(t, textOf(r), "Write drafts")
	}
	data, err := os.ReadFile(filepath.Join(p.root, "notes/a.txt"))
	require.NoError(t, err)
	require.Equal(t, "a note", string(data))

	// A link that leads outside looks like any other path to a policy.
	if err := os.Symlink("../../outside.txt", filepath.Join(p.root, "notes/link.txt")); err == nil || p.has("notes/link.txt") {
		r = call(t, cs, "read_file", arguments{"path": "/notes/link.txt"}, nil)
		require.True(t, r.IsError)
		require.NotContains(t, textOf(r), "secret")
		require.NotContains(t, textOf(r), p.root)
	}

	// Limited: three files in a minute.
	for range 2 {
		require.False(t, call(t, cs, "write_file", arguments{"path": "/drafts/new.txt", "content": "new"}, nil).IsError)
	}
	r = call(t, cs, "write_file", arguments{"path": "/drafts/new.txt", "content": "new"}, nil)
	require.True(t, r.IsError)
	require.Contains(t, textOf(r), "It can be tried again in")
}

func (p *place) testApprovals(t *testing.T) {
	cs := p.connect(t, "")
	del := func(name string, meta mcp.Meta) *mcp.CallToolResult {
		return call(t, cs, "delete_file", arguments{"path": "/drafts/" + name}, meta)
	}
	for _, name := range []string{"a", "b", "c"} {
		p.write(t, "drafts/"+name, name)
	}
	id, again := waiting(t, del("a", nil))
	require.True(t, p.has("drafts/a"))
	out, err := p.command(t, "pending")
	require.NoError(t, err, out)
	require.Contains(t, out, id+`  file-agent calls delete_file {"path":"/drafts/a"}  The file is gone for good.`)

	// The agent cannot answer for itself, nor with a ticket that it writes.
	out, err = p.command(t, "-by", "file-agent", "approve", id)
	require.Error(t, err, out)
	require.True(t, call(t, cs, "write_file", arguments{"path": "/../state/tickets/" + id + ".resolution", "content": "{}"}, nil).IsError)
	waiting(t, del("a", again))

	// Approved: for this call only, also after a restart of the server.
	out, err = p.command(t, "-by", "ann", "approve", id)
	require.NoError(t, err, out)
	require.Equal(t, "file-agent may, once, call delete_file {\"path\":\"/drafts/a\"}\n", out)
	waiting(t, del("b", again))
	require.NoError(t, cs.Close())
	cs = p.connect(t, "")
	r := del("a", again)
	require.False(t, r.IsError, textOf(r))
	require.False(t, p.has("drafts/a"))
	require.True(t, p.has("drafts/b"))

	// Again: refused.
	p.write(t, "drafts/a", "a")
	r = del("a", again)
	require.True(t, r.IsError)
	require.Equal(t, "The approval of this call is no longer valid.", textOf(r))
	_, err = p.command(t, "approve", id)
	require.Error(t, err)
	waiting(t, del("a", nil))
	require.True(t, p.has("drafts/a"))

	// Without the state: a call that is repeated, as most clients do.
	id, _ = waiting(t, del("c", nil))
	out, err = p.command(t, "approve", id)
	require.NoError(t, err, out)
	require.False(t, del("c", nil).IsError)
	require.False(t, p.has("drafts/c"))

	// Denied.
	id, again = waiting(t, del("b", nil))
	out, err = p.command(t, "deny", id)
	require.NoError(t, err, out)
	require.Equal(t, "A human did not approve this call.", textOf(del("b", again)))
	require.Equal(t, "A human did not approve this call.", textOf(del("b", nil)))
	require.True(t, p.has("drafts/b"))
}

// testRecords looks at what is kept of all that.
func (p *place) testRecords(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(p.state, "records.jsonl"))
	require.NoError(t, err)
	var codes []string
	for line := range strings.Lines(string(data)) {
		var r struct {
			Code, AgentID, ToolName, ApprovalID string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &r), line)
		require.Equal(t, "file-agent", r.AgentID, line)
		codes = append(codes, r.Code)
	}
	slices.Sort(codes)
	require.Subset(t, codes, []string{"allowed", "approval_denied", "approval_expired", "approval_required", "constraint_violated", "default_deny", "rate_limited"})
}

func TestStateInTheRootIsRefused(t *testing.T) {
	p := newPlace(t)
	for _, state := range []string{p.root, filepath.Join(p.root, "state"), filepath.Join(p.root, "drafts", "..", "x")} {
		out, err := exec.Command(p.bin, "-root", p.root, "-state", state).CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "where the agent's tools reach it")
		require.False(t, p.has("state") || p.has("x") || p.has("key"), "nothing is made there")
	}
	for _, args := range [][]string{{}, {"-root", p.root}, {"-state", p.state}, {"-state", p.state, "approve"}, {"-state", p.state, "nonsense"}} {
		out, err := exec.Command(p.bin, args...).CombinedOutput()
		require.Error(t, err, "%s", out)
	}
}
