package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"github.com/open-policy-agent/opa/v1/rego"
)

// The constraint-heavy workload: one tool with eight constraints of as many
// kinds. Cedar has no way to parse addresses or clean paths, and casbin would
// call the hand-written check: they are left out.
const heavyPolicy = `{"policies":[{"id":"p","agentId":"bot","rules":[
	{"type":"parameter_constraint","tools":["order"],"parameters":{
		"amount":{"min":0,"max":100},
		"currency":{"enum":["EUR","USD","GBP"]},
		"note":{"maxLength":100},
		"path":{"within":["/srv/data"]},
		"ref":{"match":"[A-Z]{2}-[0-9]{4}"},
		"to":{"emailDomains":["example.com"]},
		"urgent":{"mustBe":false},
		"url":{"hosts":["*.example.com"]}}}]}]}`

func heavyCall() map[string]any {
	return map[string]any{
		"amount": int64(42), "currency": "EUR", "note": "thank you", "path": "/srv/data/2026/a.txt",
		"ref": "AB-1234", "to": "ann@example.com", "urgent": false, "url": "https://api.example.com/v1/orders",
	}
}

var heavyRef = regexp.MustCompile(`^[A-Z]{2}-[0-9]{4}$`)

// heavyHand is the same by hand, with the standard library.
func heavyHand(p map[string]any) bool {
	amount, ok := p["amount"].(int64)
	if !ok || amount < 0 || amount > 100 {
		return false
	}
	switch currency, _ := p["currency"].(string); currency {
	case "EUR", "USD", "GBP":
	default:
		return false
	}
	note, ok := p["note"].(string)
	if !ok || len([]rune(note)) > 100 {
		return false
	}
	file, ok := p["path"].(string)
	if !ok || strings.Contains(file, "..") || !strings.HasPrefix(path.Clean(file)+"/", "/srv/data/") {
		return false
	}
	ref, ok := p["ref"].(string)
	if !ok || !heavyRef.MatchString(ref) {
		return false
	}
	to, ok := p["to"].(string)
	if local, domain, found := strings.Cut(to, "@"); !ok || !found || local == "" || domain != "example.com" {
		return false
	}
	if urgent, ok := p["urgent"].(bool); !ok || urgent {
		return false
	}
	raw, ok := p["url"].(string)
	if !ok {
		return false
	}
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil && u.Port() == "" &&
		strings.HasSuffix(u.Hostname(), ".example.com")
}

// heavy prints the table of the constraint-heavy workload.
func (b *bench) heavy() {
	b.title(os.Stdout, "One call with eight constraints (number, enum, length, path, pattern, address, boolean, URL), allowed")
	a := load([]byte(heavyPolicy))
	ctx := context.Background()

	env, err := cel.NewEnv(cel.Variable("args", cel.MapType(cel.StringType, cel.DynType)))
	must(err)
	ast, iss := env.Compile(`args.amount >= 0 && args.amount <= 100 && args.currency in ["EUR", "USD", "GBP"] && size(args.note) <= 100 &&
		args.path.startsWith("/srv/data/") && !args.path.contains("..") && args.ref.matches("^[A-Z]{2}-[0-9]{4}$") &&
		args.to.endsWith("@example.com") && args.urgent == false && args.url.matches("^https?://[a-z.]+[.]example[.]com/")`)
	must(iss.Err())
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	must(err)

	query, err := rego.New(rego.Query("data.heavy.allow"), rego.Module("heavy.rego", `package heavy
import rego.v1
default allow := false
allow if {
	input.amount >= 0
	input.amount <= 100
	input.currency in {"EUR", "USD", "GBP"}
	count(input.note) <= 100
	startswith(input.path, "/srv/data/")
	not contains(input.path, "..")
	regex.match("^[A-Z]{2}-[0-9]{4}$", input.ref)
	endswith(input.to, "@example.com")
	input.urgent == false
	regex.match("^https?://[a-z.]+[.]example[.]com/", input.url)
}`)).PrepareForEval(ctx)
	must(err)

	args := heavyCall()
	engines := []engine{
		{"hand-written", func(*call) bool { return stamp(args) && heavyHand(args) }},
		{"veto", func(*call) bool { _, err := a.Authorize(ctx, "bot", "order", args); return err == nil }},
		{"cel-go", func(*call) bool {
			out, _, err := program.Eval(map[string]any{"args": args})
			return err == nil && out.Value() == true
		}},
		{"OPA", func(*call) bool {
			results, err := query.Eval(ctx, rego.EvalInput(args))
			return err == nil && results.Allowed()
		}},
	}
	var fs []func()
	for _, e := range engines {
		if !e.decide(nil) {
			panic(e.name + " does not allow the call")
		}
		fs = append(fs, func() { e.decide(nil) })
	}
	ns := times(b.rounds, fs...)
	b.row("engine\tns\t×\tallocs")
	for i, e := range engines {
		b.row("%s\t%.0f\t%.2f\t%.0f", e.name, ns[i], ns[i]/ns[0], allocs(fs[i]))
	}
	b.out.Flush()
	b.bar(ns[1] <= 3*ns[0], "eight constraints: %.2f× hand-written, want 3", ns[1]/ns[0])
	b.bar(allocs(fs[1]) == 0, "eight constraints allocate")
	b.conditions()
}

// conditions compares what a condition adds to a decision with the same
// expression in bare cel-go.
func (b *bench) conditions() {
	b.title(os.Stdout, "What a condition (when) adds to a decision, beside the same expression in bare cel-go")
	b.row("expression\tcel-go ns\tdecision without\twith\tthe difference ×")
	env, err := cel.NewEnv(cel.Variable("args", cel.MapType(cel.StringType, cel.DynType)))
	must(err)
	ctx := context.Background()
	var lines []any
	for i := range 8 {
		lines = append(lines, map[string]any{"name": fmt.Sprint("item ", i), "price": int64(5 * i)})
	}
	for _, c := range []struct {
		source string
		lines  any
	}{
		{`args.amount <= 100`, nil},
		{`args.amount <= 100 && args.currency in ["EUR", "USD"] && args.to.endsWith("@example.com")`, nil},
		{`args.ref.matches("^[A-Z]{2}-[0-9]{4}$") || args.amount < 10`, nil},
		{`args.lines.all(l, l.price < 50 && l.name.startsWith("item"))`, lines},
	} {
		source := c.source
		ast, iss := env.Compile(source)
		must(iss.Err())
		program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
		must(err)
		args := heavyCall()
		if c.lines != nil {
			args["lines"] = c.lines
		}
		decide := func(when string) func() {
			a := load(fmt.Appendf(nil,
				`{"policies":[{"id":"p","agentId":"bot","rules":[{"type":"tool_allowlist","tools":["order"]%s}]}]}`, when))
			return func() {
				_, err := a.Authorize(ctx, "bot", "order", args)
				must(err)
			}
		}
		ns := times(b.rounds, func() {
			if out, _, err := program.Eval(map[string]any{"args": args}); err != nil || out.Value() != true {
				panic(source)
			}
		}, decide(""), decide(fmt.Sprintf(`,"when":%q`, source)))
		ratio := (ns[2] - ns[1]) / ns[0]
		b.row("%s\t%.0f\t%.0f\t%.0f\t%.2f", source, ns[0], ns[1], ns[2], ratio)
		b.bar(ratio <= 2, "condition %s: %.2f× bare cel-go, want 2", source, ratio)
	}
	b.out.Flush()
}
