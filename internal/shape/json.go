package shape

import (
	"sync"

	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/internal/value"
)

// Check looks at raw JSON that is to be read into the type. known reports
// whether it is an object that a decision can be made on at all; only then there
// may be something wrong: what would be taken otherwise than it is decided on.
func (s *Shape) Check(raw []byte) (known bool, wrong *value.Refused) {
	t := trees.Get().(*value.Tree)
	defer putTree(t)
	if p, _ := t.SetJSON(raw, limits); p != value.OK || t.Empty() || t.Nodes[value.Root].Kind != value.Object {
		return false, nil
	}
	if f := check(t, value.Root, s.readings); f != nil {
		return true, f.refused()
	}
	return true, nil
}

// Canonical returns the text that stands for the value of raw JSON, "" for none.
func Canonical(raw []byte) string {
	t := trees.Get().(*value.Tree)
	defer putTree(t)
	if p, _ := t.SetJSON(raw, limits); p != value.OK || t.Empty() {
		return ""
	}
	return string(t.AppendCanonical(nil, value.Root))
}

// limits are the bounds that no decision exceeds.
var limits = value.Limits{Bytes: evaluator.MaxParameterBytes, Depth: value.DefaultLimits.Depth}

var trees = sync.Pool{New: func() any { return new(value.Tree) }}

func putTree(t *value.Tree) {
	t.Reset()
	trees.Put(t)
}
