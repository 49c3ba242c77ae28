package evaluator

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones work on machines that have none

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/pattern"
	"github.com/useveto/veto-go/rules"
)

// Options are the options of Compile. Zero fields have their defaults.
type Options struct {
	// StrictGrant lets only a tool_allowlist grant; so does a set that says
	// so itself.
	StrictGrant bool
	// MaxParameterBytes is the most bytes of compact JSON that parameters
	// and context values may take: default 64 KiB, at most 16 MiB.
	MaxParameterBytes int
	// Project, if not empty, is the project that every call must name.
	Project string
	// RequireProject and RequireSession refuse calls without one.
	RequireProject bool
	RequireSession bool
	// Protected are absolute directories that no "within" covers, whatever the
	// policies say.
	Protected []string
}

// MaxParameterBytes is the most that Options.MaxParameterBytes may be.
const MaxParameterBytes = 16 << 20

// Compile makes a Program of a policy set. opts may be nil. An error is
// rules.Faults, with everything that is wrong; then there is no program. The
// set must not change during the call, and may afterwards: the program keeps
// strings of it, and no slice or map.
func Compile(set *rules.PolicySet, opts *Options) (*Program, error) {
	if opts == nil {
		opts = &Options{}
	}
	if set == nil {
		set = &rules.PolicySet{}
	}
	if opts.MaxParameterBytes > MaxParameterBytes {
		return nil, fmt.Errorf("evaluator: MaxParameterBytes is %d, more than the most allowed, %d", opts.MaxParameterBytes, MaxParameterBytes)
	}
	c := newCompiler(set, opts)
	if faults := rules.Validate(set); len(faults) > 0 {
		return nil, rules.Faults(faults)
	}
	c.compile()
	if len(c.faults) > 0 {
		return nil, rules.Faults(c.faults)
	}
	if faults := c.program.examples(set); len(faults) > 0 {
		return nil, rules.Faults(faults)
	}
	return c.program, nil
}

type compiler struct {
	set        *rules.PolicySet
	program    *Program
	faults     []rules.Fault
	env        *constraint.Env
	conditions *condition.Env
	zones      map[string]*time.Location
	seq        int32
}

func newCompiler(set *rules.PolicySet, opts *Options) *compiler {
	c := &compiler{
		set: set,
		program: &Program{
			strictGrant: opts.StrictGrant || set.StrictGrant,
			limits: inputLimits{
				bytes: opts.MaxParameterBytes, project: opts.Project,
				needProject: opts.RequireProject, needSession: opts.RequireSession,
			},
			projects: make(map[string]*scope),
		},
		zones: make(map[string]*time.Location),
	}
	c.program.lists = make(map[string]*constraint.List, len(set.Lists))
	c.program.content = make(map[string][]string, len(set.Lists))
	for name, values := range set.Lists {
		c.program.lists[name] = constraint.NewList(values)
		c.program.content[name] = slices.Clone(values)
	}
	c.conditions = condition.NewEnv(&condition.EnvOptions{
		Lists: func(name string) (func(string) bool, bool) {
			l := c.program.lists[name]
			if l == nil {
				return nil, false
			}
			return l.Contains, true
		},
		Within: constraint.Protected(opts.Protected).Within, Host: constraint.Host, EmailDomain: constraint.EmailDomain,
	})
	c.env = &constraint.Env{
		Protected: constraint.Protected(opts.Protected),
		List:      func(name string) *constraint.List { return c.program.lists[name] },
		Expression: func(source string) (*condition.Condition, error) {
			return c.conditions.Compile(source, condition.Value)
		},
	}
	return c
}

func (c *compiler) compile() {
	p := c.program
	if c.set.Agents != nil {
		p.listed = true
		p.agents = make(map[string]rules.AgentStatus, len(c.set.Agents))
		for _, a := range c.set.Agents {
			p.agents[a.ID] = cmp.Or(a.Status, rules.AgentActive)
		}
	}
	// Everything is entered in the order in which it is evaluated, so every
	// row comes out sorted.
	tools := make([]int, 0, len(c.set.ToolPolicies))
	for i := range c.set.ToolPolicies {
		if on(c.set.ToolPolicies[i].IsActive) {
			tools = append(tools, i)
		}
	}
	slices.SortFunc(tools, func(a, b int) int {
		return strings.Compare(c.set.ToolPolicies[a].PolicyID(), c.set.ToolPolicies[b].PolicyID())
	})
	order := int32(0)
	hash := sha256.New()
	for _, i := range tools {
		pol := c.toolPolicy(i, order)
		hash.Write(pol.digest[:])
		order++
	}
	policies := make([]int, 0, len(c.set.Policies))
	for i := range c.set.Policies {
		if on(c.set.Policies[i].Enabled) {
			policies = append(policies, i)
		}
	}
	slices.SortFunc(policies, func(a, b int) int {
		x, y := &c.set.Policies[a], &c.set.Policies[b]
		return cmp.Or(cmp.Compare(y.Priority, x.Priority), strings.Compare(x.ID, y.ID))
	})
	for _, i := range policies {
		pol := c.policy(i, order)
		hash.Write(pol.digest[:])
		order++
	}
	rest := digest(struct {
		Strict bool
		Agents []rules.Agent
		Lists  map[string][]string
	}{p.strictGrant, c.set.Agents, c.set.Lists})
	hash.Write(rest[:])
	p.revision = hex.EncodeToString(hash.Sum(nil)[:16])
	c.build()
}

