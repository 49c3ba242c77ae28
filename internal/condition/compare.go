package condition

import (
	"math"

	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// meter is paid for every step of a comparison: two values that share their
// parts can be small and yet take exponentially long to compare.
type meter struct{ t *cost.Tracker }

func (m *meter) spend(units int) {
	if m.t != nil {
		spendFrom(m.t, units)
	}
}

// equal compares as CEL does: numbers by value, lists and maps by elements,
// and values of different types are different. It returns a Bool or an error.
func equal(m *meter, a, b ref.Val) ref.Val {
	m.spend(1)
	switch a := a.(type) {
	case types.String:
		if b, ok := b.(types.String); ok {
			return types.Bool(a == b)
		}
		return failedOr(b, types.False)
	case types.Int, types.Uint, types.Double:
		if isNumber(b) {
			return equalNumbers(a, b)
		}
		return failedOr(b, types.False)
	case traits.Lister:
		if b, ok := b.(traits.Lister); ok {
			return equalLists(m, a, b)
		}
		return failedOr(b, types.False)
	case traits.Mapper:
		if b, ok := b.(traits.Mapper); ok {
			return equalMaps(m, a, b)
		}
		return failedOr(b, types.False)
	case *types.Err:
		return a
	default:
		if types.IsError(b) {
			return b
		}
		if a.Type() != b.Type() {
			return types.False
		}
		return a.Equal(b)
	}
}

// failedOr returns b where it is an error, else otherwise.
func failedOr(b, otherwise ref.Val) ref.Val {
	if types.IsError(b) {
		return b
	}
	return otherwise
}

func equalLists(m *meter, a, b traits.Lister) ref.Val {
	if a.Size() != b.Size() {
		return types.False
	}
	x, y := a.Iterator(), b.Iterator()
	for x.HasNext() == types.True {
		if eq := equal(m, x.Next(), y.Next()); eq != types.True {
			return eq
		}
	}
	return types.True
}

func equalMaps(m *meter, a, b traits.Mapper) ref.Val {
	if a.Size() != b.Size() {
		return types.False
	}
	for it := a.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		x, _ := a.Find(k)
		y, ok := b.Find(k)
		if !ok {
			return failedOr(k, types.False)
		}
		if eq := equal(m, x, y); eq != types.True {
			return eq
		}
	}
	return types.True
}

// contains reports whether one of the elements of l equals v. It looks from
// left to right and no further than it has to.
func contains(m *meter, v ref.Val, l traits.Lister) ref.Val {
	for it := l.Iterator(); it.HasNext() == types.True; {
		if eq := equal(m, v, it.Next()); eq != types.False {
			return eq
		}
	}
	return types.False
}

func isNumber(v ref.Val) bool {
	switch v.(type) {
	case types.Int, types.Uint, types.Double:
		return true
	default:
		return false
	}
}

func equalNumbers(a, b ref.Val) ref.Val {
	if !commensurable(a, b) {
		return newErr(errInexact)
	}
	return a.Equal(b)
}

// order compares two values of one ordered type, or two numbers. It returns
// an Int below, at or above zero, or an error.
func order(a, b ref.Val) ref.Val {
	if isNumber(a) {
		if !isNumber(b) {
			return newErr(errType)
		}
		if !commensurable(a, b) {
			return newErr(errInexact)
		}
	} else if a.Type() != b.Type() {
		return newErr(errType)
	}
	c, ok := a.(traits.Comparer)
	if !ok {
		return newErr(errType)
	}
	return c.Compare(b)
}

// commensurable reports whether two numbers can be compared without doubt. An
// integer and a double cannot where either is beyond 2^53: there the double
// may stand for another number than the one that was written.
func commensurable(a, b ref.Val) bool {
	x, ok := a.(types.Double)
	if !ok {
		if x, ok = b.(types.Double); !ok {
			return true
		}
		a, b = b, a
	}
	if math.Abs(float64(x)) > exact {
		_, ok := b.(types.Double)
		return ok
	}
	switch b := b.(type) {
	case types.Int:
		return -exact <= b && b <= exact
	case types.Uint:
		return b <= exact
	default:
		return true
	}
}

// concat joins two lists into one that is flat, however many were joined
// before: a chain of joined lists would take longer to read with each link.
func concat(a traits.Lister, other ref.Val) ref.Val {
	b, ok := other.(traits.Lister)
	if !ok {
		return newErr(errType)
	}
	n := int(a.Size().(types.Int) + b.Size().(types.Int))
	if n > MaxList {
		return newErr(errLongList)
	}
	elems := make([]ref.Val, 0, n)
	for _, l := range [...]traits.Lister{a, b} {
		for it := l.Iterator(); it.HasNext() == types.True; {
			v := it.Next()
			if types.IsError(v) {
				return v
			}
			elems = append(elems, v)
		}
	}
	return types.NewRefValList(adapter{}, elems)
}
