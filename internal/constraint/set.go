package constraint

import (
	"github.com/useveto/veto-go/internal/value"
)

// Verdict says what became of a constraint. The zero value denies.
type Verdict uint8

const (
	// Failed: the constraint could not be evaluated.
	Failed Verdict = iota
	// Hard: the value is absent, null or of the wrong type.
	Hard
	// Violated: the value is of the right type and fails a check.
	Violated
	// Pass: every check holds.
	Pass
)

// worse returns the worse of two verdicts.
func worse(a, b Verdict) Verdict { return min(a, b) }

// Set is the parameters of a rule, compiled. It is immutable and safe for
// concurrent use.
type Set struct {
	parameters []parameter // by name
	names      []string
	// Expressions says that evaluation needs Scope.Input.
	Expressions bool
}

// Result is the verdict on a Set, and the parameter that it is about, as
// written in the policy.
type Result struct {
	Verdict   Verdict
	Parameter string
}

// Names returns the top-level parameters that the set names. The slice must
// not be changed.
func (set *Set) Names() []string { return set.names }

// Needs returns the names, as written, of the parameters that may not be
// absent, or with optional of all.
func (set *Set) Needs(optional bool) []string {
	var names []string
	for i := range set.parameters {
		if p := &set.parameters[i]; optional || !p.optional {
			names = append(names, p.name)
		}
	}
	return names
}

// Eval evaluates the parameters in the order of their names. The first that
// does not pass is the result; but where soft violations may be put to a
// human, a worse one after it counts more, and all are looked at.
func (set *Set) Eval(s *Scope, soft bool) Result {
	result := Result{Verdict: Pass}
	for i := range set.parameters {
		p := &set.parameters[i]
		v := p.eval(s)
		if v >= result.Verdict {
			continue
		}
		result = Result{v, p.name}
		if !soft || v < Violated {
			return result
		}
	}
	return result
}

// parameter is one constraint.
type parameter struct {
	name     string
	pointer  []step // nil for a plain name
	checks   []check
	kinds    kindSet // that the value may be of, null aside
	integer  bool
	optional bool
	nullable bool
	cost     int // of finding a plain name
}

// kindSet is a set of value.Kind, as bits.
type kindSet uint8

const anyKind kindSet = 1<<(value.Object+1) - 1

func kinds(k ...value.Kind) kindSet {
	var s kindSet
	for _, k := range k {
		s |= 1 << k
	}
	return s
}

func (p *parameter) eval(s *Scope) Verdict {
	t := s.Args
	if t.Empty() {
		return p.absent()
	}
	if p.pointer != nil {
		return p.walk(s, value.Root, p.pointer)
	}
	if !s.step(p.cost) {
		return Failed
	}
	i := t.Member(value.Root, p.name)
	if i == value.None {
		return p.absent()
	}
	return p.value(s, i)
}

func (p *parameter) absent() Verdict {
	if p.optional {
		return Pass
	}
	return Hard
}

func (p *parameter) value(s *Scope, i int32) Verdict {
	if !s.step(1) {
		return Failed
	}
	n := &s.Args.Nodes[i]
	if n.Kind == value.Null {
		if p.nullable {
			return Pass
		}
		return Hard
	}
	if p.integer && !s.step(len(n.Text)) {
		return Failed
	}
	if p.kinds>>n.Kind&1 == 0 || p.integer && !n.IsInteger() {
		return Hard
	}
	// A violation ends nothing: a human must not be asked to approve what a
	// later check could not evaluate.
	worst := Pass
	for _, c := range p.checks {
		if worst = worse(worst, c.holds(s, n, i)); worst == Failed {
			break
		}
	}
	return worst
}
