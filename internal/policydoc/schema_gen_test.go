package policydoc

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

var update = flag.Bool("update", false, "write policy.schema.json anew")

// The schema is generated from the types of package rules: their json tags,
// their comments, and the table of bounds below.
func TestSchemaIsCurrent(t *testing.T) {
	want := generate(t)
	if *update {
		require.NoError(t, os.WriteFile("policy.schema.json", want, 0o644))
		return
	}
	require.True(t, bytes.Equal(want, Schema()), "a type or a comment of package rules has changed: run go test ./internal/policydoc -run TestSchemaIsCurrent -update")
}

type object = map[string]any

func between(lo, hi int) object { return object{"minimum": lo, "maximum": hi} }

func chars(most int) object { return object{"minLength": 1, "maxLength": most} }

func oneOf[S ~string](words ...S) object { return object{"enum": words} }

var (
	patterns = object{"minItems": 1, "maxItems": rules.MaxPatterns, "items": object{
		"type": "string", "pattern": `^(?=.)[!-)+-~]{0,255}\*?$`,
	}}
	callName    = object{"minLength": 1, "maxLength": rules.MaxName, "pattern": `^[^*]*$`}
	agentName   = object{"minLength": 1, "maxLength": rules.MaxName, "pattern": `^[^*]*\*?$`}
	violations  = oneOf(rules.DenyOnViolation, rules.EscalateOnViolation)
	per         = object{"minItems": 1, "items": object{"type": "string", "pattern": `^(agent|global|session|user|tool|project|param:.+)$`}}
	regex       = chars(rules.MaxRegex)
	enumeration = object{"minItems": 1, "maxItems": rules.MaxEnum}
	some        = object{"minItems": 1}
	name        = chars(rules.MaxName)
	expression  = chars(rules.MaxExpressionBytes)
	counted     = object{"minimum": 0}
	constraints = object{"maxProperties": rules.MaxParameters}
	positive    = object{"exclusiveMinimum": 0}
)

// bounds adds to what a type says of its member. Lengths of names that calls
// carry are in bytes, and of expressions too; the schema counts characters,
// and so is the more lenient.
var bounds = map[string]object{
	"PolicySet.version":                {"const": 1},
	"Agent.id":                         callName,
	"Agent.name":                       name,
	"Agent.description":                {"maxLength": rules.MaxDescription},
	"Agent.status":                     oneOf(rules.AgentActive, rules.AgentSuspended, rules.AgentRevoked),
	"Policy.id":                        name,
	"Policy.agentId":                   agentName,
	"Policy.projectId":                 callName,
	"Policy.name":                      name,
	"Policy.description":               {"maxLength": rules.MaxDescription},
	"Policy.priority":                  between(0, rules.MaxPriority),
	"Policy.rules":                     {"minItems": 1, "maxItems": rules.MaxRules},
	"Rule.type":                        oneOf(rules.RuleTypes...),
	"Rule.id":                          name,
	"Rule.tools":                       patterns,
	"Rule.when":                        expression,
	"Rule.onViolation":                 violations,
	"Rule.parameters":                  constraints,
	"Rule.anyOf":                       {"minItems": 1, "maxItems": rules.MaxParameters},
	"RateLimit.maxCalls":               between(1, rules.MaxCalls),
	"RateLimit.windowSeconds":          between(1, rules.MaxWindowSeconds),
	"RateLimit.per":                    per,
	"RateLimit.algorithm":              oneOf("rolling_window", "token_bucket"),
	"TimeWindow.allowedHours":          {"minItems": 1, "items": object{"type": "integer", "minimum": 0, "maximum": 23}},
	"TimeWindow.allowedDays":           {"minItems": 1, "items": object{"type": "integer", "minimum": 0, "maximum": 6}},
	"Approval.ttlSeconds":              between(rules.MinApprovalSeconds, rules.MaxApprovalSeconds),
	"Approval.message":                 chars(rules.MaxMessage),
	"Budget.parameter":                 name,
	"Budget.distinct":                  name,
	"Budget.cost":                      positive,
	"Budget.max":                       positive,
	"Budget.windowSeconds":             between(1, rules.MaxBudgetSeconds),
	"Budget.per":                       per,
	"Sequence.requires":                some,
	"Sequence.blockedBy":               some,
	"SequenceEntry.tools":              patterns,
	"SequenceEntry.withinSeconds":      between(1, rules.MaxBudgetSeconds),
	"SequenceEntry.when":               expression,
	"SequenceEntry.same":               {"minProperties": 1, "maxProperties": rules.MaxParameters},
	"Constraint.regex":                 regex,
	"Constraint.notRegex":              regex,
	"Constraint.match":                 regex,
	"Constraint.type":                  oneOf("string", "number", "integer", "boolean", "array", "object"),
	"Constraint.enum":                  enumeration,
	"Constraint.notEnum":               enumeration,
	"Constraint.minLength":             counted,
	"Constraint.maxLength":             counted,
	"Constraint.minItems":              counted,
	"Constraint.maxItems":              counted,
	"Constraint.within":                {"minItems": 1, "items": object{"type": "string", "pattern": "^/"}},
	"Constraint.hosts":                 some,
	"Constraint.emailDomains":          some,
	"Constraint.assumeScheme":          {"const": "https"},
	"Constraint.expression":            expression,
	"ToolPolicy.id":                    name,
	"ToolPolicy.toolName":              callName,
	"ToolPolicy.projectId":             callName,
	"ToolPolicy.mode":                  {"const": "deterministic"},
	"ToolPolicy.version":               counted,
	"ToolPolicy.constraints":           {"maxItems": rules.MaxParameters},
	"ToolConstraint.argumentName":      name,
	"ToolConstraint.action":            violations,
	"ToolConstraint.regex":             regex,
	"ToolConstraint.notRegex":          regex,
	"ToolConstraint.enum":              enumeration,
	"ToolConstraint.in":                enumeration,
	"ToolConstraint.notEnum":           enumeration,
	"ToolConstraint.notIn":             enumeration,
	"ToolConstraint.minLength":         counted,
	"ToolConstraint.maxLength":         counted,
	"ToolConstraint.minItems":          counted,
	"ToolConstraint.maxItems":          counted,
	"SessionConstraints.maxCalls":      between(1, rules.MaxCalls),
	"SessionConstraints.budget":        positive,
	"CumulativeLimit.argumentName":     name,
	"CumulativeLimit.maxValue":         positive,
	"SessionCounter.increment":         patterns,
	"SessionCounter.max":               between(0, rules.MaxCalls),
	"SessionCounter.maxAction":         violations,
	"Example.name":                     name,
	"Example.want":                     oneOf("denied", "allowed", "escalated"),
	"ExampleCall.at":                   {"format": "date-time"},
	"ExampleCall.context":              {"type": "object"},
	"SessionConstraints.spendArgument": name,
}

