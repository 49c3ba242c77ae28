package rules

import (
	"fmt"
	"regexp/syntax"
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/regexcost"
)

// regexUse is a regular expression and how it is going to be compiled.
type regexUse struct {
	text        string
	whole, fold bool // it matches the whole value; case does not count
}

// regex checks an RE2 that is given.
func (v *validator) regex(p *path, name string, text *string, whole, fold bool) {
	if text == nil {
		return
	}
	key := regexUse{*text, whole, fold}
	message, known := v.regexes[key]
	if !known {
		message = key.fault()
		if v.regexes == nil {
			v.regexes = make(map[regexUse]string)
		}
		v.regexes[key] = message
	}
	if message != "" {
		v.wrong(p, name, message, fmt.Sprintf("RE2, 1..%d characters, at most %d instructions; a shorter one with smaller {n,m} counts less", MaxRegex, MaxRegexInstructions))
	}
}

// fault says what is wrong with the regular expression, or returns "".
func (u regexUse) fault() string {
	switch n := utf8.RuneCountInString(u.text); {
	case n == 0:
		return "the regular expression is empty"
	case n > MaxRegex:
		return fmt.Sprintf("the regular expression has %d characters", n)
	}
	flags := syntax.Perl
	if u.fold {
		flags |= syntax.FoldCase
	}
	re, err := syntax.Parse(u.text, flags)
	if err == nil && u.whole {
		re, err = syntax.Parse(`\A(?:`+u.text+`)\z`, flags)
	}
	if err != nil {
		// The text of the error quotes the expression, which is the
		// author's own.
		return "the regular expression is not valid: " + err.Error()
	}
	if _, err := regexcost.Program(re); err != nil {
		return err.Error()
	}
	return ""
}
