package vetotest

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/useveto/veto-go"
)

// Policies are policies under test. Load and New make them. Several
// goroutines may check calls at once; what can end the test (With, Matrix, At
// and Advance) is for the test's own goroutine.
type Policies struct {
	tb       testing.TB
	a        *veto.Authorizer
	clock    *atomic.Pointer[time.Time] // nil where Options.Now is the clock
	identity veto.Call
	opened   map[[2]string]bool // sessions, by project and id
}

// Load returns the policies of a file, or of the documents of a directory as
// by [veto.LoadDir], and ends the test if they cannot be used. A relative path
// begins at the directory of the test. It is New without options: where the
// program has some that change decisions, give New the same.
func Load(tb testing.TB, path string) *Policies {
	tb.Helper()
	load := veto.LoadFile
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		load = veto.LoadDir
	}
	set, err := load(path)
	if err != nil {
		tb.Fatalf("vetotest: Load: %v", err)
	}
	return New(tb, set, nil)
}

// New returns the policies of a set, under options that may be nil, and ends
// the test if they cannot be used. It keeps nothing of the set. A clock in
// opts.Now takes the place of the test's own, and then At and Advance end the
// test. A sink gets the records of all checks.
func New(tb testing.TB, set *veto.PolicySet, opts *veto.Options) *Policies {
	tb.Helper()
	p := &Policies{tb: tb, opened: make(map[[2]string]bool)}
	var o veto.Options
	if opts != nil {
		o = *opts
	}
	if o.Now == nil {
		p.clock = new(atomic.Pointer[time.Time])
		p.clock.Store(&start)
		o.Now = func() time.Time { return *p.clock.Load() }
	}
	var err error
	if p.a, err = veto.New(set, &o); err != nil {
		tb.Fatalf("vetotest: New: %v", err)
	}
	return p
}

// Authorizer returns what decides the calls, to give to the code under test or
// to suspend an agent. What it decides counts for the checks too.
func (p *Policies) Authorizer() *veto.Authorizer { return p.a }

// With returns the same policies, with the same clock and counts, for calls
// with the Project, Session, User, CallID and Context of identity, in the
// place of those of an earlier With. Agent, tool and parameters belong to the
// checks: an identity that has some ends the test.
//
// A session is opened the first time that it is named, as the host would have
// opened it before the first call. It ends as any other: by EndSession of the
// Authorizer, or when it is idle for too long. A session that cannot be opened
// is noted in the log of the test, and its calls are decided all the same.
func (p *Policies) With(identity veto.Call) *Policies {
	p.tb.Helper()
	if identity.AgentID != "" || identity.Tool != "" || identity.Parameters != nil {
		p.tb.Fatalf("vetotest: With: leave out AgentID, Tool and Parameters, which the checks say")
	}
	return p.of(identity)
}

// of returns the same policies for calls of an identity, with its session open.
func (p *Policies) of(identity veto.Call) *Policies {
	p.tb.Helper()
	next := *p
	next.identity = identity
	key := [2]string{identity.Project, identity.Session}
	if identity.Session == "" || p.opened[key] {
		return &next
	}
	p.opened[key] = true
	if err := p.a.OpenSession(context.Background(), identity.Project, identity.Session); err != nil {
		p.tb.Logf("vetotest: session %q of project %q is not open: %v", identity.Session, identity.Project, err)
	}
	return &next
}

// Allows checks that the agent may call the tool with these parameters: nil,
// raw JSON as text, or whatever [veto.Authorizer.Authorize] takes.
func (p *Policies) Allows(agentID, tool string, params any) {
	p.tb.Helper()
	p.check(agentID, tool, params, want{outcome: veto.Allowed})
}

// Denies checks that the call is denied, and with codes, that its code is one
// of them. Without, every code will do but those that say that something is
// wrong: invalid_request, evaluation_error, session_unknown, cancelled and
// those of outages.
func (p *Policies) Denies(agentID, tool string, params any, codes ...veto.Code) {
	p.tb.Helper()
	p.check(agentID, tool, params, want{veto.Denied, codes})
}

// Escalates checks that a human must approve the call.
func (p *Policies) Escalates(agentID, tool string, params any) {
	p.tb.Helper()
	p.check(agentID, tool, params, want{outcome: veto.Escalated})
}

func (p *Policies) check(agentID, tool string, params any, w want) {
	p.tb.Helper()
	if d := p.decide(agentID, tool, params, w); !d.ok() {
		p.tb.Errorf("%s", d)
	}
}
