package veto

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/rules"
)

// Authorizer decides calls. It is safe for concurrent use. A nil Authorizer
// and the zero Authorizer deny every call; the zero one until SetPolicies, and
// then calls with limits.
type Authorizer struct {
	current     atomic.Pointer[policies]
	kill        atomic.Pointer[killSwitch]
	change      sync.Mutex          // held while current, kill or lists are replaced
	lists       map[string][]string // content that replaces the documents'
	listChanges int

	running running

	opts         Options
	keepsRecords bool // the sink is not audit.Discard
	state        *evaluator.State
	shared       *shared // nil where limits are in state
	log          *zap.Logger
	redactor     *audit.Redactor
}

// New returns an Authorizer with the policies of set. It keeps nothing of the
// set. opts may be nil. An error says everything that is wrong with the
// policies.
func New(set *PolicySet, opts *Options) (*Authorizer, error) {
	if opts == nil {
		opts = &Options{}
	}
	if set == nil {
		return nil, errors.New("veto: New: the policy set is nil; to deny everything pass an empty set")
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	a := &Authorizer{opts: *opts, state: opts.State, shared: newShared(opts.Store), log: opts.Logger}
	if a.state == nil {
		a.state = evaluator.NewState(nil)
	}
	if err := a.opts.protect(); err != nil {
		return nil, err
	}
	a.keepsRecords = opts.Sink != nil && opts.Sink != audit.Discard
	a.redactor = audit.NewRedactor(opts.Redact)
	if a.opts.DigestKey == nil {
		a.opts.DigestKey = audit.RandomDigestKey()
	}
	if err := a.SetPolicies(set); err != nil {
		return nil, err
	}
	return a, nil
}

// SetPolicies replaces the policies, all at once: a decision is made under
// the old or the new ones, never a mixture. A set with a fault changes
// nothing. Agents that were suspended by Suspend stay so, and limits keep what
// they counted.
func (a *Authorizer) SetPolicies(set *PolicySet) error {
	if a == nil {
		return errors.New("veto: SetPolicies: the Authorizer is nil; make one with New")
	}
	if set == nil {
		return errors.New("veto: SetPolicies: the policy set is nil; to deny everything pass an empty set")
	}
	p, err := evaluator.Compile(set, a.opts.evaluator())
	if err != nil {
		if faults := (rules.Faults)(nil); errors.As(err, &faults) {
			err = newLoadError(faults)
		}
		return err
	}
	a.change.Lock()
	defer a.change.Unlock()
	for name, values := range a.lists {
		p.ReplaceList(name, values)
	}
	if a.shared != nil && p.HasSequences() {
		a.shared.recorded.Store(true)
	}
	a.setCurrent(p)
	return nil
}

// newLoadError is the error of a set that came from no file.
func newLoadError(faults []rules.Fault) *LoadError {
	e := &LoadError{Faults: make([]Fault, len(faults))}
	for i, f := range faults {
		e.Faults[i] = Fault{Fault: f}
	}
	return e
}

// Revision names the policies that are in force. Equal sets of policies have
// equal revisions.
func (a *Authorizer) Revision() string {
	if a == nil {
		return ""
	}
	return a.current.Load().get().revision
}

// policies are what decisions are made by, replaced as a whole.
type policies struct {
	program  *evaluator.Program
	revision string
}

// get returns *p, or no policies where there are none yet.
func (p *policies) get() policies {
	if p == nil {
		return policies{}
	}
	return *p
}

// setCurrent puts a program in force. The caller holds a.change.
func (a *Authorizer) setCurrent(p *evaluator.Program) {
	revision := p.Revision()
	if len(a.lists) > 0 {
		revision += fmt.Sprintf("+lists-%d", a.listChanges)
	}
	a.current.Store(&policies{p, revision})
	a.running.stop(a.stopped)
}

// Authorize decides whether the agent may call the tool with these
// parameters. It is short for Decide with a Call of the three.
//
// params is nil, a map with string keys, or raw JSON (json.RawMessage, []byte
// or string); other values count as their encoding/json encoding. The error is
// nil exactly when the call is allowed, and else a *DeniedError.
func (a *Authorizer) Authorize(ctx context.Context, agentID, tool string, params any) (r Result, err error) {
	d := pool.Get().(*decision)
	d.call.AgentID, d.call.Tool, d.call.Parameters = agentID, tool, params
	err = a.decide(ctx, d, &r)
	d.release()
	return r, err
}

// Decide decides a call, counts it against the limits if it is allowed, and
// records the decision. The error is nil exactly when Result.Allowed is true,
// and else a *DeniedError: ErrDenied or ErrEscalated, and for an outage
// ErrUnavailable too.
//
// The context is only asked whether it is done; a decision does not wait for
// anything but the Sink.
func (a *Authorizer) Decide(ctx context.Context, call Call) (r Result, err error) {
	d := pool.Get().(*decision)
	d.call = call
	err = a.decide(ctx, d, &r)
	d.release()
	return r, err
}

// DecideAll decides the calls of one model turn, in their order: each is
// decided, counted and recorded as by Decide. The error is nil exactly when
// every call is allowed; else it is that of the first that is not.
func (a *Authorizer) DecideAll(ctx context.Context, calls []Call) ([]Result, error) {
	results := make([]Result, len(calls))
	var first error
	for i := range calls {
		var err error
		results[i], err = a.Decide(ctx, calls[i])
		if first == nil {
			first = err
		}
	}
	return results, first
}

// logger returns the operator's log; the zero Authorizer has none.
func (a *Authorizer) logger() *zap.Logger {
	if a.log == nil {
		return silent
	}
	return a.log
}

var silent = zap.NewNop()
