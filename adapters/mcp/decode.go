package vetomcp

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"

	"github.com/segmentio/encoding/json"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/internal/shape"
)

var errType = errors.New("the arguments are not of the tool's type")

// form is what is known of a Go type that arguments are decoded into.
type form struct {
	shape *shape.Shape
	err   error // why that cannot be the same as what is decided on
}

// forms are those of types, by them: as long as those of their schemas.
var forms sync.Map

// formOf returns the shape of the type of arguments.
func formOf[In any]() (*shape.Shape, error) {
	t := reflect.TypeFor[In]()
	known, ok := forms.Load(t)
	if !ok {
		found, s := shape.Of(t, shape.ReadExactly)
		f := &form{shape: s}
		switch {
		case found.Clash != "":
			f.err = fmt.Errorf("%s differ in case only, so every decision refuses them; rename one", found.Clash)
		case found.Loose != "":
			f.err = errors.New(found.Loose)
		}
		known, _ = forms.LoadOrStore(t, f)
	}
	f := known.(*form)
	return f.shape, f.err
}

// decode decodes what is decided on in the manner of the SDK, but makes its
// detour by float64 only where that changes no number, for integers that are
// written as 1e1. A key counts for a field only if it is spelt as that, and what
// the type would take otherwise than the decision takes it is refused, as is a
// number that the field cannot hold: the handler must not get another value than
// the decision is about.
func decode[In any](s *shape.Shape, raw []byte, in *In) (err error) {
	defer func() {
		if recover() != nil { // in a method of the type
			err = errType
		}
	}()
	if none(raw) {
		return nil
	}
	if _, wrong := s.Check(raw); wrong != nil {
		return errType
	}
	if exactly(raw, in) != nil {
		var v any
		if lossy(raw) || stdjson.Unmarshal(raw, &v) != nil {
			return errType
		}
		plain, err := stdjson.Marshal(v)
		if *in = *new(In); err != nil || exactly(plain, in) != nil {
			return errType
		}
	}
	back, err := stdjson.Marshal(in)
	if err != nil || !sameNumbers(parsed(raw), parsed(back)) {
		return errType
	}
	return nil
}

// exactly decodes into fields whose names are spelt as the keys are.
func exactly(raw []byte, in any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DontMatchCaseInsensitiveStructFields()
	return d.Decode(in)
}

// parsed returns JSON as Go values with the texts of its numbers.
func parsed(raw []byte) (v any) {
	d := stdjson.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// sameNumbers reports whether numbers that are in both values at one place are
// the same. What is in one only is not looked at.
func sameNumbers(a, b any) bool {
	switch a := a.(type) {
	case stdjson.Number:
		b, ok := b.(stdjson.Number)
		return !ok || equal(string(a), string(b))
	case []any:
		b, _ := b.([]any)
		for i := range min(len(a), len(b)) {
			if !sameNumbers(a[i], b[i]) {
				return false
			}
		}
	case map[string]any:
		b, _ := b.(map[string]any)
		for k, v := range b {
			if !sameNumbers(a[k], v) {
				return false
			}
		}
	}
	return true
}

// lossy reports whether JSON has a number that the SDK's own decoding would
// change. What is no JSON is for the decision to refuse.
func lossy(raw []byte) bool {
	d := stdjson.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	for {
		t, err := d.Token()
		if err != nil {
			return false
		}
		if n, ok := t.(stdjson.Number); ok {
			f, err := strconv.ParseFloat(string(n), 64)
			if err != nil || !equal(string(n), strconv.FormatFloat(f, 'g', -1, 64)) {
				return true
			}
		}
	}
}

// equal reports whether two texts are the same number.
func equal(a, b string) bool {
	return a == b || decimal.Valid(a) && decimal.Valid(b) && decimal.Compare(a, b) == 0
}
