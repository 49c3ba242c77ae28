package policydoc

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/useveto/veto-go/rules"
)

// What the schema says must agree with what the loader does, at least on
// everything that a schema can say.
func TestSchemaAgreesWithTheLoader(t *testing.T) {
	rule := func(s string) string {
		return `{"policies":[{"id":"p","agentId":"a","rules":[` + s + `]}]}`
	}
	tool := func(s string) string {
		return `{"toolPolicies":[{"toolName":"t","mode":"deterministic",` + s + `}]}`
	}
	good := []string{everything, `{"agents":[]}`, `{"policies":[]}`, `{"toolPolicies":[]}`,
		`{"policies":[{"id":"p","agentId":"*","projectId":null,"description":null,"rules":[{"type":"tool_denylist","tools":["*","a*"]}]}]}`,
		rule(`{"type":"parameter_constraint","parameters":{},"additionalParameters":false}`),
		tool(`"sessionConstraints":{"counters":{"c":{"increment":["t"],"max":1}},"budget":1.5,"spendArgument":"a"}`),
	}
	bad := []string{`{}`, `{"version":1}`, `{"policies":null}`, `{"Policies":[]}`, `{"policies":[],"version":2}`,
		`{"agents":[{"id":"a","status":"ok"}]}`, `{"agents":[{"id":"a*"}]}`, `{"agents":[{}]}`,
		`{"policies":[{"id":"p","agentId":"a","rules":[]}]}`,
		`{"policies":[{"id":"p","agentId":"a*b","rules":[{"type":"tool_denylist","tools":["t"]}]}]}`,
		`{"policies":[{"id":"p","agentId":"a","priority":1001,"rules":[{"type":"tool_denylist","tools":["t"]}]}]}`,
		rule(`{"type":"tool_denylist"}`), rule(`{"type":"tool_denylist","tools":[]}`), rule(`{"type":"tool_denylist","tools":[""]}`),
		rule(`{"type":"tool_denylist","tools":["a*b"]}`), rule(`{"type":"tool_denylist","tools":["a b"]}`), rule(`{"type":"x","tools":["t"]}`),
		rule(`{"type":"tool_denylist","tools":["t"],"onViolation":"deny"}`),
		rule(`{"type":"rate_limit"}`), rule(`{"type":"rate_limit","rateLimit":{"maxCalls":0,"windowSeconds":1}}`),
		rule(`{"type":"rate_limit","rateLimit":{"maxCalls":1,"windowSeconds":86401}}`),
		rule(`{"type":"rate_limit","rateLimit":{"maxCalls":1,"windowSeconds":1,"per":["nobody"]}}`),
		rule(`{"type":"rate_limit","rateLimit":{"maxCalls":1,"windowSeconds":1},"budget":{"cost":1,"max":1,"windowSeconds":1}}`),
		rule(`{"type":"time_based","timeWindow":{"allowedHours":[24]}}`), rule(`{"type":"time_based","timeWindow":{"allowedDays":[]}}`),
		rule(`{"type":"require_approval","tools":["t"],"approval":{"ttlSeconds":59}}`),
		rule(`{"type":"parameter_constraint","parameters":{"x":{"enum":[]}}}`), rule(`{"type":"parameter_constraint","parameters":{"x":{"regex":""}}}`),
		rule(`{"type":"parameter_constraint","parameters":{"x":{"minLength":-1}}}`), rule(`{"type":"parameter_constraint","parameters":{"x":{"minimum":1}}}`),
		tool(`"mode":"llm"`), tool(`"outputRules":[]`), tool(`"sessionConstraints":{"maxCalls":0}`),
	}
	for _, text := range good {
		require.Empty(t, faultsOf(t, "d.yaml", text), text)
		require.Empty(t, check(t, text), text)
	}
	for _, text := range bad {
		require.NotEmpty(t, faultsOf(t, "d.yaml", text), text)
		if !strings.Contains(text, `"mode":"llm"`) { // a duplicate key
			require.NotEmpty(t, check(t, text), text)
		}
	}
}

// Every rule type is in the table from which the schema is made, as the
// validator sees it.
func TestSchemaBlocks(t *testing.T) {
	require.Len(t, blocksOf, len(rules.RuleTypes))
}

