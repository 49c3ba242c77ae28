package veto_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
)

// block is a fenced block of a Markdown file.
type block struct {
	note string // the comment before it, as in "file: main.go"
	lang string
	text string
}

var fenced = regexp.MustCompile("(?m)(?:^<!-- (.+) -->\n)?^```(\\w*)\n((?s:.*?))^```$")

func blocks(t *testing.T, file string) []block {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var all []block
	for _, m := range fenced.FindAllStringSubmatch(strings.ReplaceAll(string(data), "\r\n", "\n"), -1) {
		all = append(all, block{note: m[1], lang: m[2], text: m[3]})
	}
	require.NotEmpty(t, all, file)
	return all
}

// documents are the texts that are tested here.
func documents(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, docs)
	return append(docs, "README.md")
}

func goTool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("go", args...).CombinedOutput()
	require.NoError(t, err, "go %q:\n%s", args, out)
	return string(out)
}

// TestReadmeProgramPrintsWhatItSays builds the files of the README and runs
// the program among them.
func TestReadmeProgramPrintsWhatItSays(t *testing.T) {
	dir, want := t.TempDir(), ""
	for _, b := range blocks(t, "README.md") {
		if name, ok := strings.CutPrefix(b.note, "file: "); ok {
			write(t, dir, name, b.text)
		}
		if b.note == "output: main.go" {
			want = b.text
		}
	}
	require.NotEmpty(t, want)
	program := filepath.Join(dir, "program.exe")
	goTool(t, "build", "-o", program, filepath.Join(dir, "main.go"))
	cmd := exec.Command(program)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, want, string(out))
}

// fragment is what stands around Go code that is no whole program.
const fragment = `package fragments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/guard"
)

var (
	_ = errors.Is
	_ = fmt.Println
	_ = log.Print
	_ = signal.NotifyContext
	_ = syscall.SIGTERM
	_ = time.Now
	_ = os.OpenRoot
	_ = zap.NewNop
	_ = guard.WithAgent
	_ = evaluator.NewState
	_ = approval.NewKey
	_ audit.Sink
	_ json.Number
)

func _(ctx context.Context, a *veto.Authorizer, set *veto.PolicySet, params map[string]any, call veto.Call) error {
CODE
	return nil
}
`

// prelude is what the fragments use.
const prelude = `package fragments

import (
	"context"
	"encoding/json"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/evaluator"
)

var (
	secret []byte
	state  *evaluator.State
)

type email struct{ To, Subject string }

func sendEmail(context.Context, email) (string, error) { return "", nil }

func run(veto.Call) (json.Number, error) { return "", nil }
`

// TestFragmentsCompile compiles the Go code of the documentation that is no
// whole program.
func TestFragmentsCompile(t *testing.T) {
	dir := t.TempDir()
	files := []string{write(t, dir, "prelude.go", prelude)}
	for _, doc := range documents(t) {
		for i, b := range blocks(t, doc) {
			if b.lang == "go" && b.note == "" {
				require.NotContains(t, b.text, "package ", "%s: a whole program needs a file comment", doc)
				name := strings.TrimSuffix(filepath.Base(doc), ".md") + string(rune('a'+i)) + ".go"
				files = append(files, write(t, dir, name, strings.Replace(fragment, "CODE", b.text, 1)))
			}
		}
	}
	require.Greater(t, len(files), 1)
	goTool(t, append([]string{"build", "-o", filepath.Join(dir, "out")}, files...)...)
}

// TestFilesOfDocuments runs the tests among the files that a page shows, in a
// directory with the others.
func TestFilesOfDocuments(t *testing.T) {
	tests := 0
	for _, doc := range documents(t) {
		dir := t.TempDir()
		for _, b := range blocks(t, doc) {
			if name, ok := strings.CutPrefix(b.note, "file: "); ok {
				write(t, dir, name, b.text)
			}
		}
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		require.NoError(t, err)
		if len(files) > 0 {
			tests++
			goTool(t, append([]string{"test"}, files...)...)
		}
	}
	require.Positive(t, tests)
}

// TestDocumentsLoad loads the policy documents of the documentation. A block
// that begins with a rule is a list of rules.
func TestDocumentsLoad(t *testing.T) {
	n := 0
	for _, doc := range documents(t) {
		for _, b := range blocks(t, doc) {
			if b.lang != "yaml" {
				continue
			}
			n++
			text := b.text
			if strings.HasPrefix(text, "- {type") || strings.HasPrefix(text, "- type") {
				text = "policies:\n- id: p\n  agentId: a\n  rules:\n" + regexp.MustCompile("(?m)^").ReplaceAllString(text, "  ")
			}
			set, err := veto.Load(doc, []byte(text))
			require.NoError(t, err, b.text)
			_, err = veto.New(set, nil)
			require.NoError(t, err, b.text)
			for _, f := range veto.Lint(set, nil) {
				// What a part of a document lacks is in another part.
				if alone := []string{"limit-alone", "no-allowlist", "denylist-only", "unnamed-limit"}; !slices.Contains(alone, f.Check) {
					require.Equal(t, "note", f.Severity, "%s: %s", doc, f)
				}
			}
		}
	}
	require.Greater(t, n, 1)
}

// TestReadmeCommands: the main job runs as written, and CI runs the tests by
// the command that the README gives.
func TestReadmeCommands(t *testing.T) {
	var commands []string
	for _, b := range blocks(t, "README.md") {
		if b.lang == "sh" {
			commands = append(commands, strings.Split(strings.TrimSpace(b.text), "\n")...)
		}
	}
	require.Contains(t, commands, "go mod download")
	require.Contains(t, commands, "go run ./examples/quickstart")
	require.Contains(t, goTool(t, "run", "./examples/quickstart"), " calls: ")
	require.Contains(t, commands, "go test ./...")
	ci, err := os.ReadFile(filepath.Join(".ci", "run"))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^\s*go test \./\.\.\.\r?$`, string(ci))
}

// TestEveryCodeIsDocumented: whoever is called about a refusal finds its code.
func TestEveryCodeIsDocumented(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("docs", "decisions.md"))
	require.NoError(t, err)
	n := 0
	for c := rules.CodeDefaultDeny; !strings.HasPrefix(c.String(), "code("); c++ {
		require.Contains(t, string(data), "`"+c.String()+"`")
		n++
	}
	require.Greater(t, n, 20)
}

// TestLinksLeadSomewhere checks the links between the files of the
// repository, and to the headings in them.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)
	for _, doc := range append(documents(t), ".github/CONTRIBUTING.md", ".github/SECURITY.md", "evaluator/testdata/README.md") {
		data, err := os.ReadFile(doc)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(data), -1) {
			to := doc
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(doc), m[1])
			}
			_, err := os.Stat(to)
			require.NoError(t, err, doc)
			if m[2] != "" {
				require.Contains(t, anchors(t, to), m[2], "%s: a link to %s", doc, to)
			}
		}
	}
}

// anchors are the headings of a Markdown file, as links name them.
func anchors(t *testing.T, file string) (all []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	drop := regexp.MustCompile(`[^\w\- ]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+?)\r?$`).FindAllStringSubmatch(string(data), -1) {
		all = append(all, strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}
