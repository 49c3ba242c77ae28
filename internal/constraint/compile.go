package constraint

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/useveto/veto-go/internal/docpath"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// Compile compiles the constraints of one rule, which rules.Validate has
// accepted. A fault's Path begins at "parameters".
func Compile(params map[string]rules.Constraint, env *Env) (*Set, []rules.Fault) {
	set := &Set{}
	var faults []rules.Fault
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		src := params[name]
		c := compiler{env: env, src: &src, p: parameter{
			name: name, cost: lookupCost(name), kinds: anyKind, optional: src.Optional, nullable: src.Nullable,
		}}
		if strings.HasPrefix(name, "/") {
			c.p.pointer = parsePointer(name)
			if first := &c.p.pointer[0]; !first.every {
				set.names = append(set.names, first.key)
			}
		} else {
			set.names = append(set.names, name)
		}
		c.compile()
		for _, f := range c.faults {
			f.Path = pathOf(name, f.Path)
			faults = append(faults, f)
		}
		set.parameters = append(set.parameters, c.p)
		set.Expressions = set.Expressions || src.Expression != ""
	}
	return set, faults
}

// pathOf leads to a check of a parameter.
func pathOf(name, check string) string {
	var top docpath.Path
	parameters := top.Member("parameters")
	parameter := parameters.Member(name)
	at := parameter.Member(check)
	return at.String()
}

type compiler struct {
	env    *Env
	src    *rules.Constraint
	p      parameter
	faults []rules.Fault
}

func (c *compiler) fault(path, message, hint string) {
	c.faults = append(c.faults, rules.Fault{Path: path, Message: message, Hint: hint})
}

// need restricts the value to the kinds that a check can look at.
func (c *compiler) need(path string, k kindSet) {
	if c.p.kinds&k == 0 {
		c.fault(path, "no value is of a type that this check and the others both accept", "remove one of them")
	}
	c.p.kinds &= k
}

func (c *compiler) add(path string, k kindSet, check check) {
	c.need(path, k)
	c.p.checks = append(c.p.checks, check)
}

var typeKinds = map[string]kindSet{
	"string": kinds(value.String), "number": kinds(value.Number), "integer": kinds(value.Number),
	"boolean": kinds(value.Bool), "array": kinds(value.Array), "object": kinds(value.Object),
}

// compile puts cheap checks before those that take time.
func (c *compiler) compile() {
	src := c.src
	if src.Type != "" {
		c.need("type", typeKinds[src.Type])
		c.p.integer = src.Type == "integer"
	}
	text := kinds(value.String)
	if src.MustBe != nil {
		c.add("mustBe", kinds(value.Bool), boolCheck(*src.MustBe))
	}
	c.compare("min", src.Min, [3]bool{false, true, true})
	c.compare("max", src.Max, [3]bool{true, true, false})
	c.compare("greaterThan", src.GreaterThan, [3]bool{false, false, true})
	c.compare("lessThan", src.LessThan, [3]bool{true, false, false})
	if lo, hi, path, ok := between(src.MinLength, src.MaxLength, "Length"); ok {
		c.add(path, text, lengthCheck{lo, hi})
	}
	if lo, hi, path, ok := between(src.MinItems, src.MaxItems, "Items"); ok {
		c.add(path, kinds(value.Array), itemsCheck{lo, hi})
	}
	c.enum("enum", src.Enum, true)
	c.enum("notEnum", src.NotEnum, false)
	c.list("inList", src.InList, true)
	c.list("notInList", src.NotInList, false)
	if src.Within != nil {
		c.add("within", text, &withinCheck{slices.Clone(src.Within), c.env.Protected})
	}
	if src.Hosts != nil {
		h := &hostsCheck{assume: src.AssumeScheme == "https", noQuery: src.NoQuery}
		for _, pattern := range src.Hosts {
			h.patterns = append(h.patterns, newHostPattern(pattern))
		}
		c.add("hosts", text, h)
	}
	if src.EmailDomains != nil {
		var e emailCheck
		for _, pattern := range src.EmailDomains {
			e = append(e, newDomainPattern(pattern))
		}
		c.add("emailDomains", text, e)
	}
	c.regex("match", src.Match, regexKey{whole: true, fold: src.IgnoreCase}, matches)
	c.regex("regex", src.Regex, regexKey{}, matches)
	c.regex("notRegex", src.NotRegex, regexKey{}, differs)
	if src.Expression != "" {
		c.expression(src.Expression)
	}
}

func (c *compiler) compare(path string, text *json.Number, allowed [3]bool) {
	if text == nil {
		return
	}
	b, err := value.NewBound(string(*text))
	if err != nil {
		c.fault(path, err.Error(), "")
	}
	c.add(path, kinds(value.Number), &comparison{b, len(*text), allowed})
}

// between merges the two bounds of a size.
func between(lo, hi *int, what string) (from, to int, path string, ok bool) {
	to = math.MaxInt
	if hi != nil {
		to, path, ok = *hi, "max"+what, true
	}
	if lo != nil {
		from, path, ok = *lo, "min"+what, true
	}
	return from, to, path, ok
}

func (c *compiler) enum(path string, values []rules.Scalar, in bool) {
	if values == nil {
		return
	}
	e := &enumCheck{in: in, fold: c.src.IgnoreCase}
	var k kindSet
	for _, v := range values {
		switch v := v.Value.(type) {
		case string:
			e.strings = append(e.strings, v)
			k |= kinds(value.String)
		case json.Number:
			b, err := value.NewBound(string(v))
			if err != nil {
				c.fault(path, err.Error(), "")
			}
			e.numbers = append(e.numbers, b)
			e.digits += len(v)
			k |= kinds(value.Number)
		case bool:
			if v {
				e.bools[1] = true
			} else {
				e.bools[0] = true
			}
			k |= kinds(value.Bool)
		}
	}
	c.add(path, k, e)
}

func (c *compiler) list(path, name string, in bool) {
	if name == "" {
		return
	}
	var list *List
	if c.env.List != nil {
		list = c.env.List(name)
	}
	if list == nil {
		c.fault(path, "there is no such list", "add it to the lists of the document")
		return
	}
	c.add(path, kinds(value.String), listCheck{list, c.src.IgnoreCase, in})
}

func (c *compiler) regex(path string, text *string, key regexKey, want match) {
	if text == nil {
		return
	}
	key.text = *text
	r, err := c.env.regex(key)
	if err != nil {
		c.fault(path, err.Error(), "")
		return
	}
	c.add(path, kinds(value.String), regexCheck{r, want})
}

func (c *compiler) expression(source string) {
	if c.env.Expression == nil {
		c.fault("expression", "expressions are not available", "")
		return
	}
	condition, err := c.env.Expression(source)
	if err != nil {
		c.fault("expression", err.Error(), "")
		return
	}
	c.p.checks = append(c.p.checks, expressionCheck{condition})
}
