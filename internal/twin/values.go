package twin

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/useveto/veto-go/rules"
)

func long(n int, s string) string { return strings.Repeat(s, n) }

// parameterNames are those that constraints are about, plain and pointers.
var parameterNames = []string{
	"to", "to", "amount", "amount", "path", "url", "mail", "flag", "items", "user",
	"/to", "/user/name", "/items/0", "/items/*", "/items/*/n", "/user/*", "/items/-", "/items/01", "/items/1/n",
	"/a~1b", "/m~0n", "/~01", "/user/", "/", "/*", "k", "K",
}

var texts = []string{
	"", "ann@example.com", "bob", "Bob", "BOB", "\u212aelvin", "kelvin", "e\u0301", "\u00e9", "stra\u00dfe", "STRASSE", "\u017fo",
	"abc", "abc\n", "a\nabc", "100", "true", "\U0001f600\U0001f600", "admin", long(256, "x"), long(257, "x"),
}

var paths = []string{
	"/home/a", "/home/a/", "/home/ab", "/home/a/../b", "/home/a/x", "/home//a/./x", "home/a", "", "/", "/home/a/..x", "/home/a/..",
	`/home/a\x`, "/home/a/%2e%2e/b", "/home/a/100%", "/home/a/%zz", "/home/a/\x00", "C:/home/a", "/C:/home/a", "/home/a/C:", "/home/a\u0085",
}

var urls = []string{
	"https://example.com", "https://example.com/", "http://example.com/x?y#z", "https://a.example.com", "https://EXAMPLE.com", "HTTPS://example.com",
	"https://example.com.", "https://example.com:443", "http://example.com:443", "https://example.com:8443/", "https://example.com:", "https://example.com:0443",
	"https://user@example.com", "https://example.com@evil.org", `https://example.com\@evil.org`, "https://example.com%2eevil.org", "https://evil.org/https://example.com",
	"https://127.0.0.1", "https://127.1", "https://2130706433", "https://0x7f.1", "https://0177.0.0.1", "https://[::1]", "https://[::1]:443/x", "https://[0:0::1]", "https://[::ffff:127.0.0.1]",
	"example.com", "example.com/x//y", "example.com:443", "//example.com", "ftp://example.com", "https:example.com", "https:///example.com", " https://example.com",
	"https://exa mple.com", "https://ex\u00e4mple.com", "https://-example.com", "https://a..example.com", "https://.example.com", "https://example.com?x", "https://example.com#x", "https://x_y.example.com", "",
	"https://example.com/\\x", "https://example.com/%41", "https://example.com/a b", "https://example.com:99999", "javascript://example.com",
}

var mails = []string{
	"ann@example.com", "ann@EXAMPLE.COM", "ann@a.example.com", "ann@example.com.evil.org", "ann@@example.com", "a@b@example.com", "ann@example.com,bob@evil.org",
	"ann <ann@example.com>", "@example.com", long(64, "a") + "@example.com", long(65, "a") + "@example.com", "ann@example.com.", "ann+x'y@example.com", "\u00e9@example.com", "ann@ex\u00e4mple.com", "ann", "", "ann@example.com\n", "ann@1.2.3.4",
}

var numbers = []any{
	json.Number("100"), json.Number("1e2"), json.Number("100.0"), json.Number("-0"), json.Number("0"), json.Number("9007199254740993"), json.Number("9007199254740992"),
	json.Number("9007199254740991"), json.Number("99.99999999999999999999"), json.Number("1E+2"), json.Number("0.1"), json.Number("1e308"), json.Number("1e-9999"), json.Number("-1"), json.Number("18446744073709551616"),
	100, int8(100), uint64(math.MaxUint64), int64(math.MinInt64), 100.0, float32(0.1), 0.1, 1e2, math.Copysign(0, -1), 9007199254740992.0, uint8(5), 1e21, int32(-1), 5, 50.5,
}

var bounds = []string{"100", "1e2", "0", "9007199254740992", "9007199254740993", "0.1", "-1", "99.5", "1e308", "18446744073709551615", "5"}

// value returns a value for the parameter of that name: mostly of the type
// that its constraints expect.
func (g *Generator) value(name string) any {
	if g.chance(12) {
		name = pick(g, "to", "amount", "flag", "items", "user", "null")
	}
	switch name {
	case "amount", "n":
		return pick(g, numbers...)
	case "path":
		return pick(g, paths...)
	case "url":
		return pick(g, urls...)
	case "mail":
		return pick(g, mails...)
	case "flag":
		return g.chance(50)
	case "null":
		return nil
	case "items":
		return g.items()
	case "user":
		return g.user()
	default:
		return pick(g, texts...)
	}
}

