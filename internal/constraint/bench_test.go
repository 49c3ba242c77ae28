package constraint

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// mixed is eight constraints of many kinds and parameters that pass them.
func mixed(t testing.TB) (*Set, *Scope) {
	set := compileSet(t, map[string]rules.Constraint{
		"to": {EmailDomains: []string{"example.com"}}, "path": {Within: []string{"/srv/data"}},
		"url": {Hosts: []string{"*.example.com"}}, "amount": {Min: number("0"), Max: number("100")},
		"currency": {Enum: scalars("EUR", "USD")}, "note": {MaxLength: count(100)},
		"ref": {Match: text("[A-Z]{2}-[0-9]{4}")}, "urgent": {MustBe: boolean(false)},
	})
	tree := new(value.Tree)
	require.Equal(t, value.OK, tree.SetGo(map[string]any{
		"to": "ann@example.com", "path": "/srv/data/a.txt", "url": "https://api.example.com/v1", "amount": 42,
		"currency": "EUR", "note": "thanks", "ref": "AB-1234", "urgent": false,
	}, value.DefaultLimits))
	return set, &Scope{Args: tree}
}

func BenchmarkEval(b *testing.B) {
	set, scope := mixed(b)
	for b.Loop() {
		scope.Reset()
		set.Eval(scope, false)
	}
}

// BenchmarkByHand is what a program would write in place of BenchmarkEval's
// eight constraints, with the same regard to what is absent or mistyped.
func BenchmarkByHand(b *testing.B) {
	set, scope := mixed(b)
	require.Equal(b, Pass, set.Eval(scope, false).Verdict)
	t := scope.Args
	ref := compileRegex(b, "[A-Z]{2}-[0-9]{4}", true)
	get := func(key string, kind value.Kind) *value.Node {
		if i := t.Member(value.Root, key); i != value.None && t.Nodes[i].Kind == kind {
			return &t.Nodes[i]
		}
		b.Fatal(key)
		return nil
	}
	for b.Loop() {
		domain, ok := emailDomain(get("to", value.String).Text)
		ok = ok && domain == "example.com"
		ok = ok && Within(get("path", value.String).Text, "/srv/data")
		a, isURL := parseURL(get("url", value.String).Text, false)
		ok = ok && isURL && a.port == 443 && strings.HasSuffix(a.host, ".example.com")
		n := int64(get("amount", value.Number).Bits)
		ok = ok && 0 <= n && n <= 100
		c := get("currency", value.String).Text
		ok = ok && (c == "EUR" || c == "USD")
		ok = ok && len(get("note", value.String).Text) <= 100
		ok = ok && ref.re.MatchString(get("ref", value.String).Text)
		ok = ok && get("urgent", value.Bool).Bits == 0
		if !ok {
			b.Fatal("refused")
		}
	}
}
