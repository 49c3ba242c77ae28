package twin

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// parse reads the one JSON value (RFC 8259) that is text, which sits in depth
// containers. Objects are map[string]any, arrays []any, numbers number.
func parse(text string, depth int) (any, bool) {
	p := parser{text}
	v, ok := p.value(depth)
	p.space()
	return v, ok && p.rest == ""
}

type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// skip takes the token, if it is next after white space.
func (p *parser) skip(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *parser) value(depth int) (any, bool) {
	switch {
	case p.skip("null"):
		return nil, true
	case p.skip("true"):
		return true, true
	case p.skip("false"):
		return false, true
	case p.skip(`"`):
		return p.text()
	case p.skip("["):
		return p.array(depth)
	case p.skip("{"):
		return p.object(depth)
	default:
		return p.number()
	}
}

func (p *parser) array(depth int) (any, bool) {
	out := []any{}
	if depth >= maxDepth {
		return nil, false
	}
	for first := true; ; first = false {
		if first && p.skip("]") {
			return out, true
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		out = append(out, v)
		if p.skip("]") {
			return out, true
		}
		if !p.skip(",") {
			return nil, false
		}
	}
}

func (p *parser) object(depth int) (any, bool) {
	out := map[string]any{}
	if depth >= maxDepth {
		return nil, false
	}
	for first := true; ; first = false {
		if first && p.skip("}") {
			return out, true
		}
		if !p.skip(`"`) {
			return nil, false
		}
		key, ok := p.text()
		if !ok || !p.skip(":") {
			return nil, false
		}
		v, ok := p.value(depth + 1)
		if _, twice := out[key]; !ok || twice {
			return nil, false
		}
		out[key] = v
		if p.skip("}") {
			return out, true
		}
		if !p.skip(",") {
			return nil, false
		}
	}
}

// text reads a string whose opening quote has been taken.
func (p *parser) text() (string, bool) {
	var out strings.Builder
	for p.rest != "" {
		c, size := utf8.DecodeRuneInString(p.rest)
		switch {
		case c == utf8.RuneError && size == 1, c < ' ':
			return "", false
		case c == '"':
			p.rest = p.rest[1:]
			return out.String(), true
		case c != '\\':
			out.WriteRune(c)
			p.rest = p.rest[size:]
		default:
			escaped, ok := p.escape()
			if !ok {
				return "", false
			}
			out.WriteRune(escaped)
		}
	}
	return "", false
}

func (p *parser) escape() (rune, bool) {
	if len(p.rest) < 2 {
		return 0, false
	}
	if i := strings.IndexByte(`"\/bfnrt`, p.rest[1]); i >= 0 {
		p.rest = p.rest[2:]
		return rune("\"\\/\b\f\n\r\t"[i]), true
	}
	c, ok := p.hex()
	if !ok || !utf16.IsSurrogate(c) {
		return c, ok
	}
	low, ok := p.hex()
	c = utf16.DecodeRune(c, low)
	return c, ok && c != utf8.RuneError
}

var hexEscape = regexp.MustCompile(`^\\u[0-9A-Fa-f]{4}`)

func (p *parser) hex() (rune, bool) {
	found := hexEscape.FindString(p.rest)
	if found == "" {
		return 0, false
	}
	p.rest = p.rest[len(found):]
	n, err := strconv.ParseUint(found[2:], 16, 16)
	return rune(n), err == nil
}

var numberText = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?`)

func (p *parser) number() (any, bool) {
	p.space()
	found := numberText.FindString(p.rest)
	p.rest = p.rest[len(found):]
	return number(found), isNumber(found)
}

// isNumber reports whether s is a JSON number that keeps the bounds: 400
// digits, an exponent of at most 9999 either way, and a finite float64.
func isNumber(s string) bool {
	if s == "" || numberText.FindString(s) != s {
		return false
	}
	digits := 0
	for _, c := range s {
		if '0' <= c && c <= '9' {
			digits++
		}
	}
	if digits > 400 {
		return false
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(s), "e"); ok {
		if n, err := strconv.Atoi(exponent); err != nil || n < -9999 || n > 9999 {
			return false
		}
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}
