package condition

import (
	"math"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/internal/value"
)

// exact is the bound up to which every integer is a float64.
const exact = 1 << 53

// number converts by value and not by form: what is an integer, 1e2 and 100.0
// too, is an int where it fits int64, else a uint where it fits uint64; any
// other number is a double.
func (in *Input) number(n *value.Node) ref.Val {
	switch n.Form {
	case value.IntForm:
		return types.Int(n.Bits)
	case value.UintForm:
		return types.Uint(n.Bits)
	case value.Float64Form:
		f := math.Float64frombits(n.Bits)
		if f != math.Trunc(f) {
			return types.Double(f)
		}
		if math.Abs(f) < exact {
			return types.Int(f)
		}
	}
	// The text decides: it has more digits than a float, or fewer.
	var buf [32]byte
	text := n.Text
	if n.Form != value.TextForm {
		text = string(n.AppendNumber(buf[:0]))
	}
	in.spend(len(text) / 16)
	return parseNumber(text)
}

func parseNumber(text string) ref.Val {
	floor, whole, side := decimal.Floor(text)
	switch {
	case whole && side == 0:
		return types.Int(floor)
	case side > 0 && decimal.IsInteger(text) && decimal.Compare(text, maxUint) <= 0:
		// Below 1e21 the canonical text has neither point nor exponent.
		u, err := strconv.ParseUint(string(decimal.Canonical(nil, text)), 10, 64)
		if err == nil {
			return types.Uint(u)
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return newErr(errRange)
	}
	return types.Double(f)
}

const maxUint = "18446744073709551615"
