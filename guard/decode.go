package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/useveto/veto-go/internal/shape"
)

// decoder decodes raw JSON for a tool.
type decoder[In any] struct{ shape *shape.Shape }

// decoderOf returns the decoder into In, and the names of the parameters, nil
// where they are not known.
func decoderOf[In any]() (*decoder[In], []string, error) {
	t := reflect.TypeFor[In]()
	found, args := shape.Of(t, shape.Read)
	switch {
	case !args.Object() && t != reflect.TypeFor[any]():
		return nil, nil, fmt.Errorf("arguments of type %s are no JSON object: use a struct, a map with string keys or json.RawMessage", t)
	case found.Clash != "":
		return nil, nil, fmt.Errorf("%s differ in case only, so every decision refuses them", found.Clash)
	case found.Loose != "":
		return nil, nil, errors.New(found.Loose)
	default:
		return &decoder[In]{args}, args.Names(), nil
	}
}

// into decodes raw into in, if a decision can be made on it at all, and if
// encoding/json takes it for what the decision takes it for.
func (d *decoder[In]) into(raw []byte, in *In) error {
	switch known, wrong := d.shape.Check(raw); {
	case !known:
		return nil // the decision says what is wrong
	case wrong != nil:
		return &misfit{*wrong}
	}
	if err := json.Unmarshal(raw, in); err != nil {
		return mistyped(err)
	}
	return nil
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
