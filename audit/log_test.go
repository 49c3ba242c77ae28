package audit_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/audit/audittest"
	"github.com/useveto/veto-go/rules"
)

func zapTo(w io.Writer, level zapcore.LevelEnabler, opts ...zap.Option) *zap.Logger {
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), level), opts...)
}

func TestZap_Conforms(t *testing.T) {
	conforms(t, func() audittest.Subject {
		out := new(lines)
		return audittest.Subject{Sink: audit.NewZap(zapTo(out, zapcore.InfoLevel)), Read: out.read}
	})
}

func TestSlog_Conforms(t *testing.T) {
	conforms(t, func() audittest.Subject {
		out := new(lines)
		return audittest.Subject{Sink: audit.NewSlog(slog.New(slog.NewJSONHandler(out, nil))), Read: out.read}
	})
}

// A logger that keeps its entries to encode them later has what it needs.
func TestZap_FieldsOutliveTheCall(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	params := tree(t, `{"a":1,"secret":2}`)
	require.NoError(t, audit.NewZap(zap.New(core)).Record(ctx, &audit.Record{Parameters: audit.Capture(params, nil, nil)}))
	params.Reset()
	require.JSONEq(t, `{"a":1,"secret":"[REDACTED]"}`, marshal(t, logs.All()[0].ContextMap()["parameters"]))
}

var levels = map[rules.Outcome]string{rules.Allowed: "info", rules.Denied: "warn", rules.Escalated: "warn", 99: "warn"}

func TestZap_Level(t *testing.T) {
	for outcome, want := range levels {
		core, logs := observer.New(zapcore.DebugLevel)
		// Neither the place in this package nor its stack tells anything.
		log := zap.New(core, zap.AddCaller(), zap.AddStacktrace(zapcore.DebugLevel), zap.Fields(zap.String("service", "x")))
		require.NoError(t, audit.NewZap(log).Record(ctx, &audit.Record{Result: outcome}))
		e := logs.All()[0]
		require.Equal(t, want, e.Level.String())
		require.Equal(t, "veto decision", e.Message)
		require.False(t, e.Caller.Defined)
		require.Empty(t, e.Stack)
		require.Equal(t, "x", e.ContextMap()["service"])
	}
	core, logs := observer.New(zapcore.WarnLevel)
	require.NoError(t, audit.NewZap(zap.New(core)).Record(ctx, &audit.Record{Result: rules.Allowed}), "the host wants warnings only")
	require.Zero(t, logs.Len())
}

func TestSlog_Level(t *testing.T) {
	for outcome, want := range map[rules.Outcome]string{rules.Allowed: "INFO", rules.Denied: "WARN", rules.Escalated: "WARN"} {
		var out bytes.Buffer
		require.NoError(t, audit.NewSlog(slog.New(slog.NewJSONHandler(&out, nil))).Record(ctx, &audit.Record{Result: outcome}))
		var entry map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &entry))
		require.Equal(t, want, entry["level"])
		require.Equal(t, "veto decision", entry["msg"])
	}
	var out bytes.Buffer
	s := audit.NewSlog(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})))
	require.NoError(t, s.Record(ctx, &audit.Record{Result: rules.Allowed}))
	require.Empty(t, out.String())
}

func TestSlog_Text(t *testing.T) {
	var out bytes.Buffer
	s := audit.NewSlog(slog.New(slog.NewTextHandler(&out, nil)))
	require.NoError(t, s.Record(ctx, &audit.Record{Latency: time.Millisecond, Parameters: audit.Capture(tree(t, `{"password":"hunter2"}`), nil, nil)}))
	require.Contains(t, out.String(), `parameters="{\"password\":\"[REDACTED]\"}"`)
	require.Contains(t, out.String(), `latencyMs=1`)
}

// A record that the logger could not write was not kept.
func TestLog_ReturnsTheErrorOfTheWriter(t *testing.T) {
	var told bytes.Buffer
	for name, sink := range map[string]audit.Sink{
		"zap":                    audit.NewZap(zapTo(failing{}, zapcore.InfoLevel, zap.ErrorOutput(zapcore.AddSync(&told)))),
		"zap, no error output":   audit.NewZap(zapTo(failing{}, zapcore.InfoLevel, zap.ErrorOutput(nil))),
		"zap, one of two":        audit.NewZap(zap.New(zapcore.NewTee(zapTo(io.Discard, zapcore.InfoLevel).Core(), zapTo(failing{}, zapcore.InfoLevel).Core()), zap.ErrorOutput(nil))),
		"slog":                   audit.NewSlog(slog.New(slog.NewJSONHandler(failing{}, nil))),
		"slog, attributes added": audit.NewSlog(slog.New(slog.NewTextHandler(failing{}, nil)).With("service", "x")),
	} {
		require.ErrorContains(t, sink.Record(ctx, full(t)), "disk full", name)
	}
	require.Contains(t, told.String(), "disk full", "zap's own way to tell stays open")
}
