package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	pathpkg "path"
	"slices"
	"strings"
	"unicode"

	"github.com/useveto/veto-go/internal/nearest"
)

func sortedKeys[V any](m map[string]V) []string {
	keys := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
	slices.Sort(keys)
	return keys
}

// parameters checks what belongs to a parameter_constraint.
func (v *validator) parameters(p *path, r *Rule) {
	if r.Parameters != nil && r.AnyOf != nil {
		v.wrong(p, "anyOf", "parameters and anyOf are both given", "give one of them")
	}
	if r.Parameters != nil {
		if len(r.Parameters) == 0 && !r.closed() {
			v.wrong(p, "parameters", "there are no parameters", "name some, or say additionalParameters: false to permit none")
		}
		if len(r.Parameters) > MaxParameters {
			v.wrong(p, "parameters", fmt.Sprintf("there are %d parameters", len(r.Parameters)), fmt.Sprintf("at most %d", MaxParameters))
		}
		at := p.Member("parameters")
		v.constraints(&at, r.Parameters)
	}
	if r.AnyOf == nil {
		return
	}
	if len(r.AnyOf) == 0 {
		v.wrong(p, "anyOf", "the list is empty", "give alternatives")
	}
	at, total := p.Member("anyOf"), 0
	for i, alternative := range r.AnyOf {
		at := at.Element(i)
		if len(alternative) == 0 {
			v.fault(&at, "an alternative without parameters always holds", "name parameters")
		}
		total += len(alternative)
		v.constraints(&at, alternative)
	}
	if total > MaxParameters {
		v.fault(&at, fmt.Sprintf("there are %d parameters", total), fmt.Sprintf("at most %d, all alternatives together", MaxParameters))
	}
}

func (v *validator) constraints(p *path, constraints map[string]Constraint) {
	for _, name := range sortedKeys(constraints) {
		c, at := constraints[name], p.Member(name)
		v.parameterName(&at, name, false)
		v.constraint(&at, &c)
	}
}

func (v *validator) constraint(p *path, c *Constraint) {
	v.regex(p, "regex", c.Regex, false, false)
	v.regex(p, "notRegex", c.NotRegex, false, false)
	v.regex(p, "match", c.Match, true, c.IgnoreCase)
	switch c.Type {
	case "", "string", "number", "integer", "boolean", "array", "object":
	default:
		v.choice(p, "type", c.Type, "string", "number", "integer", "boolean", "array", "object")
	}
	v.enum(p, "enum", c.Enum)
	v.enum(p, "notEnum", c.NotEnum)
	v.listName(p, "inList", c.InList)
	v.listName(p, "notInList", c.NotInList)
	if c.IgnoreCase && c.Match == nil && c.Enum == nil && c.NotEnum == nil && c.InList == "" && c.NotInList == "" {
		hint := "it goes with match, enum, notEnum, inList and notInList"
		if c.Regex != nil || c.NotRegex != nil {
			hint += "; in a regex write (?i)"
		}
		v.wrong(p, "ignoreCase", "there is nothing here that ignoreCase applies to", hint)
	}
	v.number(p, "min", c.Min)
	v.number(p, "max", c.Max)
	v.number(p, "greaterThan", c.GreaterThan)
	v.number(p, "lessThan", c.LessThan)
	v.size(p, "minLength", c.MinLength)
	v.size(p, "maxLength", c.MaxLength)
	v.size(p, "minItems", c.MinItems)
	v.size(p, "maxItems", c.MaxItems)
	v.directories(p, c.Within)
	v.each(p, "hosts", c.Hosts, hostFault, "write example.com, *.example.com, https://example.com or example.com:8443; an IP address as it is written canonically")
	v.each(p, "emailDomains", c.EmailDomains, domainFault, "write example.com or *.example.com")
	if c.AssumeScheme != "" && c.AssumeScheme != "https" {
		v.choice(p, "assumeScheme", c.AssumeScheme, "https")
	}
	if c.Hosts == nil && c.AssumeScheme != "" {
		v.wrong(p, "assumeScheme", "assumeScheme needs hosts", "")
	}
	if c.Hosts == nil && c.NoQuery {
		v.wrong(p, "noQuery", "noQuery needs hosts", "")
	}
	v.expression(p, "expression", c.Expression)
}

func (v *validator) size(p *path, name string, n *int) {
	if n != nil && *n < 0 {
		v.wrong(p, name, fmt.Sprintf("%d is negative", *n), "")
	}
}

// enum checks a list of scalars that is given.
func (v *validator) enum(p *path, name string, values []Scalar) {
	if values == nil {
		return
	}
	v.count(p, name, "values", len(values), MaxEnum)
	at := p.Member(name)
	for i, s := range values {
		e := at.Element(i)
		switch s := s.Value.(type) {
		case string:
			if !validUTF8(s) {
				v.fault(&e, "the text is not valid UTF-8", "")
			}
		case json.Number:
			v.numberText(&e, s)
		case bool:
		default:
			v.fault(&e, "the value is no string, number or boolean", "")
		}
	}
}

func (v *validator) listName(p *path, name, list string) {
	if list == "" {
		return
	}
	if _, ok := v.set.Lists[list]; !ok {
		hint := ""
		if len(v.set.Lists) <= 100 { // the search takes time for each pair
			hint = nearest.Hint(list, sortedKeys(v.set.Lists))
		}
		if hint == "" {
			hint = "lists are defined under lists at the top of the document"
		}
		v.wrong(p, name, fmt.Sprintf("there is no list %q", list), hint)
	}
}

// each checks the patterns of a list that is given.
func (v *validator) each(p *path, name string, values []string, faultOf func(string) string, hint string) {
	if values == nil {
		return
	}
	v.count(p, name, "patterns", len(values), MaxPatterns)
	at := p.Member(name)
	for i, s := range values {
		if message := faultOf(s); message != "" {
			e := at.Element(i)
			v.fault(&e, message, hint)
		}
	}
}

// directories checks that a value that passes can be compared with each
// directory as text.
func (v *validator) directories(p *path, dirs []string) {
	if dirs == nil {
		return
	}
	v.count(p, "within", "directories", len(dirs), MaxPatterns)
	at := p.Member("within")
	for i, dir := range dirs {
		e := at.Element(i)
		switch {
		case dir == "" || dir[0] != '/':
			v.fault(&e, fmt.Sprintf("%q is not an absolute directory", dir), `write it from "/", with forward slashes`)
		case !validUTF8(dir) || strings.ContainsFunc(dir, unicode.IsControl) || strings.Contains(dir, `\`) || hasEscape(dir):
			v.fault(&e, fmt.Sprintf("%q has characters that no accepted path has", dir), "no control characters, no backslash, no %-escapes")
		case pathpkg.Clean(dir) != dir:
			v.fault(&e, fmt.Sprintf("%q is not clean", dir), fmt.Sprintf("write %q", pathpkg.Clean(dir)))
		}
	}
}

// hasEscape reports whether s has a "%" that is followed by two hex digits.
func hasEscape(s string) bool {
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '%' && isHex(s[i+1]) && isHex(s[i+2]) {
			return true
		}
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
