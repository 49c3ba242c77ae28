package lint

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/useveto/veto-go/internal/condition"
	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/rules"
)

func (l *linter) conditions() *condition.EnvOptions {
	return &condition.EnvOptions{
		Lists: func(name string) (func(string) bool, bool) {
			values, ok := l.set.Lists[name]
			return func(s string) bool { return slices.Contains(values, s) }, ok
		},
		Within: constraint.Within, Host: constraint.Host, EmailDomain: constraint.EmailDomain,
	}
}

// constraints looks at the parameters of a rule, in the order of their names.
func (l *linter) constraints(at place, p *rules.Policy, r *rules.Rule) {
	each := func(params map[string]rules.Constraint, prefix ...any) {
		for _, name := range slices.Sorted(maps.Keys(params)) {
			c := params[name]
			in := func(check string) place { return at.in(append(slices.Clone(prefix), name, check)...) }
			if c.Regex != nil {
				l.regex(in("regex"), name, *c.Regex, false)
			}
			if c.Match != nil {
				l.regex(in("match"), name, *c.Match, true)
			}
			if check := emptyRange(&c); check != "" {
				l.add(in(check), Error, "empty-range", rangeMessage, rangeAdvice)
			}
			l.unseen(at.in(append(slices.Clone(prefix), name)...), r, name)
		}
	}
	if r.AnyOf == nil {
		each(r.Parameters, "parameters")
	}
	for i, params := range r.AnyOf {
		each(params, "anyOf", i)
	}
}

const (
	rangeMessage = "no value is within these bounds, so every call is denied"
	rangeAdvice  = "the lower bound is above the upper one"
)

// emptyRange returns the name of a lower bound that is above the upper one.
func emptyRange(c *rules.Constraint) string {
	above := func(low, high *json.Number, least int) bool {
		return low != nil && high != nil && decimal.Compare(string(*low), string(*high)) >= least
	}
	switch {
	case above(c.Min, c.Max, 1), above(c.Min, c.LessThan, 0):
		return "min"
	case above(c.GreaterThan, c.Max, 0), above(c.GreaterThan, c.LessThan, 0):
		return "greaterThan"
	case c.MinLength != nil && c.MaxLength != nil && *c.MinLength > *c.MaxLength:
		return "minLength"
	case c.MinItems != nil && c.MaxItems != nil && *c.MinItems > *c.MaxItems:
		return "minItems"
	default:
		return ""
	}
}

func (l *linter) regex(at place, name, text string, whole bool) {
	l.regexFindings(name, text, whole, &inRules, func(severity Severity, check, message, advice string) {
		l.add(at, severity, check, message, advice)
	})
}

var (
	pathNames   = regexp.MustCompile(`(?i)(^|[_/-])(path|dir|directory|folder|file|filename)s?$`)
	urlNames    = regexp.MustCompile(`(?i)(^|[_/-])(url|uri|link|href|endpoint|webhook|host)s?$`)
	headerNames = regexp.MustCompile(`(?i)(^|[_/-])(subject|to|cc|bcc|from|sender|recipient|reply_?to|header|title|filename|email|name)s?$`)
)

// advice is what to use in the place of a regular expression, where it
// stands.
type advice struct{ path, url, whole, word string }

var inRules = advice{
	path:  `use within: it knows "..", "//" and escapes`,
	url:   "use hosts: it knows user names, ports and other ways to write a host",
	whole: "use match, which takes the whole value, or put ^(?: before it and )$ after it",
	word:  "to refuse a word use notRegex or notEnum",
}

