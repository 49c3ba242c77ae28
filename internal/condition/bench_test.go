package condition

import (
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
)

var benchArgs = map[string]any{
	"amount": 250.0, "currency": "EUR", "to": "ann@example.com", "dryRun": false,
	"items": []any{"a", "b", "c", "d", "e", "f", "g", "h"},
	"meta":  map[string]any{"team": "support", "level": 3.0},
}

var benchSources = []struct{ name, source string }{
	{"compare", `args.amount > 100 && args.currency == "EUR"`},
	{"nested", `args.meta.team == "support" && args.meta.level >= 2 || tool == "x"`},
	{"strings", `args.to.endsWith("@example.com") && tool.startsWith("mail.")`},
	{"regex", `args.to.matches("^[a-z]+@example[.]com$")`},
	{"loop", `args.items.all(x, x != "z")`},
	{"set", `args.currency in ["EUR", "USD", "GBP"] && !has(args.cc)`},
}

// BenchmarkEval compares an evaluation with a bare program of cel-go for the
// same expression, whose variables are Go maps.
func BenchmarkEval(b *testing.B) {
	for _, s := range benchSources {
		b.Run(s.name+"/veto", func(b *testing.B) {
			var args value.Tree
			require.Equal(b, value.OK, args.SetGo(benchArgs, value.DefaultLimits))
			in := &Input{Args: &args, Tool: "mail.send", Agent: "a", Now: time.Unix(1e9, 0)}
			c, err := NewEnv(nil).Compile(s.source, When)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := c.Eval(in); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
		})
		b.Run(s.name+"/bare", func(b *testing.B) {
			env, err := cel.NewEnv(cel.Variable("args", object), cel.Variable("tool", cel.StringType),
				cel.CrossTypeNumericComparisons(true))
			require.NoError(b, err)
			checked, issues := env.Compile(s.source)
			require.NoError(b, issues.Err())
			prog, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
			require.NoError(b, err)
			vars := map[string]any{"args": benchArgs, "tool": "mail.send"}
			b.ReportAllocs()
			for b.Loop() {
				if v, _, err := prog.Eval(vars); err != nil || v.Value() != true {
					b.Fatal(v, err)
				}
			}
		})
	}
}