func (g *Generator) items() any {
	switch g.r.IntN(8) {
	case 0:
		return []string{"bob", "abc"}
	case 1:
		return []int{1, 100}
	case 2:
		return map[string]any{"0": "abc", "*": "bob", "-": "x"}
	}
	items := []any{}
	for range g.r.IntN(4) {
		if g.chance(50) {
			items = append(items, pick(g, texts...))
			continue
		}
		item := map[string]any{}
		if g.chance(85) {
			item["n"] = g.value("n")
		}
		items = append(items, item)
	}
	return items
}

func (g *Generator) user() any {
	if g.chance(15) {
		return map[string]string{"name": "bob"}
	}
	user := map[string]any{}
	if g.chance(70) {
		user["name"] = g.value("to")
	}
	if g.chance(20) {
		user[""] = g.value("to")
	}
	if g.chance(20) {
		user["raw"] = json.RawMessage(pick(g, `{"n":1}`, `"abc"`, "null", "100"))
	}
	return user
}

// arguments returns the parameters of a call in one of the forms that a
// caller may pass; a few are not acceptable.
func (g *Generator) arguments() any {
	switch {
	case g.chance(3):
		return pick(g, oddArguments...)
	case g.chance(1):
		return pick(g, map[string]any{"to": "a\xff"}, map[string]any{"amount": math.NaN()}, map[string]any{"amount": math.Inf(1)}, map[string]any{"amount": float32(math.Inf(-1))},
			map[string]any{"amount": json.Number("1e400")}, map[string]any{"amount": json.Number("")}, map[string]any{"k": 1, "\u212a": 2}, map[string]any{"to": func() {}}, map[string]any{"user": json.RawMessage(`{"a":1,"a":2}`)})
	}
	args := map[string]any{}
	for _, name := range []string{"to", "amount", "path", "url", "mail", "flag", "items", "user"} {
		if g.chance(60) {
			args[name] = g.value(name)
		}
	}
	for _, name := range []string{"a/b", "m~n", "~1", "", "k", "extra"} {
		if g.chance(6) {
			args[name] = g.value("to")
		}
	}
	if g.chance(50) {
		return args
	}
	data, err := json.Marshal(args)
	if err != nil {
		panic(err)
	}
	if g.chance(30) {
		data = []byte(" " + string(data) + "\n\t\r ")
	}
	return pick[any](g, json.RawMessage(data), data, string(data))
}

// oddArguments are texts at the edge of what is JSON, and values that are no
// object.
var oddArguments = []any{
	nil, "", "null", " null ", "{}", "[]", "1", "\"a\"", "true", json.RawMessage(nil), []byte{}, map[string]any(nil), map[string]string{"to": "bob"}, []string{"a"}, 1, true, struct{ To string }{"bob"},
	(*struct{})(nil), struct {
		To string `json:"to"`
	}{"bob"},
	`{"to":"a","to":"a"}`, `{"to":"a","TO":"a"}`, `{"k":1,"\u212a":2}`, `{"s":1,"\u017f":2}`, `{"i":1,"\u0130":2}`, `{"\u00df":1,"\u1e9e":2}`, `{"ss":1,"\u00df":2}`, `{"e\u0301":1,"\u00e9":2}`, `{"\u03c3":1,"\u03c2":2}`,
	`{"to":"a"}{}`, `{"to":"a"} x`, `{"to":"\ud83d\ude00"}`, `{"to":"\ud83d"}`, `{"to":"\ude00\ud83d"}`, `{"to":"\ufffd"}`, "{\"to\":\"a\xff\"}", "{\"to\":\"a\x01\"}", `{"to":"\u0000"}`, `{"to":"\x"}`,
	`{"to":'a'}`, `{to:"a"}`, `{"to":"a",}`, `{"items":[1,]}`, `{"items":[,1]}`, `{"to"}`, `{"to":}`, `{`, `{"to":"a"`, "\ufeff{}", "{}\x00", "\v{}", `{"to":"\/\b\f\n\r\t"}`,
	`{"amount":01}`, `{"amount":+1}`, `{"amount":1.}`, `{"amount":.5}`, `{"amount":1e}`, `{"amount":-}`, `{"amount":NaN}`, `{"amount":Infinity}`, `{"amount":0x10}`, `{"amount":1_000}`, `{"amount":-0.0e-0}`,
	`{"amount":1e400}`, `{"amount":-1e309}`, `{"amount":1e-400}`, `{"amount":1e-10000}`, `{"amount":0e9999}`, `{"amount":0e10000}`, `{"amount":` + long(400, "1") + `}`, `{"amount":1.` + long(399, "1") + `}`, `{"amount":1.` + long(400, "1") + `}`,
	`{"amount":1.7976931348623157e308}`, `{"amount":1.7976931348623159e308}`, `{"to":nul}`, `{"to":True}`, `{"flag":true}`,
	`{"items":` + long(31, "[") + long(31, "]") + `}`, `{"items":` + long(32, "[") + long(32, "]") + `}`, map[string]any{"items": nested(31)}, map[string]any{"items": nested(32)},
	map[string]any{"items": json.RawMessage(long(31, "[") + long(31, "]"))}, map[string]any{"items": json.RawMessage(long(32, "[") + long(32, "]"))},
	`{"to":"` + long(65536-9, "x") + `"}`, `{"to":"` + long(65536-8, "x") + `"}`, map[string]any{"to": long(65536-9, "x")}, map[string]any{"to": long(65536-8, "x")}, map[string]string{"to": long(65536-9, "<")},
}

