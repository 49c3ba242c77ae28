package rules

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func constrain(c Constraint) Rule {
	return Rule{Type: ParameterConstraint, Parameters: map[string]Constraint{"x": c}}
}

func constraints(n int) map[string]Constraint {
	m := make(map[string]Constraint)
	for _, name := range list(n) {
		m[name] = Constraint{}
	}
	return m
}

func TestValidateParameters(t *testing.T) {
	ok(t, Rule{Type: ParameterConstraint, Parameters: constraints(64)})
	bad(t, Rule{Type: ParameterConstraint, Parameters: constraints(65)}, "parameters")
	bad(t, Rule{Type: ParameterConstraint, Parameters: constraints(0)}, "parameters")
	ok(t, Rule{Type: ParameterConstraint, Parameters: constraints(0), AdditionalParameters: ptr(false)})
	ok(t, Rule{Type: ParameterConstraint, AdditionalParameters: ptr(false)})
	bad(t, Rule{Type: ParameterConstraint, AdditionalParameters: ptr(true)}, "parameters")
	bad(t, Rule{Type: ParameterConstraint, Parameters: constraints(1), AnyOf: []map[string]Constraint{constraints(1)}}, "anyOf")
	bad(t, Rule{Type: ParameterConstraint, AnyOf: []map[string]Constraint{}}, "anyOf")
	bad(t, Rule{Type: ParameterConstraint, AnyOf: []map[string]Constraint{constraints(1), {}}}, "anyOf[1]")
	ok(t, Rule{Type: ParameterConstraint, AnyOf: []map[string]Constraint{constraints(32), constraints(32)}})
	bad(t, Rule{Type: ParameterConstraint, AnyOf: []map[string]Constraint{constraints(32), constraints(33)}}, "anyOf")
	bad(t, Rule{Type: ParameterConstraint, AnyOf: []map[string]Constraint{{"y": {Min: num("x")}}}}, "anyOf[0].y.min")

	name := func(s string) Rule {
		return Rule{Type: ParameterConstraint, Parameters: map[string]Constraint{s: {}}}
	}
	for _, s := range []string{"a", "a.b", "~", "*", "/", "/a/*/b", "/a~0b~1c", "caf\u00e9", strings.Repeat("é", 255)} {
		ok(t, name(s))
	}
	for _, s := range []string{"", "a\nb", "/a~", "/a~2", "/~0~", "/a/~/b", "\xff", strings.Repeat("é", 256)} {
		require.Len(t, Validate(oneRule(name(s))), 1, "%q", s)
	}
}

func TestValidateRegex(t *testing.T) {
	for at, with := range map[string]func(string) Constraint{
		"regex":    func(s string) Constraint { return Constraint{Regex: &s} },
		"notRegex": func(s string) Constraint { return Constraint{NotRegex: &s} },
		"match":    func(s string) Constraint { return Constraint{Match: &s} },
	} {
		at = "parameters.x." + at
		ok(t, constrain(with("^[^@]+@example\\.com$")))
		ok(t, constrain(with(strings.Repeat("é", 256))))
		bad(t, constrain(with(strings.Repeat("é", 257))), at)
		bad(t, constrain(with("")), at)
		bad(t, constrain(with("(")), at)
		bad(t, constrain(with("(?=a)")), at)
		bad(t, constrain(with("\xff")), at)
		// fail, match, and one for each character; match has two anchors
		most := "a{998}"
		if at == "parameters.x.match" {
			most = "a{996}"
		}
		ok(t, constrain(with(most)))
		bad(t, constrain(with(most+"a")), at)
		bad(t, constrain(with("(a{1,30}){1,30}$")), at)
		bad(t, constrain(with("(?:(?:a{1,100}){1,100}b{1,100}){1,10}")), at)
		bad(t, constrain(with("(?:a{0,1000}){1000}")), at)
	}
}

// Counted repetitions multiply. What is too large is refused before it is
// compiled, which would take seconds and gigabytes.
func TestAttack_A8_RegexTooLarge(t *testing.T) {
	for _, s := range []string{"(a{1,30}){1,30}$", "(?:(?:a{10}){10}){11}", "((((a{0,10}){0,10}){0,10}){0,100})", "((a+){1000})", `(\pL{500}\pN{500})`} {
		bad(t, constrain(Constraint{Regex: &s}), "parameters.x.regex")
		start := testing.AllocsPerRun(1, func() { regexUse{text: s}.fault() })
		require.Less(t, start, 20_000.0, s)
	}
	ok(t, constrain(Constraint{Regex: ptr(".*@[^x.com$].*")})) // odd, but small
}

