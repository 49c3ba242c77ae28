package approval_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/approval"
)

var kills = flag.Int("kills", 50, "how many processes the crash test kills")

const (
	lockPatience   = 5 * time.Second
	killsPerStore  = 20                    // then the tickets of others take too long to read
	longestBeforeK = 40 * time.Millisecond // several rounds of a child
)

// Processes that open, answer and use tickets, two at a time in one directory,
// are killed at any moment. No call runs twice, none runs that was not
// approved, and no answer is lost that was acknowledged.
func TestAttack_E4_Crash(t *testing.T) {
	n := *kills
	if testing.Short() {
		n = min(n, 10)
	}
	var total counts
	for n > 0 {
		path := t.TempDir()
		for range min(n, killsPerStore) / 2 {
			one, two := startChild(t, "loop", path), startChild(t, "loop", path)
			for _, p := range []*process{one, two} {
				require.Equal(t, "ready", p.line(t))
			}
			for _, p := range []*process{one, two} {
				<-time.After(rand.N(longestBeforeK))
				require.NoError(t, p.Process.Kill())
				err := p.Wait()
				require.Empty(t, p.err.String(), "%v", err) // it did not end by itself
			}
		}
		n -= killsPerStore
		total.add(checkLog(t, path))
	}
	t.Logf("%+v", total)
	require.Positive(t, total.ran)
}

type counts struct{ tickets, approved, denied, ran, unknown int }

func (c *counts) add(d counts) {
	c.tickets += d.tickets
	c.approved += d.approved
	c.denied += d.denied
	c.ran += d.ran
	c.unknown += d.unknown
}

// checkLog compares what the children have done with what is in the store.
func checkLog(t *testing.T, path string) (c counts) {
	b, err := approval.New(newDir(t, filepath.Join(path, "tickets")), newKey(t), nil)
	require.NoError(t, err)
	tickets := make(map[string]approval.Ticket)
	for _, ticket := range list(t, b) { // all are authentic
		tickets[ticket.ID] = ticket
	}
	log, err := os.ReadFile(filepath.Join(path, "log"))
	require.NoError(t, err)
	answering := make(map[string]bool)
	ran, denied := make(map[string]bool), make(map[string]bool)
	for line := range strings.Lines(string(log)) {
		what, id, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		ticket, ok := tickets[id]
		require.True(t, ok, line)
		switch what {
		case "answering-approved":
			answering[id] = true
		case "approved":
			c.approved++
			if !ticket.Revoked { // by a denial that came after it
				require.Contains(t, []approval.State{approval.Approved, approval.Used}, ticket.State, line)
			}
			require.Equal(t, "klara", ticket.By)
		case "denied":
			c.denied++
			denied[id] = true
			if ticket.State == approval.Used { // it came between a use and its run, which then was none
				require.True(t, ticket.Revoked && !ran[id], line)
				continue
			}
			require.Equal(t, approval.Denied, ticket.State, line)
		case "ran":
			c.ran++
			require.True(t, answering[id], "ran unapproved: %s", line)
			require.False(t, ran[id], "ran twice: %s", line)
			require.False(t, denied[id], "ran although it was denied: %s", line)
			ran[id] = true
			require.Equal(t, approval.Used, ticket.State, line)
		}
	}
	for id, ticket := range tickets {
		c.tickets++
		if ticket.Outcome == approval.Ran {
			require.True(t, ran[id])
		}
		if ticket.State == approval.Used && ticket.Outcome == approval.OutcomeUnknown {
			c.unknown++ // shown to a human, not run again
			require.ErrorIs(t, b.Use(ctx, id, ticket.Binding), approval.ErrUsed)
		}
	}
	return c
}

var errCrash = errors.New("crash")

// crashing is a store that does so many things and then no more. Its last is
// done or not, and nobody is told.
type crashing struct {
	approval.Store
	left int
	done bool
}

func (s *crashing) step(f func() error) error {
	switch s.left--; {
	case s.left > 0:
		return f()
	case s.left == 0 && s.done:
		_ = f()
	}
	return errCrash
}

func (s *crashing) Create(ctx context.Context, name string, data []byte) error {
	return s.step(func() error { return s.Store.Create(ctx, name, data) })
}

func (s *crashing) Read(ctx context.Context, name string) (data []byte, err error) {
	return data, s.step(func() (e error) { data, e = s.Store.Read(ctx, name); return e })
}

func (s *crashing) List(ctx context.Context) (names []string, err error) {
	return names, s.step(func() (e error) { names, e = s.Store.List(ctx); return e })
}

func (s *crashing) Remove(ctx context.Context, name string) error {
	return s.step(func() error { return s.Store.Remove(ctx, name) })
}

// The same at every single step, again and again: each process dies at the nth
// thing that it does with the store, for every n.
func TestAttack_E4_CrashAtEveryStep(t *testing.T) {
	for n := 1; ; n++ {
		finished := false
		for _, done := range []bool{false, true} {
			inner := new(approval.Memory)
			runs, acknowledged, asked := 0, false, false
			life := func(store approval.Store) bool {
				key := newKey(t)
				b, err := approval.New(store, key, &approval.Options{Now: func() time.Time { return start }})
				if err != nil {
					return false
				}
				ticket, err := b.Find(ctx, binding(1))
				if errors.Is(err, approval.ErrNotFound) && runs == 0 {
					if used, err := b.List(ctx, approval.Used); err != nil || len(used) > 0 {
						return err == nil // used, and nobody knows: it is not for us to run it
					}
					ticket, err = b.Open(ctx, request(1))
				}
				if err != nil {
					return errors.Is(err, approval.ErrNotFound)
				}
				require.False(t, acknowledged && ticket.State != approval.Approved, "lost at step %d", n)
				if ticket.State == approval.Pending {
					asked = true
					if b.Answer(ctx, ticket.ID, yes) != nil {
						return false
					}
					acknowledged = true
				}
				if b.Use(ctx, ticket.ID, binding(1)) != nil {
					return false
				}
				require.True(t, asked)
				runs++
				return b.Done(ctx, ticket.ID, approval.Ran) == nil
			}
			finished = life(&crashing{inner, n, done})
			for again := 1; again < 30; again += 4 {
				life(&crashing{inner, again, done})
			}
			require.True(t, life(inner))
			require.LessOrEqual(t, runs, 1, "step %d", n)
			all, err := func() ([]approval.Ticket, error) {
				b, _ := newBook(t, inner)
				return b.List(ctx)
			}()
			require.NoError(t, err)
			require.Len(t, all, 1)
			require.Equal(t, approval.Used, all[0].State)
			require.Equal(t, "klara", all[0].By)
		}
		if finished {
			t.Logf("%d steps", n-1)
			require.Greater(t, n, 20)
			return
		}
	}
}
