package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/internal/value"
)

// decoder decodes raw JSON for a tool.
type decoder[In any] struct{ shape *shape }

// decoderOf returns the decoder into In, and the names of the parameters, nil
// where they are not known.
func decoderOf[In any]() (*decoder[In], []string, error) {
	t := reflect.TypeFor[In]()
	found, shape := surveyOf(t, readsItself)
	switch {
	case !shape.object && t != reflect.TypeFor[any]():
		return nil, nil, fmt.Errorf("arguments of type %s are no JSON object: use a struct, a map with string keys or json.RawMessage", t)
	case found.clash != "":
		return nil, nil, fmt.Errorf("%s differ in case only, so every decision refuses them", found.clash)
	case found.loose != "":
		return nil, nil, errors.New(found.loose)
	default:
		return &decoder[In]{shape}, shape.names(), nil
	}
}

// into decodes raw into in, if a decision can be made on it at all, and if
// encoding/json takes it for what the decision takes it for.
func (d *decoder[In]) into(raw []byte, in *In) error {
	if len(raw) == 0 {
		return nil // no arguments
	}
	t := trees.Get().(*value.Tree)
	defer putTree(t)
	if p, _ := t.SetJSON(raw, limits); p != value.OK || t.Nodes[value.Root].Kind != value.Object {
		return nil // none, or the decision says what is wrong
	}
	if wrong := d.shape.check(t, value.Root); wrong != nil {
		return wrong.misfit()
	}
	if err := json.Unmarshal(raw, in); err != nil {
		return mistyped(err)
	}
	return nil
}

// limits are the bounds that no decision exceeds.
var limits = value.Limits{Bytes: evaluator.MaxParameterBytes, Depth: value.DefaultLimits.Depth}

var trees = sync.Pool{New: func() any { return new(value.Tree) }}

func putTree(t *value.Tree) {
	t.Reset()
	trees.Put(t)
}

// canonical returns the text that stands for the value of raw, "" for none.
func canonical(raw []byte) string {
	t := trees.Get().(*value.Tree)
	defer putTree(t)
	if p, _ := t.SetJSON(raw, limits); p != value.OK || t.Empty() {
		return ""
	}
	return string(t.AppendCanonical(nil, value.Root))
}

// buffer is a private copy of raw JSON, for as long as a call lasts: decoding
// copies what it takes.
type buffer struct{ raw json.RawMessage }

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func bufferOf(raw json.RawMessage) *buffer {
	b := buffers.Get().(*buffer)
	b.raw = append(b.raw[:0], raw...)
	return b
}

func (b *buffer) free() {
	const keep = 64 << 10
	if cap(b.raw) > keep {
		b.raw = nil
	}
	clear(b.raw)
	buffers.Put(b)
}
