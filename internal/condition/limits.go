package condition

import (
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// The bounds of a condition and of what it reads.
const (
	// MaxSource is the most bytes of a condition's text.
	MaxSource = 4 << 10
	// MaxString is the most bytes of a string that a condition reads or makes.
	MaxString = 4 << 10
	// MaxList is the most elements of a list that a condition reads or makes,
	// and the most members of an object over which it loops.
	MaxList = 1000

	// Budget is the most units that one evaluation may spend. A unit is about
	// the time of one small operation: 10 to 60 ns on the machines of 2024,
	// and never more than 100 bytes, so that the whole stays below 5 ms and
	// 4 MiB. Tests look for expressions that break this.
	Budget = 50_000

	maxDepth   = 100     // nesting of the text
	maxNodes   = 2000    // nodes of the parsed tree, macros expanded
	maxLoops   = 4       // macros that loop, within or after each other
	maxPattern = 256     // characters of a regular expression
	maxSteps   = 100_000 // bytes × instructions of one match

	// stepsPerUnit is how many bytes × instructions cost one unit. The
	// slowest known take 6 ns.
	stepsPerUnit = 10
)

// Evaluations are metered by the cost tracker of cel-go, with prices of our
// own: the built-in ones count operations, and not the work that these do on
// long operands. What is not a call of cel-go's, or is dear before it has a
// result, pays by spend.

// spend takes units from the budget of the evaluation, and ends it when that
// is overdrawn. Without a tracker (constants, at load) it does nothing.
func spend(f *interpreter.ExecutionFrame, units int) {
	if t := f.CostTracker(); t != nil {
		spendFrom(t, units)
	}
}

func spendFrom(t *cost.Tracker, units int) {
	left, n := *t.Limit, uint64(units)
	if t.ActualCost()+n > left {
		overdrawn()
	}
	*t.Limit = left - n
}

// overdrawn ends an evaluation, from any depth of it.
func overdrawn() { panic(errBudget) }

// tracker is what every evaluation begins with a copy of.
var tracker = func() *cost.Tracker {
	t, err := cost.NewTracker(prices{},
		cost.TrackerLimit(Budget),
		cost.TrackerLimitExceededHandler(overdrawn))
	if err != nil {
		panic(err) // the options are constant
	}
	return t
}()

// prices says what a call has cost, from its operands and result: all are at
// most MaxString long, so that one call can be paid for afterwards.
type prices struct{}

// CallCost implements cost.ActualCostEstimator.
func (prices) CallCost(function, _ string, args []ref.Val, result ref.Val) *uint64 {
	n := 2
	for _, a := range args {
		switch a := a.(type) {
		case types.String:
			n += len(a) / 32
		case types.Bytes:
			n += len(a) / 32
		}
	}
	switch r := result.(type) {
	case types.String:
		n += len(r) / 32
	case types.Bytes:
		n += len(r) / 32
	case traits.Sizer: // split
		n += 2 * sizeOf(result)
	}
	switch function {
	case "replace":
		n += len(args[0].(types.String)) / 8
	case "join":
		n += sizeOf(args[0]) / 2
	}
	if n >= len(units) {
		n = len(units) - 1
	}
	return &units[n]
}

// units holds the numbers, so that handing out a pointer to one allocates
// nothing.
var units = func() (u [4 * MaxString]uint64) {
	for i := range u {
		u[i] = uint64(i)
	}
	return u
}()
