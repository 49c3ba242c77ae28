package guard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/useveto/veto-go/internal/shape"
)

// frozen is arguments of a call that nobody changes any more: params is what
// is decided on, and value what the tool gets.
type frozen[In any] struct {
	params any
	value  In
	lent   interface{ giveBack() } // what params is in, if not nil
}

// decided gives back what was lent for the decision.
func (f *frozen[In]) decided() {
	if f.lent != nil {
		f.params = nil
		f.lent.giveBack()
	}
}

// codec freezes arguments of one type. It is chosen when a tool is wrapped.
// Where the arguments are raw JSON, or become that, raw is made it.
type codec[In any] func(in In, raw *json.RawMessage) (frozen[In], error)

// codecOf returns the codec of In, and the names of the parameters, nil where
// they are not known.
func codecOf[In any]() (codec[In], []string, error) {
	var zero In
	switch any(zero).(type) {
	case json.RawMessage:
		return func(in In, raw *json.RawMessage) (frozen[In], error) {
			private := bytes.Clone(*any(&in).(*json.RawMessage))
			*raw, *any(&in).(*json.RawMessage) = private, private
			return frozen[In]{params: raw, value: in}, nil
		}, nil, nil
	case []byte:
		return func(in In, raw *json.RawMessage) (frozen[In], error) {
			private := bytes.Clone(*any(&in).(*[]byte))
			*raw, *any(&in).(*[]byte) = private, private
			return frozen[In]{params: raw, value: in}, nil
		}, nil, nil
	case string:
		return func(in In, raw *json.RawMessage) (frozen[In], error) {
			// Nobody writes to what raw points to: it is only read.
			text := *any(&in).(*string)
			*raw = unsafe.Slice(unsafe.StringData(text), len(text))
			return frozen[In]{params: raw, value: in}, nil
		}, nil, nil
	case map[string]any:
		return func(in In, _ *json.RawMessage) (frozen[In], error) {
			m, err := copyMap(any(in).(map[string]any))
			return frozen[In]{params: m, value: any(m).(In)}, err
		}, nil, nil
	}
	t := reflect.TypeFor[In]()
	if t.Kind() == reflect.Map && t.ConvertibleTo(anyMap) && !shape.Speaks(t) {
		return func(in In, _ *json.RawMessage) (frozen[In], error) {
			m, err := copyMap(reflect.ValueOf(in).Convert(anyMap).Interface().(map[string]any))
			return frozen[In]{params: m, value: reflect.ValueOf(m).Convert(t).Interface().(In)}, err
		}, nil, nil
	}
	return codecOfType[In](t)
}

var anyMap = reflect.TypeFor[map[string]any]()

// codecOfType returns the codec of a type that is decided on by its JSON.
func codecOfType[In any](t reflect.Type) (codec[In], []string, error) {
	found, args := shape.Of(t, shape.Both)
	switch {
	case !args.Object():
		return nil, nil, fmt.Errorf("arguments of type %s are no JSON object: use a struct, a map with string keys, a string or raw JSON", t)
	case found.Foreign != "":
		return nil, nil, fmt.Errorf("arguments of type %s hold %s, which is never read from JSON", t, found.Foreign)
	case found.OneWay != "":
		return nil, nil, fmt.Errorf("%s, so that it is never read as it is written; add the other, or use WrapJSON", found.OneWay)
	case found.Clash != "":
		return nil, nil, fmt.Errorf("%s differ in case only, so every decision refuses them", found.Clash)
	case found.Twice != "":
		return nil, nil, fmt.Errorf("%s, so that one is in no decision and yet in the arguments; rename or remove it", found.Twice)
	case found.Hidden != "":
		return nil, nil, fmt.Errorf("%s is not in its JSON, so it is in no decision and yet in the arguments; leave it out and pass what the host knows by the context, or use WrapJSON", found.Hidden)
	}
	if layout := layoutOf(t); layout != nil {
		return laidCodec[In](layout), args.Names(), nil
	}
	return throughCodec[In], args.Names(), nil
}

// throughCodec is the codec of types that say themselves how they are written,
// or that hold what does: what they write is decided on, and read again for the
// tool. Methods of pointers count, so it is by a pointer.
func throughCodec[In any](in In, raw *json.RawMessage) (f frozen[In], err error) {
	if *raw, err = marshal(&in); err != nil {
		return f, err
	}
	f.params = raw
	if json.Unmarshal(*raw, &f.value) != nil || !reads(&f.value, *raw) {
		return frozen[In]{}, errUnequal
	}
	return f, nil
}

// reads reports whether what v points to, which was read from raw, is written as
// the same. Numbers too large for a float64 are not, nor what a type reads
// otherwise than it writes.
func reads(v any, raw []byte) bool {
	again, err := json.Marshal(v)
	return err == nil && (bytes.Equal(again, raw) || shape.Canonical(again) == shape.Canonical(raw))
}
