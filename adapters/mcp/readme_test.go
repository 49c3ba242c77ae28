package vetomcp_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// block is a fenced block of the README.
type block struct{ note, lang, text string }

var fenced = regexp.MustCompile("(?m)(?:^<!-- (.+) -->\n)?^```(\\w*)\n((?s:.*?))^```$")

func blocks(t *testing.T) (all []block) {
	t.Helper()
	data, err := os.ReadFile("README.md")
	require.NoError(t, err)
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	for _, m := range fenced.FindAllStringSubmatch(text, -1) {
		all = append(all, block{m[1], m[2], m[3]})
	}
	require.Equal(t, 2*len(all), strings.Count(text, "```"), "each block is closed")
	return all
}

// TestReadmePrograms builds the programs of the README and runs the client,
// which runs the server.
func TestReadmePrograms(t *testing.T) {
	dir, want := t.TempDir(), ""
	program := func(name string) string { return filepath.Join(dir, name+".exe") }
	for _, b := range blocks(t) {
		name, isFile := strings.CutPrefix(b.note, "file: ")
		switch {
		case isFile:
			file := filepath.Join(dir, filepath.FromSlash(name))
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
			require.NoError(t, os.WriteFile(file, []byte(b.text), 0o600))
			if b.lang == "go" {
				out, err := exec.Command("go", "build", "-o", program(filepath.Dir(name)), file).CombinedOutput()
				require.NoError(t, err, "%s", out)
			}
		case b.note == "output: client/main.go":
			want = b.text
		default:
			require.NotEqual(t, "go", b.lang, "code that nothing runs")
		}
	}
	cmd := exec.Command(program("client"), program("server"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, want, string(out))
}

// TestReadmeExample does with the example what the README says.
func TestReadmeExample(t *testing.T) {
	dir := t.TempDir()
	root, program := filepath.Join(dir, "files"), filepath.Join(dir, "filesystem.exe")
	var lines [][]string
	for _, b := range blocks(t) {
		if b.lang == "sh" {
			for line := range strings.Lines(b.text) {
				lines = append(lines, strings.Fields(line))
			}
		}
	}
	require.Len(t, lines, 5)
	at := map[string]string{
		"./filesystem": program, "filesystem": program,
		"~/files": root, "~/.local/state/filesystem": filepath.Join(dir, "state"),
	}
	command := func(i int) *exec.Cmd {
		args := make([]string, len(lines[i]))
		for k, arg := range lines[i] {
			args[k] = arg
			if place, ok := at[arg]; ok {
				args[k] = place
			}
		}
		return exec.Command(args[0], args[1:]...)
	}
	require.Equal(t, []string{"go", "get", "github.com/useveto/veto-go/adapters/mcp"}, lines[0])
	out, err := command(1).CombinedOutput()
	require.NoError(t, err, "%s", out)

	draft := filepath.Join(root, "drafts", "a.txt")
	require.NoError(t, os.MkdirAll(filepath.Dir(draft), 0o700))
	require.NoError(t, os.WriteFile(draft, []byte("a"), 0o600))
	cs, err := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil).Connect(t.Context(), &mcp.CommandTransport{Command: command(2)}, nil)
	require.NoError(t, err)
	defer cs.Close()
	id, _ := state(t, call(t, cs, "delete_file", `{"path":"/drafts/a.txt"}`))

	out, err = command(3).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.True(t, strings.HasPrefix(string(out), id), "%s", out)
	at["ID"] = id
	out, err = command(4).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.FileExists(t, draft)
	allowed(t, call(t, cs, "delete_file", `{"path":"/drafts/a.txt"}`))
	require.NoFileExists(t, draft)
	state(t, call(t, cs, "delete_file", `{"path":"/drafts/a.txt"}`))
	require.FileExists(t, filepath.Join(dir, "state", "records.jsonl"))
}
