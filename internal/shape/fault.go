package shape

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/useveto/veto-go/internal/value"
)

// kind is what would be taken otherwise than a decision takes it. Its text is
// of a parameter and an offset.
type kind struct {
	problem value.Problem
	text    string
}

var (
	nearKey     = &kind{value.FoldedKey, "have a key that differs from parameter %s only in case, at byte %d"}
	rounded     = &kind{value.NumberRange, "have for parameter %s a number that is another as a float, at byte %d; let the tool take a json.Number or a json.RawMessage there, in a struct"}
	unquoted    = &kind{value.Unencodable, "have for parameter %s a JSON string that would be read as something else, at byte %d"}
	otherBytes  = &kind{value.Unencodable, "have for parameter %s bytes that are not written as encoding/json writes them, in base64, at byte %d"}
	otherKey    = &kind{value.Unencodable, "have in parameter %s a key that is not written as the integer that it is read as, at byte %d"}
	otherLength = &kind{value.Unencodable, "have for parameter %s an array that is not as long as the tool's, at byte %d"}
)

// fault is where in raw JSON something is wrong: of a value by the names of
// policies, in the spelling of the tool's type, and by its offset in bytes.
type fault struct {
	*kind
	pointer string
	offset  int32
}

// below puts the fault below a member or element.
func (f *fault) below(name string) *fault {
	if f != nil {
		f.pointer = "/" + escapes.Replace(name) + f.pointer
	}
	return f
}

var escapes = strings.NewReplacer("~", "~0", "/", "~1")

// name is as a policy would write it.
func (f *fault) name() string {
	if name := strings.TrimPrefix(f.pointer, "/"); !strings.ContainsAny(name, "/~") {
		return strconv.Quote(name)
	}
	return strconv.Quote(f.pointer)
}

// refused says it.
func (f *fault) refused() *value.Refused {
	return &value.Refused{Problem: f.problem, Detail: fmt.Sprintf(f.text, f.name(), f.offset)}
}
