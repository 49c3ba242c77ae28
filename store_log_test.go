package veto_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

type storeFunc func(ctx context.Context, b *evaluator.Batch) error

func (f storeFunc) Do(ctx context.Context, b *evaluator.Batch) error { return f(ctx, b) }

// An agent that uses up its room, and callers who do not wait, are no outage of
// the store: nobody is called to one, and the log does not go to and fro with
// the calls of others.
func TestStoreThatAnswersIsNotDown(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	broken := false
	a := newAuthorizer(t, set(allowlist("t"), limit(5, 60, "t")), &veto.Options{Logger: zap.New(core), Store: storeFunc(
		func(ctx context.Context, b *evaluator.Batch) error {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case b.Agent == "full":
				return fmt.Errorf("the store: %w", evaluator.ErrNoRoom)
			case broken:
				return errors.New("no answer")
			}
			b.Taken = true
			for i := range b.Takes {
				b.Takes[i].Fits = true
			}
			return nil
		})})
	say := func(agent string) rules.Code {
		r, _ := a.Authorize(ctx, agent, "t", nil)
		return r.Code
	}
	for range 3 {
		require.Equal(t, rules.CodeLimitsUnavailable, say("full"))
		require.Equal(t, rules.CodeAllowed, say("other"))
		gone, cancel := context.WithCancel(ctx)
		cancel()
		_, err := a.Usage(gone, veto.Call{AgentID: "other", Tool: "t"})
		require.Error(t, err)
	}
	require.Zero(t, a.StoreFailures())
	require.Zero(t, logs.Len())
	broken = true
	require.Equal(t, rules.CodeLimitsUnavailable, say("other"))
	require.Equal(t, rules.CodeLimitsUnavailable, say("other"))
	require.EqualValues(t, 2, a.StoreFailures())
	require.Equal(t, 1, logs.Len())
	require.Equal(t, rules.CodeLimitsUnavailable, say("full"), "it has answered")
	require.Equal(t, 2, logs.Len())
}
