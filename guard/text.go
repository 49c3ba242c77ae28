package guard

import (
	"bytes"
	"encoding/json"
	"reflect"
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/shape"
)

// marshal writes v as JSON. encoding/json replaces text that is not valid by
// U+FFFD, as an escape or as it is; so that is refused.
func marshal(v any) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	switch {
	case err != nil:
		return nil, errForeign
	case bytes.Contains(raw, []byte(`\ufffd`)), bytes.Contains(raw, []byte("\ufffd")):
		if t := (texts{left: maxValues}); !t.valid(reflect.ValueOf(v)) {
			return nil, errText
		}
	}
	return raw, nil
}

// maxValues is how many values are looked at for their texts: more than any
// decision permits, also with some that are left out of the JSON.
const maxValues = 1 << 20

// texts looks at texts.
type texts struct{ left int }

// valid reports whether the texts in v, which encoding/json has written, are
// valid. What writes itself is taken at its word: that is what is decided on,
// and what the tool gets.
func (t *texts) valid(v reflect.Value) bool {
	if t.left--; t.left < 0 {
		return false
	}
	if !v.IsValid() || v.Type() == shape.Time {
		return true
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return t.valid(v.Elem())
	case reflect.String:
		return utf8.ValidString(v.String())
	}
	if shape.WritesItself(v.Type()) {
		return true
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if _, kept := shape.NameOf(f); kept && (f.IsExported() || f.Anonymous) && !t.valid(v.Field(i)) {
				return false
			}
		}
	case reflect.Array, reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return true
		}
		for i := range v.Len() {
			if !t.valid(v.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for all := v.MapRange(); all.Next(); {
			if !t.valid(all.Key()) || !t.valid(all.Value()) {
				return false
			}
		}
	}
	return true
}