// blocksOf says what a rule of a type must have, and what belongs to no other
// type.
var blocksOf = map[rules.RuleType]struct{ needs, own []string }{
	rules.ToolAllowlist:       {needs: []string{"tools"}},
	rules.ToolDenylist:        {needs: []string{"tools"}},
	rules.ParameterConstraint: {own: []string{"parameters", "anyOf", "additionalParameters"}},
	rules.RateLimited:         {[]string{"rateLimit"}, []string{"rateLimit"}},
	rules.TimeBased:           {[]string{"timeWindow"}, []string{"timeWindow"}},
	rules.RequireApproval:     {[]string{"tools"}, []string{"approval"}},
	rules.Budgeted:            {[]string{"budget"}, []string{"budget"}},
	rules.Sequenced:           {[]string{"sequence"}, []string{"sequence"}},
}

func generate(t *testing.T) []byte {
	g := generator{defs: object{}, used: map[string]bool{}, comments: comments(t)}
	top := g.structure(setInfo)
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	top["title"] = "Veto policy document"
	top["anyOf"] = []object{{"required": []string{"agents"}}, {"required": []string{"policies"}}, {"required": []string{"toolPolicies"}}}
	top["$defs"] = g.defs
	for key := range bounds {
		require.True(t, g.used[key], "bounds of %s, which is no member", key)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(top))
	return buf.Bytes()
}

type generator struct {
	defs     object
	used     map[string]bool
	comments map[string]string
}

func (g *generator) structure(info *typeInfo) object {
	own := info.typ.Name()
	properties, required := object{}, []string{}
	for i := range info.fields {
		f := &info.fields[i]
		p := g.schema(f.info)
		key := own + "." + f.name
		g.used[key] = true
		if f.info.kind == stringKind && !f.empty {
			p["minLength"] = 1
		}
		for k, v := range bounds[key] {
			p[k] = v
		}
		if f.nullable && f.info.kind == pointerKind {
			p["type"] = []string{p["type"].(string), "null"}
		}
		if c := g.comments[own+"."+info.typ.Field(f.index).Name]; c != "" {
			p["description"] = c
		}
		properties[f.name] = p
		if f.required {
			required = append(required, f.name)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	if c := g.comments[own]; c != "" {
		s["description"] = c
	}
	if info.typ.Name() == "Rule" {
		s["allOf"] = g.conditions()
	}
	return s
}

// conditions says which members a rule of each type has.
func (g *generator) conditions() (all []object) {
	for _, kind := range rules.RuleTypes {
		foreign := object{}
		for other, b := range blocksOf {
			for _, name := range b.own {
				if other != kind {
					foreign[name] = false
				}
			}
		}
		switch kind {
		case rules.ToolAllowlist, rules.ToolDenylist, rules.RequireApproval:
			foreign["onViolation"] = false
		}
		then := object{"properties": foreign}
		if needs := blocksOf[kind].needs; needs != nil {
			then["required"] = needs
		}
		all = append(all, object{
			"if":   object{"properties": object{"type": object{"const": kind}}},
			"then": then,
		})
	}
	return all
}

func (g *generator) schema(info *typeInfo) object {
	switch info.kind {
	case structKind:
		own := info.typ.Name()
		if g.defs[own] == nil {
			g.defs[own] = object{} // recursion ends here
			g.defs[own] = g.structure(info)
		}
		return object{"$ref": "#/$defs/" + own}
	case pointerKind:
		return g.schema(info.elem)
	case sliceKind:
		return object{"type": "array", "items": g.schema(info.elem)}
	case mapKind:
		return object{"type": "object", "additionalProperties": g.schema(info.elem)}
	case stringKind, textKind:
		return object{"type": "string"}
	case boolKind:
		return object{"type": "boolean"}
	case intKind:
		return object{"type": "integer"}
	case numberKind:
		return object{"type": "number"}
	case scalarKind:
		return object{"type": []string{"string", "number", "boolean"}}
	default:
		return object{}
	}
}

// comments returns the comments of the types of package rules and of their
// members, by Type and Type.Member.
func comments(t *testing.T) map[string]string {
	files, err := filepath.Glob("../../rules/*.go")
	require.NoError(t, err)
	all := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				spec := spec.(*ast.TypeSpec)
				all[spec.Name.Name] = sentence(gen.Doc)
				if s, ok := spec.Type.(*ast.StructType); ok {
					for _, f := range s.Fields.List {
						for _, n := range f.Names {
							all[spec.Name.Name+"."+n.Name] = sentence(f.Doc)
						}
					}
				}
			}
		}
	}
	return all
}

func sentence(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