func TestValidateConstraint(t *testing.T) {
	long := strings.Repeat("x", 4096)
	for _, c := range []Constraint{
		{}, {Type: "integer"}, {MinLength: ptr(0), MaxLength: ptr(5), MinItems: ptr(0), MaxItems: ptr(1)},
		{Min: num("-1.5e3"), Max: num("1e308"), GreaterThan: num("0"), LessThan: num("9007199254740993")},
		{MustBe: ptr(false), Optional: true, Nullable: true},
		{IgnoreCase: true, Match: ptr("a")}, {IgnoreCase: true, NotEnum: []Scalar{{"a"}}},
		{Expression: long},
	} {
		ok(t, constrain(c))
	}
	for at, c := range map[string]Constraint{
		"type": {Type: "int"}, "minLength": {MinLength: ptr(-1)}, "maxItems": {MaxItems: ptr(-1)},
		"min": {Min: num("0x10")}, "max": {Max: num("1.8e308")}, "greaterThan": {GreaterThan: num("")}, "lessThan": {LessThan: num("+1")},
		"ignoreCase": {IgnoreCase: true, Regex: ptr("a")}, "expression": {Expression: long + "x"},
		"inList": {InList: "staff"}, "notInList": {NotInList: "staff"},
		"assumeScheme": {AssumeScheme: "https"}, "noQuery": {NoQuery: true},
	} {
		bad(t, constrain(c), "parameters.x."+at)
	}
	set := oneRule(constrain(Constraint{InList: "staf"}))
	set.Lists = map[string][]string{"staff": {}}
	require.Equal(t, `did you mean "staff"?`, Validate(set)[0].Hint)
	set.Policies[0].Rules[0] = constrain(Constraint{InList: "staff", IgnoreCase: true})
	require.Empty(t, Validate(set))
}

func TestValidateEnum(t *testing.T) {
	scalars := make([]Scalar, 101)
	for i := range scalars {
		scalars[i] = Scalar{fmt.Sprint(i)}
	}
	ok(t, constrain(Constraint{Enum: scalars[:100], NotEnum: []Scalar{{""}, {true}, {json.Number("1e2")}}}))
	bad(t, constrain(Constraint{Enum: scalars}), "parameters.x.enum")
	bad(t, constrain(Constraint{NotEnum: []Scalar{}}), "parameters.x.notEnum")
	for _, v := range []any{nil, 1, 1.5, []any{}, json.Number("x"), "\xff"} {
		bad(t, constrain(Constraint{Enum: []Scalar{{v}}}), "parameters.x.enum[0]")
	}
}

func TestValidateWithin(t *testing.T) {
	ok(t, constrain(Constraint{Within: []string{"/", "/srv/data", "/srv/a b/é", "/100%/x"}}))
	bad(t, constrain(Constraint{Within: []string{}}), "parameters.x.within")
	for _, dir := range []string{"", "srv", "./srv", "/srv/", "//srv", "/srv/../etc", "/srv/./x", `/srv\x`, "/a%2fb", "/a\x00", "/\xff", "C:/x"} {
		bad(t, constrain(Constraint{Within: []string{dir}}), "parameters.x.within[0]")
	}
}

func TestValidateHosts(t *testing.T) {
	for _, h := range []string{
		"example.com", "*.example.com", "https://example.com", "example.com:8443", "https://*.Example.COM:443", "localhost", "xn--bcher-kva.example",
		"10.0.0.1", "10.0.0.1:80", "[::1]", "[2001:db8::1]:8443", "2001:db8::1",
	} {
		ok(t, constrain(Constraint{Hosts: []string{h}, AssumeScheme: "https", NoQuery: true}))
	}
	for _, h := range []string{
		"", "*", "*.", "*.*.com", "a.*.com", "http://example.com", "https://", "example.com/", "example.com/path", "user@example.com", "example.com.", ".example.com",
		"-a.com", "a-.com", "a_b.com", "b\u00fccher.example", "a b", "example.com:", "example.com:0", "example.com:080", "example.com:65536", "example.com:x",
		"010.0.0.1", "10.1", "0x7f000001", "1", "*.1", "[::1", "[0:0:0:0:0:0:0:1]", "[::1%25eth0]", "[10.0.0.1]", "[::FFFF:10.0.0.1]", ":80", "[]", "[", "[:",
		strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 127) + "com",
	} {
		bad(t, constrain(Constraint{Hosts: []string{h}}), "parameters.x.hosts[0]")
	}
	bad(t, constrain(Constraint{Hosts: []string{"a"}, AssumeScheme: "http"}), "parameters.x.assumeScheme")
	bad(t, constrain(Constraint{Hosts: []string{}}), "parameters.x.hosts")
	ok(t, constrain(Constraint{EmailDomains: []string{"example.com", "*.example.com"}}))
	bad(t, constrain(Constraint{EmailDomains: []string{}}), "parameters.x.emailDomains")
	for _, d := range []string{"", "*", "@example.com", "a@example.com", "example..com", "example.com:25"} {
		bad(t, constrain(Constraint{EmailDomains: []string{d}}), "parameters.x.emailDomains[0]")
	}
}