func nested(depth int) any {
	list := []any{}
	for range depth - 1 {
		list = []any{list}
	}
	return list
}

// constraint returns a constraint that values of the parameter have a chance
// to pass.
func (g *Generator) constraint(name string) rules.Constraint {
	c := rules.Constraint{Optional: g.chance(35), Nullable: g.chance(15)}
	kind := name
	switch {
	case g.chance(10):
		kind = pick(g, "to", "amount", "flag", "items", "user", "path", "url", "mail")
	case g.chance(10):
		return c
	case strings.HasSuffix(name, "/n"):
		kind = "amount"
	}
	number := func() *json.Number { return ptr(json.Number(pick(g, bounds...))) }
	switch kind {
	case "amount":
		switch g.r.IntN(8) {
		case 0:
			c.Min = number()
		case 1:
			c.Max = number()
		case 2:
			c.GreaterThan = number()
		case 3:
			c.LessThan = number()
		case 4:
			c.Min, c.Max = number(), number()
		case 5:
			c.Type = pick(g, "number", "integer")
		case 6:
			c.Enum = some(g, 4, scalars)
		case 7:
			c.NotEnum = some(g, 4, scalars)
		}
	case "flag":
		c.MustBe = ptr(g.chance(50))
	case "path":
		c.Within = pick(g, []string{"/home/a"}, []string{"/"}, []string{"/home/b", "/home/a/x"})
	case "url":
		c.Hosts = some(g, 2, []string{"example.com", "*.example.com", "https://example.com", "example.com:8443", "example.com:443", "127.0.0.1", "::1", "[::1]:443", "https://Example.com", "localhost", "https://*.com"})
		c.NoQuery = g.chance(20)
		if g.chance(30) {
			c.AssumeScheme = "https"
		}
	case "mail":
		c.EmailDomains = some(g, 2, []string{"example.com", "*.example.com", "Example.COM", "*.com"})
	case "items":
		switch g.r.IntN(3) {
		case 0:
			c.MinItems = ptr(g.r.IntN(4))
		case 1:
			c.MaxItems = ptr(g.r.IntN(4))
		case 2:
			c.Type = pick(g, "array", "object")
		}
	case "user":
		c.Type = pick(g, "object", "array", "string")
	default:
		g.textConstraint(&c)
	}
	return c
}

var scalars = []rules.Scalar{
	{Value: "bob"}, {Value: "Bob"}, {Value: "kelvin"}, {Value: "100"}, {Value: json.Number("100")}, {Value: json.Number("1e2")}, {Value: json.Number("0")},
	{Value: json.Number("9007199254740993")}, {Value: json.Number("0.1")}, {Value: true}, {Value: false}, {Value: ""}, {Value: "SO"}, {Value: "stra\u00dfe"}, {Value: "\u00e9"},
}

func (g *Generator) textConstraint(c *rules.Constraint) {
	switch g.r.IntN(12) {
	case 11:
		if len(g.Expressions) > 0 {
			c.Expression = pick(g, g.Expressions...)
			if g.chance(30) {
				c.MinLength = ptr(3)
			}
		}
	case 0:
		c.Regex = ptr(pick(g, "^abc$", "b", "(?m)^abc$", "^$", ".", `^[^@]+@example\.com$`))
	case 1:
		c.NotRegex = ptr(pick(g, "admin", "^b", "(?i)bob"))
	case 2:
		c.Match = ptr(pick(g, "abc|bob", "[a-z]*", "(?m)^abc$", "k.*", "b(ob)?|admin", "\u00e9"))
		c.IgnoreCase = g.chance(40)
	case 3:
		c.Enum = some(g, 5, scalars)
		c.IgnoreCase = g.chance(40)
	case 4:
		c.NotEnum = some(g, 5, scalars)
		c.IgnoreCase = g.chance(40)
	case 5:
		c.InList = pick(g, "staff", "staff", "none")
		c.IgnoreCase = g.chance(40)
	case 6:
		c.NotInList = pick(g, "staff", "none")
		c.IgnoreCase = g.chance(40)
	case 7:
		c.MinLength = ptr(g.r.IntN(5))
	case 8:
		c.MaxLength = ptr(pick(g, 0, 1, 2, 3, 7, 256))
	case 9:
		c.Type = pick(g, "string", "number", "boolean")
	case 10: // two checks at once
		c.MinLength, c.NotEnum, c.Type = ptr(1), some(g, 2, scalars[:4]), "string"
	}
}
