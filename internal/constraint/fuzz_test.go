package constraint

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// FuzzConstraint compares plain names with an oracle over encoding/json, and
// asks of every name: no panic, one answer, and the same yes whether or not
// violations may be put to a human.
func FuzzConstraint(f *testing.F) {
	f.Add("to", `{"to":"ann@example.com"}`, `^[^@]+@example\.com$`, "", uint8(0))
	f.Add("n", `{"n":1e2}`, "", "100", uint8(1))
	f.Add("n", `{"n":"100"}`, "", "1e2", uint8(3))
	f.Add("/to/*/email", `{"to":[{"email":"a"},{}]}`, "a", "", uint8(1))
	f.Add("/a~1b/0", `{"a/b":["x",null]}`, "x", "", uint8(2))
	f.Add("p", `{"P":1}`, "", "", uint8(0))
	f.Add("p", `{}`, "x", "", uint8(16))
	f.Fuzz(func(t *testing.T, name, args, re, bound string, bits uint8) {
		c := rules.Constraint{Optional: bits&1 != 0, Nullable: bits&2 != 0}
		if bits&4 != 0 {
			c.Type = "integer"
		}
		if n := json.Number(bound); bound != "" {
			c.Max = &n
		}
		if re != "" {
			c.Regex = &re
		}
		if bits&8 != 0 && c.Max != nil {
			c.Enum = []rules.Scalar{{Value: *c.Max}}
		}
		params := map[string]rules.Constraint{name: c}
		if len(rules.Validate(&rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{{
			Type: rules.ParameterConstraint, Tools: []string{"t"}, Parameters: params,
		}}}}})) > 0 {
			t.Skip()
		}
		set, faults := Compile(params, &Env{})
		if len(faults) > 0 {
			if c.Regex == nil || c.Max == nil && c.Type == "" {
				t.Fatal(faults)
			}
			return
		}
		var tree value.Tree
		if tree.SetGo(json.RawMessage(args), value.DefaultLimits) != value.OK {
			t.Skip()
		}
		got := set.Eval(&Scope{Args: &tree}, false).Verdict
		if soft := set.Eval(&Scope{Args: &tree}, true).Verdict; soft != got {
			t.Fatalf("one parameter, two verdicts: %v and %v", got, soft)
		}
		if !strings.HasPrefix(name, "/") {
			if want := oracle(t, name, args, c); got != want {
				t.Fatalf("%+v on %s: %v, want %v", c, args, got, want)
			}
		}
	})
}

func oracle(t *testing.T, name, args string, c rules.Constraint) Verdict {
	var m map[string]any
	if args != "" {
		d := json.NewDecoder(bytes.NewReader([]byte(args)))
		d.UseNumber()
		if err := d.Decode(&m); err != nil {
			t.Skip()
		}
	}
	v, present := m[name]
	switch {
	case !present && c.Optional, present && v == nil && c.Nullable:
		return Pass
	case v == nil:
		return Hard
	}
	result := Pass
	check := func(ok bool) {
		if !ok {
			result = Violated
		}
	}
	if c.Regex != nil {
		s, isText := v.(string)
		if !isText {
			return Hard
		}
		if !utf8.ValidString(s) || len(s) > 900 {
			t.Skip() // the bound on work is tested elsewhere
		}
		check(regexp.MustCompile(*c.Regex).MatchString(s))
	}
	if c.Max != nil || c.Type != "" {
		n, isNumber := v.(json.Number)
		if !isNumber {
			return Hard
		}
		if len(n) > 300 || hugeExponent(string(n)) || c.Max != nil && hugeExponent(string(*c.Max)) {
			t.Skip() // for math/big
		}
		x, _ := new(big.Rat).SetString(string(n))
		if c.Type != "" && !x.IsInt() {
			return Hard
		}
		if c.Max != nil {
			y, _ := new(big.Rat).SetString(string(*c.Max))
			check(x.Cmp(y) <= 0)
			check(c.Enum == nil || x.Cmp(y) == 0)
		}
	}
	return result
}

func hugeExponent(s string) bool {
	i := strings.IndexAny(s, "eE")
	return i >= 0 && len(s)-i > 5
}
