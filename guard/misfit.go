package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/useveto/veto-go/internal/value"
)

// misfit is what is wrong with arguments before they are decided on. They are
// decided, denied and recorded as what it says.
type misfit struct{ value.Refused }

// Error says it to operators.
func (m *misfit) Error() string { return "the arguments " + m.String() }

// What is wrong wherever it is.
var (
	errForeign = &misfit{value.Refused{Problem: value.Unencodable}}
	errLarge   = &misfit{value.Refused{Problem: value.TooLarge}}
	errDeep    = &misfit{value.Refused{Problem: value.TooDeep}}
	errText    = &misfit{value.Refused{Problem: value.BadUTF8, Detail: "are not valid UTF-8, or have U+FFFD in the place of what is not"}}
	errUnequal = &misfit{value.Refused{Problem: value.Unencodable, Detail: "would not reach the tool as they were decided on: some value is not read as it is written"}}
	errType    = &misfit{value.Refused{Problem: value.Unencodable, Detail: "are not of the type that the tool takes"}}
)

// refused returns what is decided on in the place of arguments.
func refused(err error) *value.Refused {
	var m *misfit
	if errors.As(err, &m) {
		return &m.Refused
	}
	return &errForeign.Refused
}

// mistyped says what encoding/json could not decode.
func mistyped(err error) *misfit {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) || wrong.Type == nil {
		return errType // a method's own error, whose text may be anything
	}
	kind, _, _ := strings.Cut(wrong.Value, " ") // without the number itself
	where := ""
	if wrong.Field != "" {
		where = fmt.Sprintf(" for parameter %q", wrong.Field)
	}
	return &misfit{value.Refused{Problem: value.Unencodable, Detail: fmt.Sprintf(
		"are not of the type that the tool takes: have%s a JSON %s in the place of %s, before byte %d", where, kind, wrong.Type, wrong.Offset)}}
}
