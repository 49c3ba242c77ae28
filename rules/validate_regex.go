package rules

import (
	"fmt"
	"regexp/syntax"
	"unicode/utf8"
)

// regex checks an RE2 that is given. fold says that it will be matched
// without regard to case.
func (v *validator) regex(p *path, name string, text *string, fold bool) {
	if text == nil {
		return
	}
	key := *text
	if fold {
		key = "(?i)" + key
	}
	message, known := v.regexes[key]
	if !known {
		message = regexFault(*text, fold)
		if v.regexes == nil {
			v.regexes = make(map[string]string)
		}
		v.regexes[key] = message
	}
	if message != "" {
		v.wrong(p, name, message, fmt.Sprintf("RE2, 1..%d characters, at most %d instructions; a shorter one with smaller {n,m} counts less", MaxRegex, MaxRegexInstructions))
	}
}

// regexFault says what is wrong with a regular expression, or returns "".
func regexFault(text string, fold bool) string {
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return "the regular expression is empty"
	case n > MaxRegex:
		return fmt.Sprintf("the regular expression has %d characters", n)
	}
	flags := syntax.Perl
	if fold {
		flags |= syntax.FoldCase
	}
	re, err := syntax.Parse(text, flags)
	if err != nil {
		// The text of the error quotes the expression, which is the
		// author's own.
		return "the regular expression is not valid: " + err.Error()
	}
	// Compiling can take seconds and gigabytes where counted repetitions
	// are nested; so what is far too large is refused unseen.
	n := instructions(re)
	if n <= 10*MaxRegexInstructions {
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			return "the regular expression is not valid: " + err.Error()
		}
		if len(prog.Inst) <= MaxRegexInstructions {
			return ""
		}
		n = len(prog.Inst)
	}
	return fmt.Sprintf("the regular expression compiles to %d instructions", n)
}

// instructions estimates, from above, how many instructions re compiles to.
// It stops counting once the number is absurd.
func instructions(re *syntax.Regexp) int {
	const absurd = 1 << 20
	n := 0
	for _, sub := range re.Sub {
		n = min(n+instructions(sub), absurd)
	}
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpConcat:
	case syntax.OpAlternate:
		n += len(re.Sub)
	case syntax.OpCapture:
		n += 2
	case syntax.OpRepeat:
		times := max(re.Min, re.Max, 1)
		n = (n + 1) * times
	default:
		n++
	}
	return min(n, absurd)
}
