package audit

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/useveto/veto-go/rules"
)

// message is that of every entry.
const message = "veto decision"

// NewZap returns a Sink that writes each record to a logger as one entry, its
// fields under the names that the record has in JSON: at info level where the
// call was allowed, else as a warning.
//
// Where the logger cannot write the entry, Record returns an error; where it
// drops it, because of its level or because it takes samples, that was the
// host's wish. Entries have no caller and no stack.
func NewZap(log *zap.Logger) Sink {
	return zapSink{log.WithOptions(zap.WithCaller(false), zap.AddStacktrace(zapcore.InvalidLevel))}
}

type zapSink struct{ log *zap.Logger }

func (s zapSink) Record(_ context.Context, r *Record) error {
	level := zapcore.WarnLevel
	if r.Result == rules.Allowed {
		level = zapcore.InfoLevel
	}
	e := s.log.Check(level, message)
	if e == nil {
		return nil
	}
	// What zap tells nobody but its error output is our answer.
	failure := &failure{WriteSyncer: e.ErrorOutput}
	e.ErrorOutput = failure
	fields := make([]zap.Field, 0, 24)
	r.Clone().attributes(func(name string, v any) { fields = append(fields, field(name, v)) })
	e.Write(fields...)
	return failure.err()
}

// field is zap.Any, except that what has its own JSON is written as that.
func field(name string, v any) zap.Field {
	if s, ok := v.(string); ok {
		return zap.String(name, s)
	}
	return zap.Reflect(name, v)
}

// failure is an error output that remembers what it was told.
type failure struct {
	zapcore.WriteSyncer // may be nil
	told                strings.Builder
}

func (f *failure) Write(p []byte) (int, error) {
	f.told.Write(p)
	if f.WriteSyncer == nil {
		return len(p), nil
	}
	return f.WriteSyncer.Write(p)
}

func (f *failure) Sync() error {
	if f.WriteSyncer == nil {
		return nil
	}
	return f.WriteSyncer.Sync()
}

func (f *failure) err() error {
	if f.told.Len() == 0 {
		return nil
	}
	return errors.New("audit: zap: " + strings.TrimSpace(f.told.String()))
}

// NewSlog is [NewZap] for a logger of log/slog: an error of its handler is
// returned, and a level that is not enabled is no error.
func NewSlog(log *slog.Logger) Sink { return slogSink{log.Handler()} }

type slogSink struct{ handler slog.Handler }

func (s slogSink) Record(ctx context.Context, r *Record) error {
	level := slog.LevelWarn
	if r.Result == rules.Allowed {
		level = slog.LevelInfo
	}
	if !s.handler.Enabled(ctx, level) {
		return nil
	}
	entry := slog.NewRecord(time.Now(), level, message, 0)
	r.Clone().attributes(func(name string, v any) { entry.AddAttrs(slog.Any(name, v)) })
	return s.handler.Handle(ctx, entry)
}

// attributes calls f with the parts of the record, a clone, that MarshalJSON
// writes.
func (r *Record) attributes(f func(name string, v any)) {
	text := func(name, s string) {
		if s != "" {
			f(name, s)
		}
	}
	f("id", r.ID.String())
	f("timestamp", r.Timestamp.UTC().Format(timeLayout))
	f("agentId", r.AgentID)
	f("action", r.Action)
	f("toolName", r.ToolName)
	f("parameters", r.Parameters)
	text("parametersDigest", r.Parameters.Digest())
	f("result", r.Result.String())
	f("code", r.Code.String())
	text("policyId", r.PolicyID)
	text("ruleId", r.RuleID)
	f("reason", r.Reason.String())
	f("latencyMs", milliseconds(r.Latency))
	text("projectId", r.ProjectID)
	text("sessionId", r.SessionID)
	text("userId", r.UserID)
	text("callId", r.CallID)
	text("policyRevision", r.PolicyRevision)
	text("policyDigest", r.PolicyDigest)
	if r.Mode != rules.Enforce {
		f("mode", r.Mode.String())
	}
	text("approvalId", r.ApprovalID)
	if len(r.Shadow) > 0 {
		f("shadow", r.Shadow)
	}
}
