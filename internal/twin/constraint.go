package twin

import (
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/useveto/veto-go/rules"
)

// finding says how a constraint stands to a call, from mild to grave.
type finding int

const (
	holds    finding = iota
	fails            // a value of the right type fails a check
	mistyped         // absent, null, or of a wrong type
	errs             // an expression could not be evaluated
)

// violation is what a rule says whose parameter is not as it must be. Only
// the failure of a check can be put to a human.
func (r *request) violation(f finding, action rules.Violation, parameter string) ruleVerdict {
	v := deny(rules.CodeConstraintViolated)
	switch f {
	case fails:
		v = violated(action, rules.CodeConstraintViolated)
	case errs:
		v = deny(rules.CodeEvaluationError)
	}
	v.parameter = parameter
	return v
}

// constraintRule returns what a relevant parameter_constraint says.
func (r *request) constraintRule(p policy, rule *rules.Rule) ruleVerdict {
	alternatives := rule.AnyOf
	if alternatives == nil {
		alternatives = []map[string]rules.Constraint{rule.Parameters}
	}
	// One alternative must hold. Where none does, the first is reported, and
	// a human is asked only if that could be of every one. One that cannot be
	// evaluated is absorbed by nothing after it.
	// The alternatives of a closed rule are all looked at.
	closed := rule.AdditionalParameters != nil && !*rule.AdditionalParameters
	held := false
	var worst ruleVerdict
	for i, parameters := range alternatives {
		v := r.alternative(parameters, rule.OnViolation)
		if v.code == rules.CodeEvaluationError {
			return v // an alternative that holds does not make up for it
		}
		if v.says == nothing {
			held = true
			if closed {
				continue
			}
			break
		}
		if i == 0 || worst.says == nothing {
			worst = v
		} else if v.says == denies {
			worst.says, worst.code = denies, rules.CodeConstraintViolated
		}
	}
	if held {
		worst = ruleVerdict{}
	}
	if worst.says == denies {
		return worst
	}
	if r.undeclared(p, rule) {
		return deny(rules.CodeConstraintViolated)
	}
	if worst.says == nothing && !r.twin.strict() && r.named(rule) {
		return grant()
	}
	return worst
}

// named reports whether the rule names the tool, byte for byte, otherwise
// than by a bare "*".
func (r *request) named(rule *rules.Rule) bool {
	return slices.ContainsFunc(rule.Tools, func(p string) bool { return p != "*" && matchName(p, r.call.Tool) })
}

// alternative checks parameters in the order of their names. The first that
// denies is reported, or else the first that escalates.
func (r *request) alternative(parameters map[string]rules.Constraint, action rules.Violation) ruleVerdict {
	var first ruleVerdict
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		f := r.check(name, parameters[name])
		if f == holds {
			continue
		}
		v := r.violation(f, action, name)
		if v.says == denies {
			return v
		}
		if first.says == nothing {
			first = v
		}
	}
	return first
}

// undeclared reports whether rule is the first closed rule of its policy that
// is relevant, and the call has a parameter that no such rule names.
func (r *request) undeclared(p policy, rule *rules.Rule) bool {
	first := true
	var names []string
	for i := range p.agent.Rules {
		other := &p.agent.Rules[i]
		if other.AdditionalParameters == nil || *other.AdditionalParameters {
			continue
		}
		if relevant, failed := r.relevant(other); !relevant || failed {
			continue
		}
		if first && other != rule {
			return false
		}
		first = false
		for _, parameters := range r.permitting(other) {
			for name := range parameters {
				if key, ok := topLevel(name); ok {
					names = append(names, key)
				}
			}
		}
	}
	if first {
		return false // rule is not closed
	}
	for name := range r.args {
		if !slices.Contains(names, name) {
			return true
		}
	}
	return false
}

// permitting returns the alternatives of a closed rule whose parameters are
// permitted: those that hold, or all where none does.
func (r *request) permitting(rule *rules.Rule) []map[string]rules.Constraint {
	if rule.AnyOf == nil {
		return []map[string]rules.Constraint{rule.Parameters}
	}
	var holding []map[string]rules.Constraint
	for _, parameters := range rule.AnyOf {
		if r.alternative(parameters, rule.OnViolation).says == nothing {
			holding = append(holding, parameters)
		}
	}
	if holding == nil {
		return rule.AnyOf
	}
	return holding
}

// check checks every value that name selects; the gravest finding counts.
func (r *request) check(name string, c rules.Constraint) finding {
	values, worst := r.selectValues(name)
	if worst == absent {
		worst = mistyped
		if c.Optional {
			worst = holds
		}
	}
	for _, v := range values {
		worst = max(worst, r.checkValue(v, c))
	}
	return worst
}

