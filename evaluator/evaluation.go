package evaluator

import (
	"math"
	"time"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// Evaluation is the working memory of one decision: reuse makes decisions
// allocate nothing. The zero Evaluation is ready to use. It must not be used
// by two goroutines at once, and what it holds of a call is valid until the
// next Decide or Reset.
type Evaluation struct {
	program *Program
	call    *rules.Call
	now     time.Time

	args    value.Tree
	read    bool // args holds the call's parameters
	context value.Tree

	folded []byte // the tool name in ASCII lower case, where that differs
	tool   string // the tool name in ASCII lower case
	input  condition.Input
	// The bounds on the work of a decision. Shadow policies have their own,
	// so that they cannot use up what the others need.
	scope, shadowScope constraint.Scope

	cursors []cursor
	merged  []ref // of the cursors, where there are many
	takes   []take
	keys    []byte // counter keys of takes, one after the other
	taken   bool   // takes are in the state, to be given back on failure
	from    *State // that state

	guarded    bool     // whether the call succeeds will be reported
	session    *session // of the call, while its takes are in the state
	remembered remembered
	recorded   bool // shared sessions keep the calls that are allowed
	approved   []Approved
	batched    *Batch // what a shared store has taken
	past       past
	pastText   []byte // the buffers of pastKey
	pastBytes  []byte

	judging *rule // the rule that is being asked, for a panic of it
	group   group
	verdict Verdict
	policy  policyState
	shadows []rules.ShadowResult
	trace   *Trace
	why     string // of the trace: why the rule that was asked last has failed
}

// Args returns the tree of the call's parameters, empty where it has none; or
// nil where they were not read, or could not be.
func (e *Evaluation) Args() *value.Tree {
	if !e.read {
		return nil
	}
	return &e.args
}

// Shadows returns what the shadow policies would have said. The slice is the
// caller's.
func (e *Evaluation) Shadows() []rules.ShadowResult { return e.shadows }

// Reset forgets the call, so that a pooled Evaluation keeps nothing of it
// alive.
func (e *Evaluation) Reset() {
	e.program, e.call, e.trace, e.shadows = nil, nil, nil, nil
	e.tool, e.read = "", false
	e.args.Reset()
	if !e.context.Empty() {
		e.context.Reset()
	}
	e.input.Args = nil // holds fills it in again
	e.scope.Reset()
	e.shadowScope.Reset()
	e.taken, e.guarded, e.recorded = false, false, false
	e.from, e.session, e.remembered, e.batched = nil, nil, remembered{}, nil
	e.approved = nil
	e.past.reset()
	if cap(e.pastText) > 4*maxEventText {
		e.pastText = nil // one large call is not to keep so much for all others
	}
	e.cursors = e.cursors[:0]
	e.takes = e.takes[:0]
	e.keys = e.keys[:0]
	e.group, e.judging = group{}, nil
	e.verdict = Verdict{}
	if e.policy.policy != nil { // a panic left it
		e.policy = policyState{permitted: e.policy.permitted[:0]}
	}
}

// Verdict is what a program says of a call. The zero Verdict and a nil one
// deny. It is part of its Evaluation, and valid as long as that holds the call.
type Verdict struct {
	cause    *Cause
	priority int32 // of the deciding group; below every group where none decided
	order    int32 // of the deciding policy
	late     *rule // that denies, where it is one with state
	stateful bool
	retry    time.Duration
}

// Cause returns why, never nil.
func (v *Verdict) Cause() *Cause {
	if v == nil || v.cause == nil {
		return defaultDeny
	}
	return v.cause
}

// Stateful reports whether the verdict rests on limits, which
// Evaluation.Settle must take before it is an answer.
func (v *Verdict) Stateful() bool { return v != nil && v.stateful }

// RetryAfter returns how long it takes until the limits that deny have room;
// 0 where none does.
func (v *Verdict) RetryAfter() time.Duration {
	if v == nil {
		return 0
	}
	return v.retry
}

// decided makes the cause, of which no group is the author, the verdict.
func (e *Evaluation) decided(c *Cause) *Verdict {
	v := &e.verdict
	v.cause, v.priority, v.order = c, undecided, math.MaxInt32
	return v
}

// undecided is the priority of a verdict that no group gave.
const undecided = -1

var (
	defaultDeny = newCause(Cause{Code: rules.CodeDefaultDeny})
	notFound    = newCause(Cause{Code: rules.CodePolicyNotFound})
	suspended   = newCause(Cause{Code: rules.CodeAgentSuspended})
	revoked     = newCause(Cause{Code: rules.CodeAgentRevoked})
	unlisted    = newCause(Cause{Code: rules.CodeAgentNotFound})
)
