package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
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

// fault is what encoding/json would take otherwise than a decision. Its text is
// of a parameter and an offset.
type fault struct {
	problem value.Problem
	text    string
}

var (
	nearKey     = &fault{value.FoldedKey, "have a key that differs from parameter %s only in case, at byte %d"}
	rounded     = &fault{value.NumberRange, "have for parameter %s a number that is another as a float, at byte %d; let the tool take a json.Number"}
	unquoted    = &fault{value.Unencodable, "have for parameter %s a JSON string that would be read as something else, at byte %d"}
	otherBytes  = &fault{value.Unencodable, "have for parameter %s bytes that are not written as encoding/json writes them, in base64, at byte %d"}
	otherLength = &fault{value.Unencodable, "have for parameter %s an array that is not as long as the tool's, at byte %d"}
)

// place is where in raw JSON something is wrong: of a value by the names of
// policies, in the spelling of the tool's type, and by its offset in bytes.
type place struct {
	*fault
	pointer string
	offset  int32
}

// below puts the place below a member or element.
func (p *place) below(name string) *place {
	if p != nil {
		p.pointer = "/" + escapes.Replace(name) + p.pointer
	}
	return p
}

var escapes = strings.NewReplacer("~", "~0", "/", "~1")

// name is as a policy would write it.
func (p *place) name() string {
	if name := p.pointer[1:]; !strings.ContainsAny(name, "/~") {
		return strconv.Quote(name)
	}
	return strconv.Quote(p.pointer)
}

// misfit says it.
func (p *place) misfit() *misfit {
	return &misfit{value.Refused{Problem: p.problem, Detail: fmt.Sprintf(p.text, p.name(), p.offset)}}
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
