package condition

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/useveto/veto-go/internal/regexcost"
)

// The functions of ours.
const (
	fnHost        = "host"
	fnEmailDomain = "emailDomain"
	fnWithin      = "within"
	fnInList      = "inList"
)

// planOurs plans the calls of our functions. The checker has seen to it that
// they are there.
func (p *planner) planOurs(call interpreter.InterpretableCall) (plan, error) {
	args := call.Args()
	switch call.Function() {
	case fnHost:
		return run(call, (&part{args[0], p.opts.Host}).exec), nil
	case fnEmailDomain:
		return run(call, (&part{args[0], p.opts.EmailDomain}).exec), nil
	case fnWithin:
		return run(call, (&within{binary{args[0], args[1]}, p.opts.Within}).exec), nil
	case fnInList:
		name, _ := constantString(args[0])
		has, ok := p.opts.Lists(name)
		if !ok {
			return nil, fmt.Errorf("there is no list %q", name)
		}
		return run(call, (&named{args[1], has}).exec), nil
	default:
		return call, nil
	}
}

func constantString(p plan) (string, bool) {
	c, ok := p.(interpreter.InterpretableConst)
	if !ok {
		return "", false
	}
	s, ok := c.Value().(types.String)
	return string(s), ok
}

// text evaluates an operand that must be a string; failed is the error.
func text(f frame, p plan) (s string, failed ref.Val) {
	v := p.Exec(f)
	t, ok := v.(types.String)
	if !ok {
		return "", failedOr(v, newErr(errType))
	}
	spend(f, 1+len(t)/16)
	return string(t), nil
}

// part is host or emailDomain. What is not well formed has no part, and an
// empty string in its place would slip through host(u) != "internal": it is
// an error.
type part struct {
	of  plan
	get func(string) (string, bool)
}

func (p *part) exec(f frame) ref.Val {
	s, failed := text(f, p.of)
	if failed != nil {
		return failed
	}
	v, ok := p.get(s)
	if !ok {
		return newErr(errRefused)
	}
	return types.String(v)
}

type within struct {
	binary
	is func(path string, dirs ...string) bool
}

func (w *within) exec(f frame) ref.Val {
	path, failed := text(f, w.l)
	if failed != nil {
		return failed
	}
	dir, failed := text(f, w.r)
	if failed != nil {
		return failed
	}
	if !cleanDirectory(dir) {
		return newErr(errRefused)
	}
	return types.Bool(w.is(path, dir))
}

// cleanDirectory reports whether dir is absolute and clean. A directory that
// was never set is an error, not one that holds everything or nothing: a
// condition may say either within or !within.
func cleanDirectory(dir string) bool {
	if dir == "/" {
		return true
	}
	rest, ok := strings.CutPrefix(dir, "/")
	if !ok {
		return false
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

type named struct {
	value plan
	has   func(string) bool
}

func (n *named) exec(f frame) ref.Val {
	s, failed := text(f, n.value)
	if failed != nil {
		return failed
	}
	return types.Bool(n.has(s))
}

// matches is the function of that name. Its pattern is a literal.
type matches struct {
	value plan
	re    *regexp.Regexp
	size  int // instructions
}

func planMatches(call interpreter.InterpretableCall) (plan, error) {
	args := call.Args()
	pattern, ok := constantString(args[1])
	if !ok {
		return nil, fmt.Errorf("the pattern of matches must be a string literal")
	}
	re, size, err := compilePattern(pattern)
	if err != nil {
		return nil, err
	}
	return run(call, (&matches{args[0], re, size}).exec), nil
}

func compilePattern(pattern string) (re *regexp.Regexp, size int, err error) {
	if utf8.RuneCountInString(pattern) > maxPattern {
		return nil, 0, fmt.Errorf("the pattern is longer than %d characters", maxPattern)
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, 0, err
	}
	prog, err := regexcost.Program(tree)
	if err != nil {
		return nil, 0, err
	}
	re, err = regexp.Compile(pattern)
	return re, len(prog.Inst), err
}

// exec looks for the pattern anywhere in the string, as CEL has it. The work
// of a match is bounded by bytes × instructions; it is paid for in advance.
func (m *matches) exec(f frame) ref.Val {
	v := m.value.Exec(f)
	s, ok := v.(types.String)
	if !ok {
		return failedOr(v, newErr(errType))
	}
	steps := len(s) * m.size
	if steps > maxSteps {
		return newErr(errRegex)
	}
	spend(f, 1+steps/stepsPerUnit)
	return types.Bool(m.re.MatchString(string(s)))
}
