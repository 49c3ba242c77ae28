package constraint

import (
	"regexp"
	"regexp/syntax"
)

// maxMatch is the most bytes times instructions that one match may take.
const maxMatch = 1_000_000

// Regex is a regular expression with the number of its instructions, which
// bounds the time that a match takes: RE2 matching is linear in bytes times
// instructions.
type Regex struct {
	re           *regexp.Regexp
	dfa          *dfa // nil where there is none
	instructions int
	longest      int // bytes of the longest value that it is matched with
}

type regexKey struct {
	text        string
	whole, fold bool
}

// regex compiles an expression that validation has accepted, once.
func (env *Env) regex(key regexKey) (*Regex, error) {
	if r := env.regexes[key]; r != nil {
		return r, nil
	}
	text := key.text
	if key.whole {
		text = `\A(?:` + text + `)\z`
	}
	if key.fold {
		text = `(?i:` + text + `)`
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	r := &Regex{
		re: re, dfa: newDFA(prog, &env.tables),
		instructions: len(prog.Inst), longest: maxMatch / len(prog.Inst),
	}
	if env.regexes == nil {
		env.regexes = make(map[regexKey]*Regex)
	}
	env.regexes[key] = r
	return r, nil
}

// match is what became of matching a value.
type match uint8

const (
	tooLarge  match = iota // more work than one match may take; the zero value
	exhausted              // more work than the decision may take
	matches
	differs
)

// match looks for r in s. The time that the table of a dfa saves is not taken
// off the work: what a value may be does not depend on how it is matched.
func (r *Regex) match(s string, steps *int) match {
	if len(s) > r.longest { // the product could overflow
		return tooLarge
	}
	if *steps += len(s) * r.instructions; *steps > MaxSteps {
		return exhausted
	}
	if r.matches(s) {
		return matches
	}
	return differs
}

func (r *Regex) matches(s string) bool {
	if r.dfa != nil {
		if m, ok := r.dfa.match(s); ok {
			return m
		}
	}
	return r.re.MatchString(s)
}
