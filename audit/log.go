package audit

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/useveto/veto-go/rules"
)

// NewZap returns a Sink that writes each record to a logger as one entry: at
// info level where the call was allowed, else as a warning. A logger that
// drops an entry does not say so; for records that must be kept, use another
// sink beside it.
func NewZap(log *zap.Logger) Sink { return zapSink{log} }

type zapSink struct{ log *zap.Logger }

func (s zapSink) Record(_ context.Context, r *Record) error {
	level := zapcore.WarnLevel
	if r.Result == rules.Allowed {
		level = zapcore.InfoLevel
	}
	if e := s.log.Check(level, message); e != nil {
		var fields []zap.Field
		r.attributes(func(name, value string) { fields = append(fields, zap.String(name, value)) })
		fields = append(fields,
			zap.Duration("latency", r.Latency),
			zap.Reflect("parameters", r.Clone().Parameters),
		)
		e.Write(fields...)
	}
	return nil
}

// NewSlog is NewZap for a logger of log/slog.
func NewSlog(log *slog.Logger) Sink { return slogSink{log} }

type slogSink struct{ log *slog.Logger }

func (s slogSink) Record(ctx context.Context, r *Record) error {
	level := slog.LevelWarn
	if r.Result == rules.Allowed {
		level = slog.LevelInfo
	}
	if !s.log.Enabled(ctx, level) {
		return nil
	}
	var attrs []slog.Attr
	r.attributes(func(name, value string) { attrs = append(attrs, slog.String(name, value)) })
	attrs = append(attrs,
		slog.Duration("latency", r.Latency),
		slog.Any("parameters", r.Clone().Parameters),
	)
	s.log.LogAttrs(ctx, level, message, attrs...)
	return nil
}

const message = "veto decision"

// attributes calls f with the texts of the record that are not empty.
func (r *Record) attributes(f func(name, value string)) {
	for _, a := range [...]struct{ name, value string }{
		{"id", r.ID.String()},
		{"timestamp", r.Timestamp.UTC().Format(timeLayout)},
		{"agentId", r.AgentID},
		{"action", r.Action},
		{"toolName", r.ToolName},
		{"result", r.Result.String()},
		{"code", r.Code.String()},
		{"policyId", r.PolicyID},
		{"ruleId", r.RuleID},
		{"reason", r.Reason.String()},
		{"projectId", r.ProjectID},
		{"sessionId", r.SessionID},
		{"userId", r.UserID},
		{"callId", r.CallID},
		{"policyRevision", r.PolicyRevision},
		{"policyDigest", r.PolicyDigest},
		{"approvalId", r.ApprovalID},
		{"parametersDigest", r.Parameters.Digest()},
	} {
		if a.value != "" {
			f(a.name, a.value)
		}
	}
	if r.Mode != rules.Enforce {
		f("mode", r.Mode.String())
	}
}
