package constraint

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// evalGo evaluates parameters as a Go program passes them. What is no input at
// all is Hard: the call is refused before any constraint sees it.
func evalGo(t testing.TB, set *Set, args map[string]any, soft bool) Verdict {
	t.Helper()
	var tree value.Tree
	if tree.SetGo(args, value.DefaultLimits) != value.OK {
		require.True(t, tree.Empty())
		return Hard
	}
	return set.Eval(&Scope{Args: &tree}, soft).Verdict
}

// A limit on an amount must not be passed by an amount that cannot be compared
// with it, nor be put to a human.
// (https://github.com/cedar-policy/cedar/issues/2428: a forbid that errs is
// skipped.)
func TestAttack_A1_MissingArgument(t *testing.T) {
	wrong := map[string]any{
		"null": nil, "text": "500", "array": []any{500}, "object": map[string]any{}, "true": true,
		"NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1), "float32 NaN": float32(math.NaN()),
		"nil pointer": (*int)(nil), "nil big.Int": (*big.Int)(nil), "empty number": json.Number("x"), "NaN text": json.Number("NaN"),
		"quoted": json.RawMessage(`"500"`), "bytes": []byte("500"),
	}
	tooMuch := map[string]any{
		"int": 501, "int8": int8(101), "int32": int32(501), "int64": int64(501), "uint64": uint64(math.MaxUint64), "uint8": uint8(255),
		"float64": 500.5, "float32": float32(500.5), "json.Number": json.Number("5.01e2"), "big.Int": new(big.Int).Lsh(big.NewInt(1), 100),
		"raw": json.RawMessage("501"),
	}
	enough := map[string]any{"int": 100, "uint64": uint64(100), "float32": float32(0.5), "json.Number": json.Number("1e2"), "big.Int": big.NewInt(-3)}
	for name, c := range map[string]rules.Constraint{
		"max": {Max: number("100")}, "lessThan": {LessThan: number("100.5")}, "optional": {Max: number("100"), Optional: true},
	} {
		set := compileSet(t, map[string]rules.Constraint{"amount": c})
		for _, soft := range []bool{false, true} {
			for what, v := range wrong {
				require.Equal(t, Hard, evalGo(t, set, map[string]any{"amount": v}, soft), "%s: %s", name, what)
			}
			for what, v := range tooMuch {
				require.Equal(t, Violated, evalGo(t, set, map[string]any{"amount": v}, soft), "%s: %s", name, what)
			}
			for what, v := range enough {
				require.Equal(t, Pass, evalGo(t, set, map[string]any{"amount": v}, soft), "%s: %s", name, what)
			}
			if !c.Optional {
				require.Equal(t, Hard, evalGo(t, set, map[string]any{}, soft), name)
				require.Equal(t, Hard, evalGo(t, set, nil, soft), name)
				require.Equal(t, Hard, evalGo(t, set, map[string]any{"Amount": 1, " amount": 1}, soft), name)
			}
		}
	}
}

// Numbers compare as they are written, not as floats.
func TestAttack_A2_ExactNumbers(t *testing.T) {
	set := compileSet(t, map[string]rules.Constraint{"n": {Max: number("9007199254740992")}})
	for v, want := range map[any]Verdict{
		int64(1 << 53): Pass, int64(1<<53 + 1): Violated, uint64(1<<53 + 1): Violated, float64(1 << 53): Pass,
		json.Number("9007199254740992.0"): Pass, json.Number("9007199254740992.000000000000001"): Violated, json.Number("9007199254740993"): Violated,
		json.Number("18446744073709551617"): Violated, json.Number("-18446744073709551617"): Pass,
		json.Number("1e400"): Hard, json.Number("1e300"): Violated,
	} {
		require.Equal(t, want, evalGo(t, set, map[string]any{"n": v}, false), "%v", v)
	}
	zero := compileSet(t, map[string]rules.Constraint{"n": {GreaterThan: number("0")}})
	for _, v := range []any{0, math.Copysign(0, -1), json.Number("-0"), json.Number("0e5"), json.Number("-0.000")} {
		require.Equal(t, Violated, evalGo(t, zero, map[string]any{"n": v}, false), "%v", v)
	}
}

