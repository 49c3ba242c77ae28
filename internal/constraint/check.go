package constraint

import (
	"strings"
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/value"
)

// check is one check of a value that is of the type that the check demands.
type check interface {
	holds(s *Scope, n *value.Node, i int32) Verdict
}

func verdict(ok bool) Verdict {
	if ok {
		return Pass
	}
	return Violated
}

type regexCheck struct {
	*Regex
	want match // matches or differs
}

func (c regexCheck) holds(s *Scope, n *value.Node, _ int32) Verdict {
	m := c.match(n.Text, &s.Steps)
	if m == exhausted {
		return Failed
	}
	return verdict(m == c.want) // too large is neither
}

// comparison is a bound that a number must be on one side of. allowed[1+c]
// says whether it may compare as c.
type comparison struct {
	bound   value.Bound
	digits  int
	allowed [3]bool
}

func (c *comparison) holds(s *Scope, n *value.Node, _ int32) Verdict {
	if !s.step(1 + len(n.Text) + c.digits) {
		return Failed
	}
	return verdict(c.allowed[1+n.Compare(&c.bound)])
}

type lengthCheck struct{ min, max int }

func (c lengthCheck) holds(s *Scope, n *value.Node, _ int32) Verdict {
	if !s.step(len(n.Text)) {
		return Failed
	}
	l := utf8.RuneCountInString(n.Text)
	return verdict(c.min <= l && l <= c.max)
}

type itemsCheck struct{ min, max int }

func (c itemsCheck) holds(_ *Scope, n *value.Node, _ int32) Verdict {
	return verdict(c.min <= int(n.Len) && int(n.Len) <= c.max)
}

type boolCheck bool

func (c boolCheck) holds(_ *Scope, n *value.Node, _ int32) Verdict {
	return verdict(bool(c) == (n.Bits == 1))
}

// enumCheck is a set of strings, numbers and booleans. in says whether a value
// must be of them, or must not.
type enumCheck struct {
	strings []string
	numbers []value.Bound
	bools   [2]bool
	digits  int // of all numbers
	fold    bool
	in      bool
}

func (c *enumCheck) holds(s *Scope, n *value.Node, _ int32) Verdict {
	if !s.step(c.work(n)) {
		return Failed
	}
	return verdict(c.contains(n) == c.in)
}

// work is about what contains has to compare.
func (c *enumCheck) work(n *value.Node) int {
	switch {
	case n.Kind == value.Number:
		return c.digits + len(c.numbers)*(1+len(n.Text))
	case n.Kind == value.String && c.fold:
		return len(c.strings) * (1 + len(n.Text))
	default:
		return 1 + len(c.strings)
	}
}

func (c *enumCheck) contains(n *value.Node) bool {
	switch n.Kind {
	case value.String:
		for _, s := range c.strings {
			if s == n.Text || c.fold && strings.EqualFold(s, n.Text) {
				return true
			}
		}
	case value.Number:
		for i := range c.numbers {
			if n.Compare(&c.numbers[i]) == 0 {
				return true
			}
		}
	case value.Bool:
		return c.bools[n.Bits&1]
	}
	return false
}

type listCheck struct {
	list *List
	fold bool
	in   bool
}

func (c listCheck) holds(s *Scope, n *value.Node, _ int32) Verdict {
	if !s.step(1 + len(n.Text)) {
		return Failed
	}
	if c.fold {
		return verdict(c.list.ContainsFold(n.Text) == c.in)
	}
	return verdict(c.list.Contains(n.Text) == c.in)
}

type withinCheck struct {
	dirs      []string
	protected Protected
}

func (c *withinCheck) holds(s *Scope, n *value.Node, _ int32) Verdict {
	if !s.step((1 + len(n.Text)) * (1 + len(c.dirs))) {
		return Failed
	}
	return verdict(c.protected.Within(n.Text, c.dirs...))
}

type hostsCheck struct {
	patterns []hostPattern
	assume   bool // https where the scheme is left out
	noQuery  bool
}

func (c *hostsCheck) holds(s *Scope, n *value.Node, _ int32) Verdict {
	if !s.step(len(n.Text) + 16*(1+len(c.patterns))) {
		return Failed
	}
	a, ok := parseURL(n.Text, c.assume)
	if !ok || c.noQuery && strings.ContainsAny(n.Text, "?#") {
		return Violated
	}
	for i := range c.patterns {
		if c.patterns[i].matches(&a) {
			return Pass
		}
	}
	return Violated
}

type emailCheck []domainPattern

func (c emailCheck) holds(s *Scope, n *value.Node, _ int32) Verdict {
	if !s.step(len(n.Text) + 16*(1+len(c))) {
		return Failed
	}
	domain, ok := emailDomain(n.Text)
	if !ok {
		return Violated
	}
	for i := range c {
		if c[i].matches(domain) {
			return Pass
		}
	}
	return Violated
}

type expressionCheck struct{ *condition.Condition }

func (c expressionCheck) holds(s *Scope, _ *value.Node, i int32) Verdict {
	s.Input.Value = i
	ok, err := s.Holds(c.Condition)
	if err != nil {
		return Failed
	}
	return verdict(ok)
}
