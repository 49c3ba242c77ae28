package evaluator

import (
	"time"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/rules"
)

// take is one thing on which a verdict rests, and that an allowed call uses
// up: a limit, or the history of the session that a sequence looks at.
type take struct {
	rule *rule // nil of a tally that counts for another tool's policy

	limit  *limit // nil of a sequence
	key    []byte // of the counter; part of Evaluation.keys
	amount decimal.Amount
	value  []byte // that is counted; part of Evaluation.keys
	by     int    // of a tally

	sequence *sequence
	covered  bool // a human has approved what is past it

	// Where the State has the counter, while that is locked.
	hash    uint64
	counter *counter // nil: there is none yet
	made    bool     // for this call, in its session
	room    *owner   // of a value that is new there; nil: that of the counter

	// The answer of the State.
	says       judgement // passes, where nothing stands against the call
	why        string    // of the trace: why the rule has failed
	retryAfter time.Duration

	// What was counted, to be taken back.
	at     int64
	use    uint64  // of a value
	before useMark // where it is known
	known  bool
}

// past makes says what the rule says of a call past its limit.
func (t *take) past() {
	if t.rule == nil || t.covered {
		t.says = judgement{outcome: passes}
	} else {
		t.says = t.rule.violated(t.limit.code())
	}
}

// lookBack asks the sequence of t about the calls of h.
func (t *take) lookBack(e *Evaluation, h *history, now int64) {
	e.why = ""
	t.says = t.sequence.over(e, t.rule, h, now)
	t.why = e.why
	if t.covered && t.says.outcome == escalates {
		t.says = judgement{outcome: passes}
	}
}

// violated is what r says where it is violated.
func (r *rule) violated(code rules.Code) judgement {
	if r.soft {
		return judgement{outcome: escalates, code: rules.CodeApprovalRequired}
	}
	return judgement{outcome: denies, code: code}
}

// inSession reports whether the counter of t belongs to a session, and ends
// with it.
func (t *take) inSession() bool { return t.limit != nil && t.limit.window == 0 }

// needsSession reports whether the session of the call must be open.
func (t *take) needsSession() bool {
	return t.rule != nil && (t.sequence != nil || t.limit.session)
}

// code is that of what t stands against the call with, whether that denies or
// escalates.
func (t *take) code() rules.Code {
	switch {
	case t.says.outcome == failed:
		return rules.CodeEvaluationError
	case t.says.outcome == denies:
		return t.says.code
	case t.limit != nil:
		return t.limit.code()
	default:
		return rules.CodeSequenceViolated
	}
}
