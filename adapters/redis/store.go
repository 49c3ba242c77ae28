package vetoredis

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/useveto/veto-go/evaluator"
)

// Store keeps counters and sessions in Redis. It implements veto.Store and is
// safe for concurrent use. It has nothing to close; the client is its maker's.
type Store struct {
	client  goredis.UniversalClient
	opts    Options
	script  script
	checked atomic.Bool // the servers were, once

	sha, maxKeys, idle any // as arguments of a command
}

// ErrFull is the error of a call that needs a new counter where there are
// Options.MaxKeysPerAgent of its agent, or in its session. Nothing was taken.
var ErrFull = fmt.Errorf("vetoredis: %w", evaluator.ErrNoRoom)

// startTimeout is how long New waits for a server at most.
const startTimeout = 5 * time.Second

// New returns a Store that asks the server or cluster of client, a
// *redis.Client (also one of Sentinel) or a *redis.ClusterClient whose options
// have ContextTimeoutEnabled. opts may be nil.
//
// It is an error if the server does not answer, or could forget what it counts
// ([ErrForgets]); the two last options permit either. Other clients, and
// clients that do not obey deadlines, are errors too. A server that was
// restarted is checked again before it is used.
func New(ctx context.Context, client goredis.UniversalClient, opts *Options) (*Store, error) {
	o, err := opts.filled()
	if err != nil {
		return nil, err
	}
	if ctx == nil {
		return nil, errors.New("vetoredis: New: the context is nil")
	}
	if err := checkClient(client); err != nil {
		return nil, err
	}
	s := &Store{
		client: client, opts: o, script: newScript(!o.AcceptThatCountsMayBeForgotten),
		maxKeys: o.MaxKeysPerAgent,
		idle:    int64((o.SessionIdle + time.Millisecond - 1) / time.Millisecond),
	}
	s.sha = s.script.sha
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	switch err := s.checkAll(ctx); {
	case err == nil:
		s.checked.Store(true)
	case !o.AllowStoreThatIsDownAtStart || !isOutage(err):
		return nil, err
	}
	return s, nil
}

// checkAll checks every server that may be asked.
func (s *Store) checkAll(ctx context.Context) error {
	check := func(ctx context.Context, c *goredis.Client) error {
		if err := c.Ping(ctx).Err(); err != nil {
			return notAnswered(err)
		}
		return checkServer(ctx, c, s.opts.AcceptThatCountsMayBeForgotten)
	}
	switch c := s.client.(type) {
	case *goredis.Client:
		return check(ctx, c)
	case *goredis.ClusterClient:
		if err := c.Ping(ctx).Err(); err != nil {
			return notAnswered(err)
		}
		return c.ForEachMaster(ctx, check)
	default:
		return checkClient(s.client)
	}
}

// checkOne checks the server that has a key.
func (s *Store) checkOne(ctx context.Context, key string) error {
	node, _ := s.client.(*goredis.Client)
	if c, ok := s.client.(*goredis.ClusterClient); ok {
		var err error
		if node, err = c.MasterForKey(ctx, key); err != nil {
			return err
		}
	}
	return checkServer(ctx, node, s.opts.AcceptThatCountsMayBeForgotten)
}

// notAnswered makes an outage of err, unless a server has answered that it does
// not know the client, or what that may do: which no waiting ends.
func notAnswered(err error) error {
	for _, word := range []string{"WRONGPASS", "NOAUTH", "NOPERM"} {
		if goredis.HasErrorPrefix(err, word) {
			return fmt.Errorf("vetoredis: the server refuses the client: %w", err)
		}
	}
	return outage{err}
}

// outage is the error of a server that does not answer.
type outage struct{ err error }

func (o outage) Error() string { return "vetoredis: the server does not answer: " + o.err.Error() }
func (o outage) Unwrap() error { return o.err }

func isOutage(err error) bool {
	var o outage
	return errors.As(err, &o)
}

// Do implements veto.Store. It is one command to one server, and returns
// within Options.Timeout. An error says that it is unknown whether the server
// did what it was asked; it is never asked twice.
func (s *Store) Do(ctx context.Context, b *evaluator.Batch) (err error) {
	if s == nil || s.client == nil {
		return errors.New("vetoredis: the Store was not made by New")
	}
	if ctx == nil {
		return errors.New("vetoredis: the context is nil")
	}
	q, err := s.newRequest(b)
	if err != nil {
		return err
	}
	defer func() {
		if recover() != nil { // as the client does of some answers
			err = ErrAnswer
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	if !s.checked.Load() {
		if err := s.checkAll(ctx); err != nil {
			return err
		}
		s.checked.Store(true)
	}
	cmd := s.run(ctx, q)
	if goredis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		// Nobody has used this server since it was started, or became the
		// master.
		if err := s.checkOne(ctx, q.firstKey()); err != nil {
			return err
		}
		q.command[atName], q.command[atScript] = "eval", s.script.text
		cmd = s.run(ctx, q)
	}
	switch err := cmd.Err(); {
	case goredis.HasErrorPrefix(err, "VETOFULL"):
		return ErrFull
	case err != nil:
		return fmt.Errorf("vetoredis: %w", err)
	}
	return q.fill(b, cmd.Val())
}

func (q *request) firstKey() string {
	key, _ := q.command[atKeys].(string)
	return key
}

// run sends the question, once. The answer is a string: of any other the
// client makes an error, and no memory for as much as a server says it is.
func (s *Store) run(ctx context.Context, q *request) *goredis.StringCmd {
	cmd := goredis.NewStringCmd(ctx, q.command...)
	cmd.SetFirstKeyPos(atKeys)
	_ = s.client.Process(ctx, once{cmd})
	return cmd
}

// once is a command that the client does not repeat when a connection breaks:
// the server may have done it, and what is given back twice is permitted
// twice.
type once struct{ *goredis.StringCmd }

func (once) NoRetry() bool { return true }
