package evaluator

import (
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/pattern"
	"github.com/useveto/veto-go/rules"
)

// Program is a compiled policy set. It is immutable and safe for concurrent
// use. A nil Program and the zero Program deny every call.
type Program struct {
	strictGrant bool
	limits      inputLimits
	revision    string

	agents    map[string]rules.AgentStatus
	listed    bool // agents are listed: any other is denied
	org       scope
	floor     agentIndex // organisation-wide policies that no project replaces
	projects  map[string]*scope
	shadows   bool // some policy is a shadow
	tallies   bool // some tool policy has counters of sessions
	sequences bool // some rule asks about the history of sessions
	lists     map[string]*constraint.List
	content   map[string][]string // of the lists, as the document has it
}

// ReplaceList makes values, which it copies, the content of the named list,
// at once and for every decision that begins after it returns. It reports
// whether the policies have such a list. Only the content of lists changes in
// a Program, and not its revision.
func (p *Program) ReplaceList(name string, values []string) bool {
	if p == nil || p.lists[name] == nil {
		return false
	}
	p.lists[name].Replace(values)
	return true
}

// ResetList makes the content of the named list that of the document again.
func (p *Program) ResetList(name string) bool {
	if p == nil {
		return false
	}
	return p.ReplaceList(name, p.content[name])
}

// Revision names the policies that the program was compiled from: equal sets
// have equal revisions.
func (p *Program) Revision() string {
	if p == nil {
		return ""
	}
	return p.revision
}

// scope is the policies of one project, or the organisation-wide ones.
type scope struct {
	agents agentIndex
	tools  *unit                  // tool policies
	movers *pattern.Index[movers] // counters of sessions, by the tools that move them
}

// agentIndex finds the policies that are about an agent.
type agentIndex = pattern.Index[unit]

// unit is the policies of one scope for one agent pattern, indexed by tool in
// ASCII lower case.
type unit struct {
	tools pattern.Index[row]
	live  bool // some policy here is not a shadow
}

// row is the rules that name one tool pattern, in order of evaluation.
type row struct {
	refs []ref
	live bool   // some rule here is not of a shadow policy
	one  [1]ref // where refs begins: most rows have one rule
}

// ref is a rule under one of its tool patterns.
type ref struct {
	rule  *rule
	seq   int32 // of the rule
	tool  int16 // number of the pattern; -1 where the rule names no tools
	grant grantBy
}

// grantBy says how the pattern of a ref can grant a tool. What grants matches
// byte for byte, where the index ignores the case of ASCII.
type grantBy uint8

const (
	grantsNothing grantBy = iota
	byName
	byPrefix
)

// grants reports whether the rule can grant the tool under this pattern.
func (r *ref) grants(tool string) bool {
	switch r.grant {
	case byName:
		return r.rule.tools[r.tool] == tool
	case byPrefix:
		return pattern.Match(r.rule.tools[r.tool], tool)
	default:
		return false
	}
}

// newRef returns r under its pattern number tool.
func newRef(r *rule, tool int) ref {
	x := ref{rule: r, seq: r.seq, tool: int16(tool)}
	if tool < 0 {
		return x
	}
	switch name := r.tools[tool]; {
	case r.kind != allowlist && (r.kind != parameterConstraint || name == "*"):
		// A constraint grants only the tools that it names.
	case strings.HasSuffix(name, "*"):
		x.grant = byPrefix
	default:
		x.grant = byName
	}
	return x
}

// toolPriority puts tool policies before every agent policy.
const toolPriority = math.MaxInt32

type policy struct {
	id, name string
	priority int32
	order    int32 // place among all policies of the program: priority, then id
	flags    policyFlags
	rules    []*rule
	digest   Digest
	causes   causes
}

type policyFlags struct {
	shadow, floor, tool bool
	// closed: some rule permits only the parameters that are named.
	closed bool
}

type rule struct {
	// What every decision reads comes first.
	policy *policy
	body   body // nil for allowlists and denylists
	when   *condition.Condition
	kind   ruleKind
	soft   bool  // a violation escalates
	seq    int32 // place among all rules of the program
	index  int32 // place in its policy
	causes causes
	tools  []string
	id     string
}

// stateful reports whether r counts calls.
func (r *rule) stateful() bool {
	return r.kind == rateLimit || r.kind == budgeted || r.kind == sequenced
}

// ruleKind is a rule type as a number; the order is that of rules.RuleTypes.
type ruleKind uint8

const (
	allowlist ruleKind = iota
	denylist
	parameterConstraint
	rateLimit
	timeBased
	requireApproval
	budgeted
	sequenced
)