// build ends the building of every index.
func (c *compiler) build() {
	agents := func(x *agentIndex) {
		x.Build()
		x.All(func(u *unit) { u.tools.Build() })
	}
	scopes := []*scope{&c.program.org}
	for _, s := range c.program.projects {
		scopes = append(scopes, s)
	}
	for _, s := range scopes {
		if s.movers != nil {
			s.movers.Build()
		}
		if s.tools != nil {
			s.tools.tools.Build()
		}
		agents(&s.agents)
	}
	agents(&c.program.floor)
}

// on is the value of a switch that defaults to true.
func on(b *bool) bool { return b == nil || *b }

func digest(v any) Digest {
	data, err := json.Marshal(v)
	if err != nil {
		// Plain types: only a value that validation refuses can fail.
		data = []byte(err.Error())
	}
	return sha256.Sum256(data)
}

func (c *compiler) scope(project *string) *scope {
	if project == nil {
		return &c.program.org
	}
	s := c.program.projects[*project]
	if s == nil {
		s = new(scope)
		c.program.projects[*project] = s
	}
	return s
}

// policy compiles agent policy number i of the set.
func (c *compiler) policy(i int, order int32) *policy {
	src := &c.set.Policies[i]
	p := &policy{
		id: src.ID, name: cmp.Or(src.Name, src.ID),
		priority: int32(src.Priority), order: order,
		flags:  policyFlags{shadow: src.Shadow, floor: src.Floor},
		digest: digest(src),
		rules:  make([]*rule, len(src.Rules)),
	}
	index := &c.scope(src.ProjectID).agents
	if src.Floor {
		index = &c.program.floor
	}
	u := index.Put(src.AgentID)
	u.live = u.live || !src.Shadow
	c.program.shadows = c.program.shadows || src.Shadow
	compiled := make([]rule, len(src.Rules))
	for j := range src.Rules {
		r := &compiled[j]
		*r = rule{
			policy: p, id: src.RuleID(j), kind: kindOf(src.Rules[j].Type), index: int32(j),
			tools: slices.Clone(src.Rules[j].Tools), soft: src.Rules[j].OnViolation == rules.EscalateOnViolation,
		}
		c.body(r, &src.Rules[j], i)
		p.rules[j] = r
		c.enter(u, r)
	}
	return p
}

// enter puts r under each of its tool patterns.
func (c *compiler) enter(u *unit, r *rule) {
	r.seq = c.seq
	c.seq++
	if r.tools == nil {
		u.tools.Put("*").add(newRef(r, -1))
		return
	}
	for i, tool := range r.tools {
		u.tools.Put(pattern.Lower(tool)).add(newRef(r, i))
	}
}

func (row *row) add(x ref) {
	if row.refs == nil {
		row.refs = row.one[:0]
	}
	row.refs = append(row.refs, x)
	row.live = row.live || !x.rule.policy.flags.shadow
}

// body compiles what is special to the type of r, a rule of policy number i
// of the set.
func (c *compiler) body(r *rule, src *rules.Rule, i int) {
	fault := func(f rules.Fault) {
		f.Path = fmt.Sprintf("policies[%d].rules[%d].%s", i, r.index, f.Path)
		f.Policy, f.Rule = r.policy.id, r.id
		c.faults = append(c.faults, f)
	}
	if src.When != "" {
		when, err := c.conditions.Compile(src.When, condition.When)
		if err != nil {
			fault(rules.Fault{Path: "when", Message: err.Error()})
		}
		r.when = when
	}
	switch src.Type {
	case rules.ParameterConstraint:
		b := &constraintBody{}
		add := func(params map[string]rules.Constraint, at string) {
			set, faults := constraint.Compile(params, c.env)
			for _, f := range faults {
				f.Path = strings.Replace(f.Path, "parameters", at, 1)
				fault(f)
			}
			b.anyOf = append(b.anyOf, set)
		}
		if src.AnyOf == nil {
			add(src.Parameters, "parameters")
		}
		for i, params := range src.AnyOf {
			add(params, fmt.Sprintf("anyOf[%d]", i))
		}
		if b.closed = !on(src.AdditionalParameters); b.closed {
			r.policy.flags.closed = true
		}
		r.body = b
	case rules.RateLimited:
		r.body = compileLimit(c.set.Policies[i].ProjectID, r, src.RateLimit)
	case rules.Budgeted:
		r.body = compileBudget(c.set.Policies[i].ProjectID, r, src.Budget)
	case rules.Sequenced:
		c.program.sequences = true
		r.body = &sequence{
			blockedBy: c.compileEntries(src.Sequence.BlockedBy, true, func(i int, err error) {
				fault(rules.Fault{Path: fmt.Sprintf("sequence.blockedBy[%d].when", i), Message: err.Error()})
			}),
			requires: c.compileEntries(src.Sequence.Requires, false, func(i int, err error) {
				fault(rules.Fault{Path: fmt.Sprintf("sequence.requires[%d].when", i), Message: err.Error()})
			}),
		}
	case rules.TimeBased:
		w, err := compileTimeWindow(src.TimeWindow, c.zones)
		if err != nil {
			fault(rules.Fault{Path: "timeWindow.timezone", Message: err.Error()})
		}
		r.body = w
	case rules.RequireApproval:
		r.body = compileApproval(src.Approval)
	}
}
