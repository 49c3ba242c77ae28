package audit_test

import (
	"context"
	"log/slog"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/useveto/veto-go/audit"
)

// plain returns a handler whose output is the same each time it runs.
func plain() slog.Handler {
	return slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case slog.TimeKey, "id", "reason", "timestamp":
			return slog.Attr{}
		default:
			return a
		}
	}})
}

func ExampleNewSlog() {
	sink := audit.NewSlog(slog.New(plain()))
	for _, r := range decisions()[:2] { // an Authorizer with Options.Sink: sink
		sink.Record(context.Background(), r)
	}
	// Output:
	// level=INFO msg="veto decision" agentId=support-bot action=authorize toolName=web.search parameters={} result=allowed code=allowed latencyMs=0.004
	// level=WARN msg="veto decision" agentId=support-bot action=authorize toolName=refund parameters={} result=escalated code=approval_required latencyMs=0.004
}

// slogCore is a zapcore.Core over a slog.Handler, for programs that log with
// slog and hand a *zap.Logger to Veto.
type slogCore struct{ handler slog.Handler }

func slogLevel(l zapcore.Level) slog.Level {
	return slog.Level(4 * min(l, zapcore.ErrorLevel)) // debug is -4, info 0, warn 4, error and above 8
}

func (c slogCore) Enabled(l zapcore.Level) bool {
	return c.handler.Enabled(context.Background(), slogLevel(l))
}

func (c slogCore) With(fields []zapcore.Field) zapcore.Core {
	return slogCore{c.handler.WithAttrs(attrs(fields))}
}

func (c slogCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

func (c slogCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r := slog.NewRecord(e.Time, slogLevel(e.Level), e.Message, e.Caller.PC)
	r.AddAttrs(attrs(fields)...)
	return c.handler.Handle(context.Background(), r)
}

func (c slogCore) Sync() error { return nil }

func attrs(fields []zapcore.Field) []slog.Attr {
	attrs := make([]slog.Attr, 0, len(fields))
	for _, f := range fields {
		values := zapcore.NewMapObjectEncoder()
		f.AddTo(values)
		for name, v := range values.Fields { // one, but for an error with a verbose text
			attrs = append(attrs, slog.Any(name, v))
		}
	}
	return attrs
}

// Options.Logger of an Authorizer takes a zap logger. This one writes to a
// slog.Handler.
func Example_zapLoggerOverSlog() {
	log := zap.New(slogCore{plain()})
	log.With(zap.String("service", "shop")).Warn("policies were not loaded", zap.Int("faults", 2))
	log.Debug("not shown: the handler's level is info")
	// Output:
	// level=WARN msg="policies were not loaded" service=shop faults=2
}
