package constraint

import (
	"errors"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/value"
)

// Env is what constraints of one load share: regular expressions that are
// equal are compiled once. It is used by one goroutine.
type Env struct {
	// List finds a named list; nil where there is none.
	List func(name string) *List
	// Expression compiles the text of an expression over value and args.
	Expression func(source string) (*condition.Condition, error)

	// Protected are the directories that no "within" covers.
	Protected Protected

	regexes map[regexKey]*Regex
	tables  int // work that went into the tables of regexes
}

// MaxSteps bounds the work of one decision: for regular expressions bytes of
// the values times instructions, for everything else about what is compared
// with what, added up.
const MaxSteps = 10_000_000

// Scope is what a Set is evaluated on.
type Scope struct {
	// Args is the tree of the parameters; it may be empty.
	Args *value.Tree
	// Steps is the work done so far in this decision.
	Steps int
	// Input are the variables of expressions over Args; it is needed where
	// Set.Expressions is true.
	Input *condition.Input

	spent int // units of condition.Budget
}

// maxSpent bounds what the conditions of one decision may spend together.
const maxSpent = 4 * condition.Budget

var errSpent = errors.New("the conditions of this decision take more than they may")

// Holds evaluates a condition over s.Input. All conditions of a decision share
// a bound on their work.
func (s *Scope) Holds(c *condition.Condition) (bool, error) {
	if s.spent > maxSpent {
		return false, errSpent
	}
	ok, err := c.Eval(s.Input)
	s.spent += s.Input.Spent()
	return ok, err
}

// step notes work, and reports whether the decision may go on.
func (s *Scope) step(work int) bool {
	s.Steps += work
	return s.Steps <= MaxSteps
}

// Reset begins a decision.
func (s *Scope) Reset() { s.Steps, s.spent = 0, 0 }
