package condition

import (
	"time"

	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/useveto/veto-go/internal/value"
)

// Input holds the variables of an evaluation. They are converted when an
// expression reads them. An Input is used by one goroutine at a time; used
// again, for as many conditions and calls as one likes, it allocates less. It
// must not be copied once it was used.
type Input struct {
	// Args are the parameters of the call; nil or empty means none, which
	// reads as an empty map.
	Args *value.Tree
	// Value is the node of Args that a constraint's expression looks at.
	Value int32
	// Context holds the values that the host vouches for; nil is none.
	Context *value.Tree

	Tool, Agent string
	// Project, Session and User: reading one that is "" is an error.
	Project, Session, User string

	Now time.Time

	tracker cost.Tracker
	limit   uint64
	nodes   []node
}

// begin readies the scratch space for one evaluation.
func (in *Input) begin(f *interpreter.ExecutionFrame) {
	in.nodes = in.nodes[:0]
	in.idle()
	in.tracker.Limit = &in.limit
	f.SetCostTracker(&in.tracker)
}

// idle is an evaluation that takes nothing.
func (in *Input) idle() { in.tracker, in.limit = *tracker, Budget }

// Spent returns the units that the last evaluation took, at most [Budget] and
// what its last step cost. A caller that evaluates many conditions for one
// decision bounds their sum.
func (in *Input) Spent() int { return int(Budget - in.limit + in.tracker.ActualCost()) }

// spend takes units from the budget of the evaluation that goes on.
func (in *Input) spend(units int) { spendFrom(&in.tracker, units) }

// ResolveName implements interpreter.Activation.
func (in *Input) ResolveName(name string) (any, bool) {
	switch name {
	case "args":
		return in.object(in.Args), true
	case "value":
		if in.Args == nil || int(in.Value) >= len(in.Args.Nodes) || in.Value < 0 {
			return newErr(errAbsent), true
		}
		return in.val(in.Args, in.Value), true
	case "context":
		return in.object(in.Context), true
	case "tool":
		return present(in.Tool), true
	case "agent":
		return present(in.Agent), true
	case "project":
		return present(in.Project), true
	case "session":
		return present(in.Session), true
	case "user":
		return present(in.User), true
	case "now":
		return types.Timestamp{Time: in.Now}, true
	default:
		return nil, false
	}
}

// Parent implements interpreter.Activation.
func (*Input) Parent() interpreter.Activation { return nil }

func present(s string) ref.Val {
	if s == "" {
		return newErr(errAbsent)
	}
	return types.String(s)
}

var noMembers = &value.Tree{Nodes: []value.Node{{Kind: value.Object, End: 1}}}

func (in *Input) object(t *value.Tree) ref.Val {
	if t == nil || t.Empty() {
		t = noMembers
	}
	return in.val(t, value.Root)
}
