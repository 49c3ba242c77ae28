package guard

import (
	"bytes"
	"encoding/json"
	"slices"
)

// maxDepth is how deep arguments are copied; the decision permits less.
const maxDepth = 64

// copyMap copies arguments, all the way down.
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
		return slices.Clone(v), nil
	}
	return throughJSON(v)
}

func throughJSON(v any) (any, error) {
	data, err := marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var c any
	if err := d.Decode(&c); err != nil {
		return nil, errForeign
	}
	return c, nil
}
