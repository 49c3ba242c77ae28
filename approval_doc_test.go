package veto_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/approval"
)

// TestApprovalPrograms builds and runs the programs of docs/approvals.md, the
// agent's and the operator's, in a directory with a key and with what a crash
// has left.
func TestApprovalPrograms(t *testing.T) {
	dir, want := t.TempDir(), ""
	programs := map[string]string{}
	for _, b := range blocks(t, filepath.Join("docs", "approvals.md")) {
		if name, ok := strings.CutPrefix(b.note, "file: "); ok {
			program := filepath.Join(dir, name+".exe")
			goTool(t, "build", "-o", program, write(t, dir, name, b.text))
			programs[name] = program
		}
		if b.note == "output: agent.go" {
			want = b.text
		}
	}
	require.Len(t, programs, 2)
	secret := []byte("a secret of the tests, 32 bytes+")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "key"), secret, 0o600))
	run := func(program, stdin string) string {
		t.Helper()
		cmd := exec.Command(programs[program])
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
		out, errs := bytes.Buffer{}, bytes.Buffer{}
		cmd.Stdout, cmd.Stderr = &out, &errs
		require.NoError(t, cmd.Run(), "%s%s", &out, &errs)
		return out.String()
	}
	require.Equal(t, want, run("agent.go", ""))

	// This process has the tickets too, and the operator's has only the key.
	key, err := approval.NewKey(secret)
	require.NoError(t, err)
	store, err := approval.OpenDir(filepath.Join(dir, "tickets"))
	require.NoError(t, err)
	defer store.Close()
	book, err := approval.New(store, key, nil)
	require.NoError(t, err)
	a := newAuthorizer(t, parse(t, asks), &veto.Options{Approvals: book})
	r, err := a.Decide(ctx, payment)
	require.ErrorIs(t, err, veto.ErrEscalated)
	ticket, err := book.Get(ctx, r.ApprovalID)
	require.NoError(t, err)
	shown, err := json.Marshal(ticket)
	require.NoError(t, err)
	var answer approval.Resolution
	tampered := bytes.Replace(shown, []byte(`"amount":5`), []byte(`"amount":1`), 1)
	require.NoError(t, json.Unmarshal([]byte(run("operator.go", string(tampered))), &answer))
	require.ErrorIs(t, book.Resolve(ctx, answer), approval.ErrForged)
	require.NoError(t, json.Unmarshal([]byte(run("operator.go", string(shown))), &answer))
	require.NoError(t, book.Resolve(ctx, answer))
	_, _, err = a.ReserveApproved(ctx, payment, answer.TicketID)
	require.NoError(t, err)

	// A crash: nobody said what came of the call.
	require.Equal(t, "may have run: pay {\"amount\":5}\n"+want, run("agent.go", ""))
}