func kindOf(t rules.RuleType) ruleKind { return ruleKind(slices.Index(rules.RuleTypes, t)) }

func (k ruleKind) ruleType() rules.RuleType { return rules.RuleTypes[k] }

// body is what is special to a rule type: it judges a call for which the rule
// is relevant.
type body interface {
	judge(e *Evaluation, r *rule) judgement
}

// judgement is what one rule says of a call.
type judgement struct {
	outcome   judged
	code      rules.Code // of a denial or escalation
	parameter string
	earlier   bool // of a sequence: because of an earlier call
}

type judged uint8

const (
	failed    judged = iota // the zero value: could not be judged, denies
	passes                  // no objection
	denies                  // definitely no
	escalates               // a human must say
)

// Cause is why a decision came out as it did, as far as that is known without
// the call. It is immutable and shared by all decisions with the same cause.
type Cause struct {
	Outcome      rules.Outcome
	Code         rules.Code
	PolicyID     string // "" where no policy decided
	RuleID       string
	PolicyDigest string
	Basis        rules.Basis
	// Digest is PolicyDigest in bytes, and TTL and Message are how a human is
	// to be asked; of an escalation. A TTL of 0 is that of the default.
	Digest  Digest
	TTL     time.Duration
	Message string
	// Err is nil exactly when Outcome is Allowed.
	Err *rules.DeniedError
}

// newCause completes a cause.
func newCause(c Cause) *Cause {
	if c.Outcome != rules.Allowed {
		c.Err = rules.NewDeniedError(rules.Denial{
			Outcome: c.Outcome, Code: c.Code, PolicyID: c.PolicyID,
			RuleID: c.RuleID, Parameter: c.Basis.Parameter, Detail: c.Basis.Detail,
		})
	}
	return &c
}

// causes keeps the causes that one rule or policy has given so far, so that
// only the first decision of a kind allocates. There are at most a few codes,
// times the parameters of a rule, of them.
type causes struct {
	first atomic.Pointer[Cause]
	more  atomic.Pointer[[]*Cause]
}

// what is what makes a cause of a rule differ from its others.
type what struct {
	outcome   rules.Outcome
	code      rules.Code
	parameter string
	earlier   bool
}

func (c *Cause) is(w what) bool {
	return c.Code == w.code && c.Outcome == w.outcome && c.Basis.Parameter == w.parameter && c.Basis.Earlier == w.earlier
}

// get returns the cause of w, made by fill if it is new.
func (c *causes) get(w what, fill func() Cause) *Cause {
	if first := c.first.Load(); first != nil && first.is(w) {
		return first
	}
	return c.find(w, fill)
}

func (c *causes) find(w what, fill func() Cause) *Cause {
	for {
		known := c.more.Load()
		if known != nil {
			for _, k := range *known {
				if k.is(w) {
					return k
				}
			}
		}
		cause := fill()
		cause.Outcome, cause.Code = w.outcome, w.code
		cause.Basis.Parameter, cause.Basis.Earlier = w.parameter, w.earlier
		made := newCause(cause)
		if c.first.CompareAndSwap(nil, made) {
			return made
		}
		next := []*Cause{made}
		if known != nil {
			next = append(next, *known...)
		}
		if c.more.CompareAndSwap(known, &next) {
			return made
		}
	}
}

// cause returns the cause of a denial or escalation by r.
func (r *rule) cause(j judgement) *Cause {
	outcome := rules.Denied
	if j.outcome == escalates {
		outcome = rules.Escalated
	}
	code := j.code
	if j.outcome == failed {
		code = rules.CodeEvaluationError
	}
	return r.causes.get(what{outcome, code, j.parameter, j.earlier}, func() Cause {
		c := r.policy.newCause()
		c.RuleID = r.id
		switch b := r.body.(type) {
		case *limit:
			b.basis(&c.Basis)
		case *tally:
			b.limit.basis(&c.Basis)
		case *approvalBody:
			c.TTL, c.Message = b.ttl, b.message
		}
		return c
	})
}

var allowed = what{outcome: rules.Allowed, code: rules.CodeAllowed}

// allowed returns the cause of a grant by p; r is the rule that granted, or
// nil.
func (p *policy) allowed(r *rule) *Cause {
	if r == nil {
		return p.causes.get(allowed, p.newCause)
	}
	return r.causes.get(allowed, func() Cause {
		c := p.newCause()
		c.RuleID = r.id
		return c
	})
}

func (p *policy) newCause() Cause {
	return Cause{PolicyID: p.id, Digest: p.digest, PolicyDigest: hex.EncodeToString(p.digest[:]), Basis: rules.Basis{PolicyName: p.name}}
}
