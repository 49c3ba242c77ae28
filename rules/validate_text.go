package rules

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/nearest"
)

func validUTF8(s string) bool { return plainASCII(s) || utf8.ValidString(s) }

// plainASCII reports whether s is printable ASCII, which most texts are: then
// there is nothing more to check than its length.
func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// text checks a text that must be there: 1..most characters, none of them a
// control character. It reports whether all is well.
func (v *validator) text(p *path, what, s string, most int) bool {
	switch {
	case s == "":
		v.fault(p, what+" is missing", fmt.Sprintf("give 1..%d characters", most))
	case len(s) <= most && plainASCII(s):
		return true
	case !utf8.ValidString(s):
		v.fault(p, what+" is not valid UTF-8", "")
	case strings.ContainsFunc(s, unicode.IsControl):
		v.fault(p, what+" has a control character", "")
	case utf8.RuneCountInString(s) > most:
		v.fault(p, fmt.Sprintf("%s has %d characters", what, utf8.RuneCountInString(s)), fmt.Sprintf("at most %d", most))
	default:
		return true
	}
	return false
}

// optionalText checks the member name of the object at p where it is given.
func (v *validator) optionalText(p *path, name, s string, most int) {
	if s != "" && (len(s) > most || !plainASCII(s)) {
		at := p.Member(name)
		v.text(&at, "the text", s, most)
	}
}

// description may be null or empty, and may have lines.
func (v *validator) description(p *path, s *string) {
	switch {
	case s == nil || len(*s) <= MaxDescription && plainASCII(*s):
	case !utf8.ValidString(*s):
		v.wrong(p, "description", "the text is not valid UTF-8", "")
	case utf8.RuneCountInString(*s) > MaxDescription:
		v.wrong(p, "description", fmt.Sprintf("the text has %d characters", utf8.RuneCountInString(*s)), fmt.Sprintf("at most %d", MaxDescription))
	}
}

// callName checks a name that a call must be able to carry: 1..255 bytes. With
// prefix it may end in one "*"; otherwise it has none, since it would be read
// as a pattern and is not one.
func (v *validator) callName(p *path, what, s string, prefix bool) bool {
	if s == "" || len(s) > MaxName || !plainASCII(s) {
		if !v.text(p, what, s, MaxName) {
			return false
		}
		if len(s) > MaxName {
			v.fault(p, fmt.Sprintf("%s has %d bytes", what, len(s)), fmt.Sprintf("at most %d", MaxName))
			return false
		}
	}
	star := strings.IndexByte(s, '*')
	switch {
	case star < 0, prefix && star == len(s)-1:
		return true
	case prefix:
		v.fault(p, fmt.Sprintf("%s %q has a \"*\" that is not its end", what, s), `write an exact name, or a prefix that ends in one "*"`)
	default:
		v.fault(p, fmt.Sprintf("%s %q has a \"*\"", what, s), "here a name is exact")
	}
	return false
}

func (v *validator) project(p *path, project *string) {
	if project != nil {
		at := p.Member("projectId")
		v.callName(&at, "the project", *project, false)
	}
}

// choice notes that a word is none of those that are known.
func (v *validator) choice(p *path, name, got string, want ...string) {
	hint := nearest.Hint(got, want)
	if hint == "" {
		hint = "it is one of " + strings.Join(want, ", ")
	}
	v.wrong(p, name, fmt.Sprintf("%q is not known here", got), hint)
}

// tools checks a list of tool patterns that is given.
func (v *validator) tools(p *path, name string, patterns []string) {
	v.count(p, name, "tool patterns", len(patterns), MaxPatterns)
	at := p.Member(name)
	for i, s := range patterns {
		if message := patternFault(s); message != "" {
			e := at.Element(i)
			v.fault(&e, message, `write an exact name, or a prefix that ends in one "*", in printable ASCII without space, at most 255 bytes`)
		}
	}
}

// patternFault says what is wrong with a tool pattern. A pattern that no tool
// name could match is a mistake, not a rule.
func patternFault(s string) string {
	if s == "" {
		return "the tool pattern is empty"
	}
	if len(strings.TrimSuffix(s, "*")) > MaxName {
		return "the tool pattern is longer than any tool name"
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return fmt.Sprintf("the tool pattern %q has a character that no tool name has", s)
		}
		if s[i] == '*' && i < len(s)-1 {
			return fmt.Sprintf("the tool pattern %q has a \"*\" that is not its end", s)
		}
	}
	return ""
}

// parameterName checks the name of a parameter: a plain key, or a JSON
// Pointer (RFC 6901) where it begins with "/". A single one selects one value.
func (v *validator) parameterName(p *path, name string, single bool) {
	if !v.text(p, "the name of a parameter", name, MaxName) || name[0] != '/' {
		return
	}
	for segment := range strings.SplitSeq(name[1:], "/") {
		if single && segment == "*" {
			v.fault(p, fmt.Sprintf("%q selects more than one value", name), "here one value is needed")
			return
		}
		for rest := segment; ; {
			_, after, found := strings.Cut(rest, "~")
			if !found {
				break
			}
			if after == "" || after[0] != '0' && after[0] != '1' {
				v.fault(p, fmt.Sprintf("%q is not a JSON Pointer", name), `"~" is written ~0, and "/" in a name ~1`)
				return
			}
			rest = after
		}
	}
}

// expression checks the size of a CEL source; the evaluator compiles it.
func (v *validator) expression(p *path, name, source string) {
	switch {
	case len(source) > MaxExpressionBytes:
		v.wrong(p, name, fmt.Sprintf("the expression has %d bytes", len(source)), fmt.Sprintf("at most %d", MaxExpressionBytes))
	case !validUTF8(source):
		v.wrong(p, name, "the expression is not valid UTF-8", "")
	}
}