// checkValue holds one value against every check that is given.
func (r *request) checkValue(v any, c rules.Constraint) finding {
	if v == nil {
		if c.Nullable {
			return holds
		}
		return mistyped
	}
	worst := holds
	note := func(given bool, f func() finding) {
		if given {
			worst = max(worst, f())
		}
	}
	note(c.Type != "", func() finding { return typed(isType(v, c.Type), true) })

	text, isText := v.(string)
	texts := func(given bool, ok func() bool) {
		note(given, func() finding { return typed(isText, isText && ok()) })
	}
	texts(c.Regex != nil, func() bool { return regexFinds(*c.Regex, text, true) })
	texts(c.NotRegex != nil, func() bool { return regexFinds(*c.NotRegex, text, false) })
	texts(c.Match != nil, func() bool { return regexFinds(whole(*c.Match, c.IgnoreCase), text, true) })
	texts(c.InList != "", func() bool { return listed(r.twin.set.Lists[c.InList], text, c.IgnoreCase) })
	texts(c.NotInList != "", func() bool { return !listed(r.twin.set.Lists[c.NotInList], text, c.IgnoreCase) })
	texts(c.MinLength != nil, func() bool { return utf8.RuneCountInString(text) >= *c.MinLength })
	texts(c.MaxLength != nil, func() bool { return utf8.RuneCountInString(text) <= *c.MaxLength })
	texts(c.Within != nil, func() bool { return within(text, c.Within) })
	texts(c.Hosts != nil, func() bool { return hosts(text, c) })
	texts(c.EmailDomains != nil, func() bool { return email(text, c.EmailDomains) })

	n, isNumber := v.(number)
	numbers := func(bound *json.Number, ok func(cmp int) bool) {
		note(bound != nil, func() finding {
			return typed(isNumber, isNumber && ok(n.rat().Cmp(number(*bound).rat())))
		})
	}
	numbers(c.Min, func(cmp int) bool { return cmp >= 0 })
	numbers(c.Max, func(cmp int) bool { return cmp <= 0 })
	numbers(c.GreaterThan, func(cmp int) bool { return cmp > 0 })
	numbers(c.LessThan, func(cmp int) bool { return cmp < 0 })

	items, isArray := v.([]any)
	note(c.MinItems != nil, func() finding { return typed(isArray, isArray && len(items) >= *c.MinItems) })
	note(c.MaxItems != nil, func() finding { return typed(isArray, isArray && len(items) <= *c.MaxItems) })

	truth, isBool := v.(bool)
	note(c.MustBe != nil, func() finding { return typed(isBool, isBool && truth == *c.MustBe) })

	note(c.Enum != nil, func() finding { return typed(sameKind(v, c.Enum), among(v, c.Enum, c.IgnoreCase)) })
	note(c.NotEnum != nil, func() finding { return typed(sameKind(v, c.NotEnum), !among(v, c.NotEnum, c.IgnoreCase)) })

	// An expression is not asked about a value of the wrong type.
	note(c.Expression != "" && worst != mistyped, func() finding {
		ok, err := r.condition(c.Expression, v)
		if err != nil {
			return errs
		}
		return typed(true, ok)
	})
	return worst
}

func typed(right, ok bool) finding {
	switch {
	case !right:
		return mistyped
	case !ok:
		return fails
	default:
		return holds
	}
}

func isType(v any, name string) bool {
	switch v := v.(type) {
	case string:
		return name == "string"
	case number:
		return name == "number" || name == "integer" && v.rat().IsInt()
	case bool:
		return name == "boolean"
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}

// whole makes an unanchored search of a match of the whole value.
func whole(expr string, fold bool) string {
	if fold {
		return `(?i)\A(?:` + expr + `)\z`
	}
	return `\A(?:` + expr + `)\z`
}

// regexFinds reports whether expr is found in text just when it is wanted. A
// search that would take too long is a violation either way.
func regexFinds(expr, text string, want bool) bool {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return false
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(prog.Inst)*len(text) > 1_000_000 {
		return false
	}
	return regexp.MustCompile(expr).MatchString(text) == want
}

func listed(list []string, text string, fold bool) bool {
	return slices.ContainsFunc(list, func(s string) bool { return equalText(s, text, fold) })
}

func equalText(a, b string, fold bool) bool {
	return a == b || fold && strings.EqualFold(a, b)
}

// sameKind reports whether the list has a scalar of the kind of v.
func sameKind(v any, list []rules.Scalar) bool {
	return slices.ContainsFunc(list, func(s rules.Scalar) bool {
		switch s.Value.(type) {
		case string:
			_, ok := v.(string)
			return ok
		case json.Number:
			_, ok := v.(number)
			return ok
		default:
			_, ok := v.(bool)
			return ok
		}
	})
}

func among(v any, list []rules.Scalar, fold bool) bool {
	return slices.ContainsFunc(list, func(s rules.Scalar) bool {
		switch s := s.Value.(type) {
		case string:
			text, ok := v.(string)
			return ok && equalText(s, text, fold)
		case json.Number:
			n, ok := v.(number)
			return ok && n.rat().Cmp(number(s).rat()) == 0
		default:
			return v == s
		}
	})
}

// number is the text of a JSON number.
type number string

func (n number) rat() *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("twin: not a number: " + string(n))
	}
	return r
}

var errNoCondition = errors.New("twin: conditions are not evaluated")

// condition decides a condition about this call.
func (r *request) condition(source string, value any) (bool, error) {
	return r.twin.condition(source, Vars{Call: r.call, Args: r.args, Value: value, Now: r.now})
}

func (t *Twin) condition(source string, vars Vars) (bool, error) {
	if t.opts.Condition == nil {
		return false, errNoCondition
	}
	return t.opts.Condition(source, vars)
}
