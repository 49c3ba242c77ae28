package main

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/useveto/veto-go/approval"
	"github.com/useveto/veto-go/audit"
)

// state is what the server keeps where the agent cannot reach it.
type state struct {
	dir      string
	tickets  *approval.Dir
	book     *approval.Book
	stateKey []byte // of the states that clients are given
	log      *os.File
}

func openState(dir string) (*state, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	secret, err := secretOf(dir)
	if err != nil {
		return nil, err
	}
	s := &state{dir: dir}
	if s.stateKey, err = hkdf.Key(sha256.New, secret, nil, "states of MCP calls", 32); err != nil {
		return nil, err
	}
	key, err := approval.NewKey(secret)
	if err != nil {
		return nil, err
	}
	if s.tickets, err = approval.OpenDir(filepath.Join(dir, "tickets")); err != nil {
		return nil, err
	}
	if s.book, err = approval.New(s.tickets, key, nil); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// secretOf returns the secret of a state directory, which it makes if there is
// none. It appears there as a whole: two processes can start at once.
func secretOf(dir string) ([]byte, error) {
	name := filepath.Join(dir, "key")
	secret, err := os.ReadFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	fresh, err := os.CreateTemp(dir, "key-*") // for its owner only
	if err != nil {
		return nil, err
	}
	defer os.Remove(fresh.Name())
	secret = make([]byte, 32)
	_, _ = rand.Read(secret) // it never fails
	_, err = fresh.Write(secret)
	if err = errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(fresh.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(name)
}

// records returns a sink that writes a line of JSON for each decision.
func (s *state) records() (audit.Sink, error) {
	var err error
	s.log, err = os.OpenFile(filepath.Join(s.dir, "records.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return audit.NewSlog(slog.New(slog.NewJSONHandler(s.log, nil))), nil
}

func (s *state) Close() error {
	err := s.tickets.Close()
	if s.log != nil {
		err = errors.Join(err, s.log.Close())
	}
	return err
}

// pending prints the calls that wait.
func (s *state) pending(ctx context.Context, w io.Writer) error {
	tickets, err := s.book.List(ctx, approval.Pending)
	for _, t := range tickets {
		fmt.Fprintf(w, "%s  %s calls %s %s  %s (until %s)\n", t.ID, t.Agent, t.Tool, t.Parameters, t.Message, t.Expires.Local().Format("15:04:05"))
	}
	return err
}

// answer approves or denies a call that waits.
func (s *state) answer(ctx context.Context, w io.Writer, id string, approve bool, by string) error {
	t, err := s.book.Get(ctx, id)
	if err != nil {
		return err
	}
	if err := s.book.Answer(ctx, id, approval.Answer{Approve: approve, By: by}); err != nil {
		return err
	}
	may := "may not"
	if approve {
		may = "may, once,"
	}
	_, err = fmt.Fprintf(w, "%s %s call %s %s\n", t.Agent, may, t.Tool, t.Parameters)
	return err
}

// outside reports an error where dir is in root, or is it.
func outside(dir, root string) error {
	if root == "" {
		return errors.New("-root is missing")
	}
	above, err := resolved(root)
	if err != nil {
		return err
	}
	below, err := resolved(dir)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(above, below)
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("the state directory %s is in the root %s, where the agent's tools reach it", dir, root)
	}
	return nil // also where there is no way from one to the other
}

// resolved is an absolute path without links in the part of it that is there.
func resolved(name string) (string, error) {
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	there, err := filepath.EvalSymlinks(name)
	if parent := filepath.Dir(name); errors.Is(err, fs.ErrNotExist) && parent != name {
		if there, err = resolved(parent); err == nil {
			there = filepath.Join(there, filepath.Base(name))
		}
	}
	return there, err
}