func check(t *testing.T, text string) []string {
	var schema map[string]any
	require.NoError(t, json.Unmarshal(Schema(), &schema))
	var doc any
	require.NoError(t, yaml.Unmarshal([]byte(text), &doc))
	out, err := json.Marshal(doc)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &doc))
	c := checker{defs: schema["$defs"].(map[string]any)}
	c.check("", schema, doc)
	return c.faults
}

// checker knows the keywords that the schema uses, and refuses others.
type checker struct {
	defs   map[string]any
	faults []string
}

func (c *checker) ok(schema, v any) bool {
	sub := checker{defs: c.defs}
	sub.check("", schema, v)
	return len(sub.faults) == 0
}

func (c *checker) check(at string, schema, v any) {
	if schema == false {
		c.faults = append(c.faults, at+": not here")
		return
	}
	fail := func(word string) { c.faults = append(c.faults, at+": "+word) }
	s := schema.(map[string]any)
	members, _ := v.(map[string]any)
	items, _ := v.([]any)
	text, isText := v.(string)
	number, isNumber := v.(float64)
	length := float64(utf8.RuneCountInString(text))
	for word, arg := range s {
		bound, _ := arg.(float64)
		switch word {
		case "$schema", "$defs", "title", "description", "format", "additionalProperties", "then":
		case "$ref":
			c.check(at, c.defs[strings.TrimPrefix(arg.(string), "#/$defs/")], v)
		case "type":
			kinds, many := arg.([]any)
			if !many {
				kinds = []any{arg}
			}
			if !slices.ContainsFunc(kinds, func(k any) bool { return isKind(k.(string), v) }) {
				fail(word)
			}
		case "const":
			if v != arg {
				fail(word)
			}
		case "enum":
			if !slices.Contains(arg.([]any), v) {
				fail(word)
			}
		case "required":
			for _, name := range arg.([]any) {
				if _, ok := members[name.(string)]; !ok && members != nil {
					fail(word)
				}
			}
		case "properties":
			for name, m := range members {
				if p, ok := arg.(map[string]any)[name]; ok {
					c.check(at+"."+name, p, m)
				} else if rest, ok := s["additionalProperties"]; ok {
					c.check(at+"."+name, rest, m)
				}
			}
		case "items":
			for i, e := range items {
				c.check(fmt.Sprintf("%s[%d]", at, i), arg, e)
			}
		case "anyOf":
			if !slices.ContainsFunc(arg.([]any), func(s any) bool { return c.ok(s, v) }) {
				fail(word)
			}
		case "allOf":
			for _, s := range arg.([]any) {
				c.check(at, s, v)
			}
		case "if":
			if c.ok(arg, v) {
				c.check(at, s["then"], v)
			}
		case "pattern":
			// Go's regexp has no look-ahead; the one use says "not empty".
			p := strings.Replace(arg.(string), "(?=.)", "", 1)
			if isText && (!regexp.MustCompile(p).MatchString(text) || p != arg && text == "") {
				fail(word)
			}
		case "minimum":
			c.bound(fail, word, isNumber, number >= bound)
		case "exclusiveMinimum":
			c.bound(fail, word, isNumber, number > bound)
		case "maximum":
			c.bound(fail, word, isNumber, number <= bound)
		case "minLength":
			c.bound(fail, word, isText, length >= bound)
		case "maxLength":
			c.bound(fail, word, isText, length <= bound)
		case "minItems":
			c.bound(fail, word, items != nil, float64(len(items)) >= bound)
		case "maxItems":
			c.bound(fail, word, items != nil, float64(len(items)) <= bound)
		case "minProperties":
			c.bound(fail, word, members != nil, float64(len(members)) >= bound)
		case "maxProperties":
			c.bound(fail, word, members != nil, float64(len(members)) <= bound)
		default:
			panic("the checker does not know " + word)
		}
	}
	if _, ok := s["properties"]; !ok && s["additionalProperties"] != nil {
		for name, m := range members {
			c.check(at+"."+name, s["additionalProperties"], m)
		}
	}
}

func (c *checker) bound(fail func(string), word string, applies, holds bool) {
	if applies && !holds {
		fail(word)
	}
}

func isKind(kind string, v any) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == float64(int64(v))
	case []any:
		return kind == "array"
	default:
		return kind == "object"
	}
}
