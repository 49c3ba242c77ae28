// Package regexcost bounds what a regular expression costs before package
// regexp sees it.
package regexcost

import (
	"fmt"
	"regexp/syntax"
)

// The bounds of one expression.
const (
	// MaxInstructions is the most instructions of its program.
	MaxInstructions = 1000
	// maxClasses is the most range ends of all character classes in the
	// program: regexp copies classes for every instruction, and keeps them.
	maxClasses = 20_000
)

// Program compiles a parsed expression, or says which bound it is over.
// Compiling can take seconds and gigabytes where counted repetitions are
// nested; so what is far too large is refused unseen.
func Program(re *syntax.Regexp) (*syntax.Prog, error) {
	n := estimate(re)
	if n <= 3*MaxInstructions {
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			return nil, fmt.Errorf("the regular expression is not valid: %w", err)
		}
		if n = len(prog.Inst); n <= MaxInstructions {
			classes := 0
			for i := range prog.Inst {
				classes += len(prog.Inst[i].Rune)
			}
			if classes > maxClasses {
				return nil, fmt.Errorf("the character classes of the regular expression take too much memory")
			}
			return prog, nil
		}
	}
	return nil, fmt.Errorf("the regular expression compiles to %d instructions, at most %d", n, MaxInstructions)
}

// estimate returns about how many instructions re compiles to, not much less
// and sometimes more. It stops counting once the number is absurd.
func estimate(re *syntax.Regexp) int {
	const absurd = 1 << 20
	n := 0
	for _, sub := range re.Sub {
		n = min(n+estimate(sub), absurd)
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
		n = (n + 1) * max(re.Min, re.Max, 1)
	default:
		n++
	}
	return min(n, absurd)
}
