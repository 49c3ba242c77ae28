package approval_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

// The test binary is also the processes that the tests start: with this
// variable it does what it names, in the directory that follows.
const childVariable = "VETO_APPROVAL_TEST_CHILD"

func TestMain(m *testing.M) {
	role, path, ok := strings.Cut(os.Getenv(childVariable), ":")
	if !ok {
		os.Exit(m.Run())
	}
	if err := child(role, path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

// process is a child and what it says, line by line.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner
	in    *os.File
	err   strings.Builder
}

func startChild(t *testing.T, role, path string) *process {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	p := &process{Cmd: exec.Command(exe)}
	p.Env = append(os.Environ(), childVariable+"="+role+":"+path)
	p.Stderr = &p.err
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	p.lines = bufio.NewScanner(out)
	read, write, err := os.Pipe()
	require.NoError(t, err)
	p.Stdin, p.in = read, write
	require.NoError(t, p.Start())
	read.Close()
	t.Cleanup(func() {
		write.Close()
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	return p
}

// line waits for the next line that the child says.
func (p *process) line(t *testing.T) string {
	t.Helper()
	require.True(t, p.lines.Scan(), "the child is gone: %v: %s", p.lines.Err(), p.err.String())
	return p.lines.Text()
}

func child(role, path string) error {
	d, err := approval.OpenDir(filepath.Join(path, "tickets"))
	if err != nil {
		return err
	}
	key, err := approval.NewKey(secret)
	if err != nil {
		return err
	}
	b, err := approval.New(d, key, nil)
	if err != nil {
		return err
	}
	switch role {
	case "use":
		return useChild(b)
	case "loop":
		log, err := os.OpenFile(filepath.Join(path, "log"), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_SYNC, 0o600)
		if err != nil {
			return err
		}
		return loopChild(b, log)
	}
	return fmt.Errorf("no such role: %q", role)
}

// useChild uses the tickets and grants that it is told, and says what came of
// it.
func useChild(b *approval.Book) error {
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var what, id string
		var n int
		if _, err := fmt.Sscan(in.Text(), &what, &id, &n); err != nil {
			return err
		}
		var err error
		switch what {
		case "open":
			var t approval.Ticket
			t, err = b.Open(ctx, request(n))
			id = t.ID
		case "grant":
			err = b.UseGrant(ctx, id, binding(n))
		default:
			err = b.Use(ctx, id, binding(n))
		}
		switch {
		case err == nil:
			fmt.Println("yes", id)
		case errors.Is(err, approval.ErrUsed), errors.Is(err, approval.ErrLimit):
			fmt.Println("no", err)
		default:
			return err
		}
	}
	return nil
}

// loopChild opens, answers and uses tickets until it is killed, and before that
// uses those that others have left. What it does it writes to the
// log, durably: that it will answer, that it has answered, that it has run.
func loopChild(b *approval.Book, log *os.File) error {
	say := func(what, id string) error {
		_, err := fmt.Fprintf(log, "%s %s\n", what, id)
		return err
	}
	run := func(t approval.Ticket) error {
		switch err := b.Use(ctx, t.ID, t.Binding); {
		case errors.Is(err, approval.ErrUsed), errors.Is(err, approval.ErrDenied), errors.Is(err, approval.ErrPending):
			return nil // somebody else, or nobody
		case err != nil:
			return err
		}
		if err := say("ran", t.ID); err != nil {
			return err
		}
		return b.Done(ctx, t.ID, approval.Ran)
	}
	left, err := b.List(ctx, approval.Approved, approval.Pending)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for _, t := range left {
		if err := run(t); err != nil {
			return err
		}
	}
	for {
		// A few calls, the same in all children that are alive, and soon others.
		n := int(time.Now().UnixMilli()/50%10_000)*4 + rand.IntN(4)
		t, err := b.Open(ctx, request(n))
		pending := []approval.Ticket{t}
		switch {
		case errors.Is(err, approval.ErrLimit):
			if pending, err = b.List(ctx, approval.Pending); err != nil {
				return err
			}
		case err != nil:
			return err
		case rand.IntN(8) == 0: // some are not answered now
			if err := run(t); err != nil {
				return err
			}
			continue
		}
		for _, t := range pending {
			if err := answer(b, t, say); err != nil {
				return err
			}
			if err := run(t); err != nil {
				return err
			}
		}
	}
}

// answer gives one answer or the other, and says so before and after.
func answer(b *approval.Book, t approval.Ticket, say func(what, id string) error) error {
	a, verdict := yes, "approved"
	if rand.IntN(8) == 0 {
		a, verdict = approval.Answer{By: "klara"}, "denied"
	}
	if err := say("answering-"+verdict, t.ID); err != nil {
		return err
	}
	switch err := b.Answer(ctx, t.ID, a); {
	case errors.Is(err, approval.ErrUsed), errors.Is(err, approval.ErrDenied):
		return nil // the other one was faster
	case err != nil:
		return err
	}
	return say(verdict, t.ID)
}

// Of processes that use one ticket at the same moment, one succeeds; of those
// that use a grant, as many as it says; and those that ask the same get one
// ticket, and together no more than they may.
func TestAttack_E2_TwoProcesses(t *testing.T) {
	path := t.TempDir()
	d, err := approval.OpenDir(filepath.Join(path, "tickets"))
	require.NoError(t, err)
	defer d.Close()
	b, err := approval.New(d, newKey(t), nil)
	require.NoError(t, err)
	processes := []*process{startChild(t, "use", path), startChild(t, "use", path), startChild(t, "use", path)}
	for _, p := range processes {
		require.Equal(t, "ready", p.line(t))
	}
	each := func(what, id string, n int) (answers []string) {
		for _, p := range processes {
			_, err := fmt.Fprintln(p.in, what, id, n)
			require.NoError(t, err)
		}
		for _, p := range processes {
			answers = append(answers, p.line(t))
		}
		slices.Sort(answers)
		return answers
	}
	granted := open(t, b, 1000).ID
	g := simple(25)
	ticket, err := b.Get(ctx, granted)
	require.NoError(t, err)
	g.Until = ticket.Expires
	require.NoError(t, b.Answer(ctx, granted, approval.Answer{Approve: true, By: "klara", Grant: g}))

	uses := 0
	for n := range 20 {
		id := approved(t, b, n).ID
		answers := each("use", id, n)
		require.Equal(t, "yes "+id, answers[2])
		require.Contains(t, answers[0], "no ")
		require.Contains(t, answers[1], "no ")

		for _, a := range each("grant", granted, n) {
			if a == "yes "+granted {
				uses++
			}
		}
	}
	require.Equal(t, 25, uses)
	for n := range 24 {
		answers := each("open", "-", 100+n)
		if n < 20 {
			require.Equal(t, answers[0], answers[2])
			require.Contains(t, answers[0], "yes ")
		} else {
			require.Contains(t, answers[2], "no ")
		}
	}
	// Different ones, all at once.
	for _, ticket := range list(t, b, approval.Pending) {
		require.NoError(t, b.Revoke(ctx, ticket.ID))
	}
	for i, p := range processes {
		var all strings.Builder
		for n := range 20 {
			fmt.Fprintln(&all, "open", "-", 2000*(i+1)+n)
		}
		_, err := p.in.WriteString(all.String())
		require.NoError(t, err)
	}
	opened := 0
	for _, p := range processes {
		for range 20 {
			if strings.HasPrefix(p.line(t), "yes ") {
				opened++
			}
		}
	}
	require.Equal(t, 20, opened)
	require.Len(t, list(t, b, approval.Pending), 20)
}

// The lock of a process that is killed is free.
func TestLockEndsWithTheProcess(t *testing.T) {
	path := t.TempDir()
	p := startChild(t, "use", path)
	require.Equal(t, "ready", p.line(t))
	_, err := fmt.Fprintln(p.in, "open", "-", 1)
	require.NoError(t, err)
	require.NoError(t, p.Process.Kill())
	_ = p.Wait()
	limited, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	unlock, err := newDir(t, filepath.Join(path, "tickets")).Lock(limited)
	require.NoError(t, err)
	unlock()
}
