package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unsafe"
)

// frozen is arguments of a call that nobody changes any more: params is what
// is decided on, and value what the tool gets.
type frozen[In any] struct {
	params any
	value  In
}

// codec freezes arguments of one type. It is chosen when a tool is wrapped.
// Where the arguments are raw JSON, raw is made that.
type codec[In any] func(in In, raw *json.RawMessage) (frozen[In], error)

var errForeign = errors.New("the arguments hold a value that is no JSON")

// codecOf returns the codec of In, and the names of the parameters, nil where
// they are not known.
func codecOf[In any]() (codec[In], []string, error) {
	var zero In
	switch any(zero).(type) {
	case json.RawMessage:
		return func(in In, raw *json.RawMessage) (frozen[In], error) {
			private := bytes.Clone(*any(&in).(*json.RawMessage))
			*raw, *any(&in).(*json.RawMessage) = private, private
			return frozen[In]{raw, in}, nil
		}, nil, nil
	case []byte:
		return func(in In, raw *json.RawMessage) (frozen[In], error) {
			private := bytes.Clone(*any(&in).(*[]byte))
			*raw, *any(&in).(*[]byte) = private, private
			return frozen[In]{raw, in}, nil
		}, nil, nil
	case string:
		return func(in In, raw *json.RawMessage) (frozen[In], error) {
			// Nobody writes to what raw points to: it is only read.
			text := *any(&in).(*string)
			*raw = unsafe.Slice(unsafe.StringData(text), len(text))
			return frozen[In]{raw, in}, nil
		}, nil, nil
	case map[string]any:
		return func(in In, _ *json.RawMessage) (frozen[In], error) {
			m, err := copyMap(any(in).(map[string]any))
			if err != nil {
				return frozen[In]{}, err
			}
			return frozen[In]{m, any(m).(In)}, nil
		}, nil, nil
	}
	t := reflect.TypeFor[In]()
	shape, err := shapeOf(t)
	if err != nil {
		return nil, nil, err
	}
	if !shape.object {
		return nil, nil, fmt.Errorf("arguments of type %s are no JSON object: use a struct, a map with string keys, a string or raw JSON", t)
	}
	if shape.flat {
		return func(in In, raw *json.RawMessage) (f frozen[In], err error) {
			if *raw, err = json.Marshal(in); err != nil {
				return f, errForeign
			}
			return frozen[In]{raw, in}, nil
		}, shape.names(), nil
	}
	if shape.hidden != "" {
		return nil, nil, fmt.Errorf("%s of %s is not in its JSON, so it is in no decision and in no copy; leave it out, or use WrapJSON", shape.hidden, t)
	}
	return func(in In, raw *json.RawMessage) (f frozen[In], err error) {
		if *raw, err = json.Marshal(in); err != nil {
			return f, errForeign
		}
		f.params = raw
		if err := json.Unmarshal(*raw, &f.value); err != nil {
			return f, errForeign
		}
		return f, nil
	}, shape.names(), nil
}

// maxDepth is how deep arguments are copied; the decision permits less.
const maxDepth = 64

func copyMap(m map[string]any) (map[string]any, error) {
	if m == nil {
		return nil, nil
	}
	c, err := copyValue(m, 0)
	if err != nil {
		return nil, err
	}
	return c.(map[string]any), nil
}

// copyValue copies what encoding/json decodes into. What is anything else is
// copied by way of its JSON.
func copyValue(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errForeign
	}
	switch v := v.(type) {
	case nil, bool, string, json.Number, float64, float32,
		int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return v, nil
	case map[string]any:
		if v == nil {
			return v, nil
		}
		c := make(map[string]any, len(v))
		for k, x := range v {
			var err error
			if c[k], err = copyValue(x, depth+1); err != nil {
				return nil, err
			}
		}
		return c, nil
	case []any:
		if v == nil {
			return v, nil
		}
		c := make([]any, len(v))
		for i, x := range v {
			var err error
			if c[i], err = copyValue(x, depth+1); err != nil {
				return nil, err
			}
		}
		return c, nil
	case []string:
		return append([]string(nil), v...), nil
	}
	return throughJSON(v)
}

func throughJSON(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, errForeign
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var c any
	if err := d.Decode(&c); err != nil {
		return nil, errForeign
	}
	return c, nil
}