// One number is one number in an enum, whatever kind it came in.
func TestAttack_A3_EnumAcrossKinds(t *testing.T) {
	in := compileSet(t, map[string]rules.Constraint{"n": {Enum: scalars(json.Number("100"), json.Number("0.5"))}})
	out := compileSet(t, map[string]rules.Constraint{"n": {NotEnum: scalars(json.Number("100"), json.Number("0.5"))}})
	for _, v := range []any{
		100, int8(100), int64(100), uint(100), uint64(100), 100.0, float32(100), json.Number("100"), json.Number("1e2"), json.Number("100.0"),
		big.NewInt(100), json.RawMessage("1.0e2"), 0.5, float32(0.5), json.Number("5e-1"),
	} {
		require.Equal(t, Pass, evalGo(t, in, map[string]any{"n": v}, false), "%T %v", v, v)
		require.Equal(t, Violated, evalGo(t, out, map[string]any{"n": v}, false), "%T %v", v, v)
	}
	for _, v := range []any{"100", true, []any{100}, map[string]any{"n": 100}, nil} {
		require.Equal(t, Hard, evalGo(t, in, map[string]any{"n": v}, false), "%T %v", v, v)
		require.Equal(t, Hard, evalGo(t, out, map[string]any{"n": v}, false), "%T %v: wrapped, it is no other value", v, v)
	}
}

// Empty, missing and null are three things, for every check there is.
func TestAttack_A4_AbsentArgument(t *testing.T) {
	for name, c := range map[string]rules.Constraint{
		"presence": {}, "regex": {Regex: text("^$|x")}, "notRegex": {NotRegex: text("x")}, "match": {Match: text("x?")}, "type": {Type: "string"},
		"enum": {Enum: scalars("")}, "notEnum": {NotEnum: scalars("x")}, "notInList": {NotInList: "staff"}, "maxLength": {MaxLength: count(0)},
	} {
		for _, soft := range []bool{false, true} {
			plain := compileSet(t, map[string]rules.Constraint{"p": c})
			require.Equal(t, Pass, evalGo(t, plain, map[string]any{"p": ""}, soft), name)
			require.Equal(t, Hard, evalGo(t, plain, map[string]any{"p": nil}, soft), name)
			require.Equal(t, Hard, evalGo(t, plain, map[string]any{"q": ""}, soft), name)

			c.Optional = true
			optional := compileSet(t, map[string]rules.Constraint{"p": c})
			require.Equal(t, Hard, evalGo(t, optional, map[string]any{"p": nil}, soft), name)
			require.Equal(t, Pass, evalGo(t, optional, map[string]any{"q": ""}, soft), name)
			require.Equal(t, Pass, evalGo(t, optional, nil, soft), name)

			c.Optional, c.Nullable = false, true
			nullable := compileSet(t, map[string]rules.Constraint{"p": c})
			require.Equal(t, Pass, evalGo(t, nullable, map[string]any{"p": nil}, soft), name)
			require.Equal(t, Hard, evalGo(t, nullable, map[string]any{"q": ""}, soft), name)
			c.Nullable = false
		}
	}
}

// A violation that a human could approve must not hide an error behind it.
func TestAttack_A6_ViolationHidesNoError(t *testing.T) {
	set := compileSet(t, map[string]rules.Constraint{"p": {Max: number("5"), Expression: "args.missing == value"}})
	for _, soft := range []bool{false, true} {
		require.Equal(t, Result{Failed, "p"}, eval(t, set, `{"p":9}`, soft))
		require.Equal(t, Result{Failed, "p"}, eval(t, set, `{"p":1}`, soft))
	}
}
