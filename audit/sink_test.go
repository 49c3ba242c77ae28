package audit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/audit/audittest"
)

type sinkFunc func(context.Context, *audit.Record) error

func (f sinkFunc) Record(ctx context.Context, r *audit.Record) error { return f(ctx, r) }

func TestMulti_Conforms(t *testing.T) {
	conforms(t, func() audittest.Subject {
		out := new(lines)
		return audittest.Subject{Sink: audit.Multi(audit.NewMemory(nil), audit.NewZap(zapTo(out, zapcore.InfoLevel)), audit.Discard), Read: out.read}
	})
}

func TestMulti_TriesAll(t *testing.T) {
	m := audit.NewMemory(nil)
	errA, errB := errors.New("a"), errors.New("b")
	err := audit.Multi(
		sinkFunc(func(context.Context, *audit.Record) error { return errA }),
		sinkFunc(func(context.Context, *audit.Record) error { panic("a sink's own trouble") }),
		nil,
		m,
		sinkFunc(func(context.Context, *audit.Record) error { return errB }),
	).Record(ctx, full(t))
	require.ErrorIs(t, err, errA)
	require.ErrorIs(t, err, errB)
	require.ErrorContains(t, err, "a sink's own trouble")
	records, _ := m.Query(audit.Query{})
	require.Len(t, records, 1)
}

func TestMulti_CopiesItsSinks(t *testing.T) {
	m := audit.NewMemory(nil)
	sinks := []audit.Sink{m}
	s := audit.Multi(sinks...)
	sinks[0] = audit.Discard
	require.NoError(t, s.Record(ctx, full(t)))
	_, total := m.Query(audit.Query{})
	require.Equal(t, 1, total)
	require.NoError(t, audit.Multi().Record(ctx, full(t)))
}
