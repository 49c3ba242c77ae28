package veto

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/evaluator"
)

// record hands the decision to the sink. A sink that panics has not kept it.
func (a *Authorizer) record(ctx context.Context, d *decision, r *Result, c *evaluator.Cause, start time.Time) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("sink panicked: %s", panicText(p))
		}
	}()
	if ctx == nil {
		ctx = context.Background()
	} else if ctx.Done() != nil {
		ctx = context.WithoutCancel(ctx) // that the caller left is on the record too
	}
	d.record = audit.Record{
		ID: r.DecisionID, Timestamp: r.EvaluatedAt, AgentID: clip(d.call.AgentID), Action: "authorize",
		ToolName: clip(d.call.Tool), Parameters: audit.Capture(d.eval.Args(), a.redactor, a.opts.DigestKey),
		Result: r.Outcome, Code: r.Code, PolicyID: r.MatchedPolicyID, RuleID: r.MatchedRuleID,
		Reason: r.Reason, Latency: time.Since(start), ProjectID: clip(d.call.Project),
		SessionID: clip(d.call.Session), UserID: clip(d.call.User), CallID: clip(d.call.CallID),
		PolicyRevision: r.PolicyRevision, PolicyDigest: c.PolicyDigest, Mode: r.Mode,
		ApprovalID: r.ApprovalID, Shadow: r.Shadow,
	}
	err = a.opts.Sink.Record(ctx, &d.record)
	d.record = audit.Record{}
	return err
}

// clip cuts a name to what a valid one may have. Names of invalid requests
// are anything, and a record of them is not to grow without bound.
func clip(name string) string {
	const most = 255
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "")
}

// logDecision tells the operator's log.
func (a *Authorizer) logDecision(d *decision, r *Result) {
	level, message := zapcore.DebugLevel, "decision"
	if a.opts.Mode == Log && !r.Allowed {
		level, message = zapcore.WarnLevel, "call would not be allowed"
	}
	if e := a.logger().Check(level, message); e != nil {
		e.Write(
			zap.Stringer("decision", r.DecisionID), zap.String("agent", clip(d.call.AgentID)),
			zap.String("tool", clip(d.call.Tool)), zap.Stringer("outcome", r.Outcome),
			zap.Stringer("code", r.Code), zap.String("policy", r.MatchedPolicyID),
			zap.Stringer("reason", r.Reason),
		)
	}
}
