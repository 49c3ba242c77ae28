package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
)

// start runs the program.
func start(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	status = run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

const (
	approved = "-> refunded 80 for A-1002"
	refused  = "-> A human did not approve this call."
	waits    = "-> This call needs the approval of a human, who has not answered yet."
)

func TestPersonAtTheTerminal(t *testing.T) {
	for stdin, want := range map[string]string{"y\n": approved, "n\n": refused, "perhaps\n\nYES\n": approved, " No \n": refused} {
		status, out, errs := start(t, stdin)
		require.Zero(t, status, errs)
		require.Empty(t, errs)
		require.Contains(t, out, `support-bot wants to call refund with
  {"order":"A-1002","amount":80}
  for ann
  because of policy "refunds", until `)
		require.Contains(t, out, "Look it up before you approve.")
		require.Contains(t, out, want, stdin)
		require.Equal(t, 1, strings.Count(out, "wants to call"), "the small one, and what is forbidden, nobody is asked about")
		require.Contains(t, out, "-> refunded 20 for A-1001")
		require.Equal(t, 1, strings.Count(out, "-> This call is not permitted with these arguments."))
		require.Equal(t, 1, strings.Count(out, "-> This call is not valid as it stands."))
	}
}

func TestFlagsAnswer(t *testing.T) {
	status, out, _ := start(t, "", "-yes")
	require.Zero(t, status)
	require.Contains(t, out, approved)
	status, out, _ = start(t, "", "-no")
	require.Zero(t, status)
	require.Contains(t, out, refused)
	status, out, _ = start(t, "", "-later")
	require.Equal(t, 1, status)
	require.Contains(t, out, waits)
	// Nobody at the terminal is no answer, and the agent is none who may.
	status, out, _ = start(t, "perhaps\n")
	require.Equal(t, 1, status)
	require.Contains(t, out, waits)
	status, out, _ = start(t, "", "-yes", "-by", "Support-Bot")
	require.Equal(t, 1, status)
	require.Contains(t, out, waits)
}

// The three steps of the package comment, and what comes after.
func TestResumeAfterARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	status, out, _ := start(t, "", "-dir", dir, "-later")
	require.Equal(t, 1, status)
	require.Contains(t, out, waits)
	ticket := regexp.MustCompile(`ticket (apr_\S+)`).FindStringSubmatch(out)[1]
	status, again, _ := start(t, "", "-dir", dir, "-later")
	require.Equal(t, 1, status)
	require.Contains(t, again, ticket, "it is one question")
	require.NotContains(t, again, "call-2", "what is done is done")

	status, out, _ = start(t, "y\n", "-dir", dir, "-answer")
	require.Zero(t, status)
	require.Contains(t, out, ticket+" is approved")
	require.NotContains(t, out, "refunded")
	status, out, _ = start(t, "", "-dir", dir, "-answer")
	require.Zero(t, status)
	require.Contains(t, out, "nothing waits")

	before, err := os.ReadFile(filepath.Join(dir, "conversation.json"))
	require.NoError(t, err)
	status, out, _ = start(t, "", "-dir", dir, "-later")
	require.Zero(t, status)
	require.Contains(t, out, approved)
	status, out, _ = start(t, "", "-dir", dir, "-later")
	require.Zero(t, status)
	require.Empty(t, out)

	// A crash after the refund, before the agent remembered it.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "conversation.json"), before, 0o600))
	status, out, _ = start(t, "", "-dir", dir, "-yes")
	require.Zero(t, status)
	require.NotContains(t, out, approved)
	require.Contains(t, out, "-> The approval of this call is no longer valid.")
}

// A person who comes while the agent asks anew is asked about the ticket that
// waits.
func TestAskedAgainAfterARestart(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700))
	_, _, _ = start(t, "", "-dir", dir, "-later")
	status, out, _ := start(t, "y\n", "-dir", dir)
	require.Zero(t, status)
	require.Contains(t, out, approved)
	tickets, err := os.ReadDir(filepath.Join(dir, "tickets"))
	require.NoError(t, err)
	n := 0
	for _, f := range tickets {
		if strings.HasSuffix(f.Name(), ".ticket") {
			n++
		}
	}
	require.Equal(t, 1, n)
}

// What somebody without the key wrote approves nothing, and is named.
func TestForgedTicket(t *testing.T) {
	dir := t.TempDir()
	_, out, _ := start(t, "", "-dir", dir, "-later")
	ticket := regexp.MustCompile(`ticket (apr_\S+)`).FindStringSubmatch(out)[1]
	forged := filepath.Join(dir, "tickets", ticket+".resolution")
	require.NoError(t, os.WriteFile(forged, []byte(`{"approve":true,"by":"operator"}`), 0o600))
	status, out, _ := start(t, "", "-dir", dir, "-later")
	require.Equal(t, 1, status)
	require.NotContains(t, out, approved)
	_, out, _ = start(t, "", "-dir", dir, "-answer")
	require.Contains(t, out, ticket)

	// With another key, no ticket is.
	require.NoError(t, os.Remove(filepath.Join(dir, "key")))
	status, out, _ = start(t, "", "-dir", dir, "-yes")
	require.NotContains(t, out, approved)
	require.Zero(t, status)
}

func TestKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	_, err := loadKey(path)
	require.NoError(t, err)
	first, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, first, approval.MinKeyBytes)
	_, err = loadKey(path)
	require.NoError(t, err)
	again, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, first, again)
	info, err := os.Stat(path)
	require.NoError(t, err)
	if info.Mode().Perm() == 0o600 { // else the system knows no such thing
		require.NoError(t, os.Chmod(path, 0o640))
		_, err = loadKey(path)
		require.ErrorContains(t, err, "can be read by others")
		require.NoError(t, os.Chmod(path, 0o600))
	}
	require.NoError(t, os.WriteFile(path, []byte("short"), 0o600))
	_, err = loadKey(path)
	require.Error(t, err)
	_, err = saveKey(path, first)
	require.Error(t, err, "never over one that is there")
}

// A question ends with the time of its ticket, though nobody types anything.
func TestTerminalIsTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		asks := &terminal{make(chan string), io.Discard, "operator"}
		_, err := asks.Ask(ctx, approval.Ticket{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// A model writes the arguments: they must not write over what the person reads.
func TestShow(t *testing.T) {
	require.Equal(t, `{"to":"ånn"}`, show(`{"to":"ånn"}`))
	for _, evil := range []string{"\x1b[2K", "a\rb", "a\u202eb", "a\u200bb", "a\nb", "\xff"} {
		require.NotContains(t, show("x"+evil), evil)
	}
}

// What people copy is what the linter advises.
func TestPoliciesAreAnExample(t *testing.T) {
	found, err := veto.LintFile("policies.yaml", nil)
	require.NoError(t, err)
	for _, f := range found {
		require.Equal(t, "note", f.Severity, f.String())
	}
}

func TestWhatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for want, args := range map[string][]string{
		"unexpected argument":   {"now"},
		"do not go together":    {"-yes", "-no"},
		"flag provided but not": {"-approve"},
		"not a directory":       {"-dir", file},
	} {
		status, out, errs := start(t, "", args...)
		require.Equal(t, 2, status)
		require.Empty(t, out)
		require.Contains(t, errs, want)
	}
	_, _, errs := start(t, "", "-later", "-answer")
	require.Contains(t, errs, "do not go together")
	status, _, errs := start(t, "", "-h")
	require.Zero(t, status)
	require.Contains(t, errs, "-later")
}
