package vetoredis_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// authorizer returns one of a document, whose limits are in store.
func authorizer(tb testing.TB, store veto.Store, document string, opts *veto.Options) *veto.Authorizer {
	tb.Helper()
	set, err := veto.Load("policies.yaml", []byte(document))
	require.NoError(tb, err)
	o := veto.Options{}
	if opts != nil {
		o = *opts
	}
	o.Store = store
	a, err := veto.New(set, &o)
	require.NoError(tb, err)
	return a
}

// asks is a Store that a test asks about one project and agent.
type asks struct {
	t     testing.TB
	store *vetoredis.Store
}

func newAsks(t testing.TB) *asks {
	return &asks{t, sharedServer(t).open(t, vetoredis.Options{Prefix: prefix(t)})}
}

// do asks, and fails the test where the server does not answer.
func (a *asks) do(b *evaluator.Batch) *evaluator.Batch {
	a.t.Helper()
	b.Project, b.Agent = "acme", "bot"
	require.NoError(a.t, a.store.Do(ctx, b))
	return b
}

// take takes all, or nothing.
func (a *asks) take(session string, takes ...evaluator.Take) *evaluator.Batch {
	a.t.Helper()
	return a.do(&evaluator.Batch{Op: evaluator.OpTake, Session: session, Takes: takes})
}

func (a *asks) look(session string, takes ...evaluator.Take) *evaluator.Batch {
	a.t.Helper()
	return a.do(&evaluator.Batch{Op: evaluator.OpLook, Session: session, Takes: takes})
}

// back gives back what was taken.
func (a *asks) back(b *evaluator.Batch) {
	a.t.Helper()
	require.True(a.t, b.Taken)
	x := *b
	x.Op, x.Event = evaluator.OpGiveBack, nil
	a.do(&x)
}

// correct makes actual the amount of what was taken.
func (a *asks) correct(b *evaluator.Batch, actual *big.Int) {
	a.t.Helper()
	x := *b
	x.Op = evaluator.OpCorrect
	for i := range x.Takes {
		x.Takes[i].Actual = digits(actual)
	}
	a.do(&x)
	for i := range b.Takes {
		b.Takes[i].Amount = digits(actual)
	}
}

func (a *asks) open(session string) *evaluator.Batch {
	a.t.Helper()
	b := a.do(&evaluator.Batch{Op: evaluator.OpOpen, Session: session, Records: true})
	require.True(a.t, b.Open)
	return b
}

func digits(n *big.Int) string { return fmt.Sprintf("%039d", n) }

func calls(key string, window time.Duration, most int) evaluator.Take {
	return evaluator.Take{Key: []byte(key), Kind: evaluator.CountCalls, Window: window, Max: most}
}

func bucket(key string, window time.Duration, most int) evaluator.Take {
	return evaluator.Take{Key: []byte(key), Kind: evaluator.TokenBucket, Window: window, Max: most}
}

func sum(key string, window time.Duration, most, amount *big.Int) evaluator.Take {
	return evaluator.Take{Key: []byte(key), Kind: evaluator.SumAmounts, Window: window, Sum: digits(most), Amount: digits(amount)}
}

func value(key string, window time.Duration, most int, v string) evaluator.Take {
	return evaluator.Take{Key: []byte(key), Kind: evaluator.CountValues, Window: window, Max: most, Value: []byte(v)}
}

func tally(key string, most, by int) evaluator.Take {
	return evaluator.Take{Key: []byte(key), Kind: evaluator.Tally, Max: most, By: by}
}
