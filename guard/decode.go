package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"github.com/useveto/veto-go/evaluator"
	"github.com/useveto/veto-go/internal/value"
)

// decoder decodes raw JSON for a tool.
type decoder[In any] struct {
	shape *shape
	trees *sync.Pool
}

// decoderOf returns the decoder into In, and the names of the parameters, nil
// where they are not known.
func decoderOf[In any]() (*decoder[In], []string, error) {
	t := reflect.TypeFor[In]()
	s, err := shapeOf(t)
	if err != nil {
		return nil, nil, err
	}
	if !s.object && t.Kind() != reflect.Interface && t != reflect.TypeFor[json.RawMessage]() {
		return nil, nil, fmt.Errorf("arguments of type %s are no JSON object: use a struct, a map with string keys or json.RawMessage", t)
	}
	return &decoder[In]{s, &sync.Pool{New: func() any { return new(value.Tree) }}}, s.names(), nil
}

// check reports whether encoding/json takes every key for the field that the
// decision takes it for.
func (d *decoder[In]) check(raw []byte) bool {
	if d.shape.fields == nil && d.shape.element == nil {
		return true
	}
	t := d.trees.Get().(*value.Tree)
	defer func() {
		t.Reset()
		d.trees.Put(t)
	}()
	bad, _ := t.SetJSON(raw, value.Limits{Bytes: evaluator.MaxParameterBytes, Depth: value.DefaultLimits.Depth})
	if bad != value.OK || t.Empty() {
		return true // the decision says what is wrong
	}
	return d.shape.check(t, value.Root)
}

func (d *decoder[In]) into(raw []byte, in *In) error {
	if len(raw) == 0 {
		return nil // no arguments
	}
	if text, ok := any(in).(*json.RawMessage); ok {
		*text = bytes.Clone(raw)
		return nil
	}
	return json.Unmarshal(raw, in)
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