// regexFindings looks at one regular expression.
func (l *linter) regexFindings(name, text string, whole bool, use *advice, add func(Severity, string, string, string)) {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return
	}
	switch {
	case pathNames.MatchString(name) || strings.HasPrefix(strings.TrimLeft(text, `^\A(`), "/"):
		add(Warning, "regex-on-path", "a regular expression is to say what a path may be", use.path)
	case urlNames.MatchString(name) || strings.Contains(text, "://"):
		add(Warning, "regex-on-url", "a regular expression is to say what a URL may be", use.url)
	}
	if !whole && !(begins(re) && ends(re)) {
		message := "the regular expression is searched for anywhere in the value, so anything may stand around it"
		if re.Op == syntax.OpAlternate && slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return begins(sub) || ends(sub) }) {
			message = "^ and $ hold for the alternative that they stand in, and another one is searched for anywhere in the value"
		}
		add(Warning, "unanchored-regex", message, use.whole)
	}
	if headerNames.MatchString(name) && admitsBreak(re) {
		add(Warning, "line-break", "the regular expression admits a line break in what goes into a header",
			`exclude \r and \n from its classes, or list the characters that are permitted`)
	}
	if word := wordClass(text); word != "" {
		add(Warning, "word-class", fmt.Sprintf("%s is a class: it stands for one character, not for a word", word), use.word)
	}
}

// begins and ends report whether re can only match at the beginning, or the
// end, of the text.
func begins(re *syntax.Regexp) bool { return anchored(re, syntax.OpBeginText, false) }
func ends(re *syntax.Regexp) bool   { return anchored(re, syntax.OpEndText, true) }

func anchored(re *syntax.Regexp, op syntax.Op, last bool) bool {
	switch re.Op {
	case op:
		return true
	case syntax.OpConcat:
		if last {
			return anchored(re.Sub[len(re.Sub)-1], op, last)
		}
		return anchored(re.Sub[0], op, last)
	case syntax.OpCapture, syntax.OpPlus:
		return anchored(re.Sub[0], op, last)
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !anchored(sub, op, last) })
	default:
		return false
	}
}

// admitsBreak reports whether re has a class, or a dot, that takes a line
// break.
func admitsBreak(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar:
		return true
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if re.Rune[i] <= '\n' && '\n' <= re.Rune[i+1] || re.Rune[i] <= '\r' && '\r' <= re.Rune[i+1] {
				return true
			}
		}
	case syntax.OpAnyCharNotNL:
		return true // it takes \r
	}
	return slices.ContainsFunc(re.Sub, admitsBreak)
}

// wordClass returns a class of the text that looks like a word: letters in no
// range, of which one comes twice, or with a dot among them.
func wordClass(text string) string {
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "[")
		if !found {
			return ""
		}
		inner, tail, closed := strings.Cut(after, "]")
		if !closed {
			return ""
		}
		rest = tail
		word := strings.TrimPrefix(inner, "^")
		if len(word) < 4 || strings.ContainsAny(word, `-\[:`) {
			continue
		}
		letters, twice := 0, false
		for i, r := range word {
			if 'a' <= r|0x20 && r|0x20 <= 'z' {
				letters++
				twice = twice || strings.ContainsRune(word[:i], r)
			}
		}
		if letters >= 3 && (twice || strings.Contains(strings.Trim(word, "."), ".")) {
			return "[" + inner + "]"
		}
	}
}

// unseen looks for a parameter that no example call of the rule's tools has.
func (l *linter) unseen(at place, r *rules.Rule, name string) {
	calls, name := 0, topLevel(name)
	if name == "*" {
		return
	}
	for i := range l.set.Examples {
		x := &l.set.Examples[i].Call
		if r.Tools == nil || !coversAll(r.Tools, x.Tool) {
			continue
		}
		var args map[string]json.RawMessage
		if json.Unmarshal(x.Parameters, &args) != nil {
			continue
		}
		calls++
		if _, has := args[name]; has {
			return
		}
	}
	if calls > 0 {
		l.add(at, Warning, "unseen-parameter", fmt.Sprintf("no example call of the rule's tools has a parameter %q", name),
			"check its spelling, or add an example that has it")
	}
}

// topLevel returns the top-level parameter that a name leads into.
func topLevel(name string) string {
	rest, pointer := strings.CutPrefix(name, "/")
	if !pointer {
		return name
	}
	first, _, _ := strings.Cut(rest, "/")
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(first)
}
