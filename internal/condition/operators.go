package condition

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// binary is an operator of two operands.
type binary struct{ l, r plan }

func (b *binary) or(f frame) ref.Val  { return b.decide(f, types.True) }
func (b *binary) and(f frame) ref.Val { return b.decide(f, types.False) }

func (b *binary) decide(f frame, decides types.Bool) ref.Val {
	spend(f, 1)
	l := b.l.Exec(f)
	if v, ok := l.(types.Bool); !ok {
		return notBool(l)
	} else if v == decides {
		return v
	}
	r := b.r.Exec(f)
	if _, ok := r.(types.Bool); !ok {
		return notBool(r)
	}
	return r
}

func notBool(v ref.Val) ref.Val {
	if types.IsError(v) {
		return v
	}
	return newErr(errType)
}

type unary struct{ of plan }

func (u *unary) not(f frame) ref.Val {
	spend(f, 1)
	v := u.of.Exec(f)
	if b, ok := v.(types.Bool); ok {
		return !b
	}
	return notBool(v)
}

// search is startsWith, endsWith or contains. cel-go has them too; here they
// allocate nothing.
type search struct {
	binary
	find func(s, part string) bool
}

func (s *search) exec(f frame) ref.Val {
	l, r, failed := s.operands(f)
	if failed != nil {
		return failed
	}
	text, ok := l.(types.String)
	part, ok2 := r.(types.String)
	if !ok || !ok2 {
		return newErr(errType)
	}
	spend(f, 1+len(text)/32)
	return types.Bool(s.find(string(text), string(part)))
}

// operands evaluates both; where failed is not nil it is the error.
func (b *binary) operands(f frame) (l, r, failed ref.Val) {
	if l = b.l.Exec(f); types.IsError(l) {
		return nil, nil, l
	}
	if r = b.r.Exec(f); types.IsError(r) {
		return nil, nil, r
	}
	return l, r, nil
}

func (b *binary) equal(f frame) ref.Val {
	l, r, failed := b.operands(f)
	if failed != nil {
		return failed
	}
	return equal(&meter{f.CostTracker()}, l, r)
}

func (b *binary) notEqual(f frame) ref.Val {
	v := b.equal(f)
	if eq, ok := v.(types.Bool); ok {
		return !eq
	}
	return v
}

// ordering holds the result for less, equal and greater.
type ordering struct {
	binary
	when [3]types.Bool
}

func (o *ordering) exec(f frame) ref.Val {
	spend(f, 1)
	l, r, failed := o.operands(f)
	if failed != nil {
		return failed
	}
	v := order(l, r)
	if c, ok := v.(types.Int); ok {
		return o.when[c+1]
	}
	return v
}

// add is the operator +. All but numbers and times grow, and are bounded.
func (b *binary) add(f frame) ref.Val {
	spend(f, 1)
	l, r, failed := b.operands(f)
	if failed != nil {
		return failed
	}
	switch x := l.(type) {
	case types.String:
		y, ok := r.(types.String)
		if !ok {
			return newErr(errType)
		}
		if len(x)+len(y) > MaxString {
			return newErr(errLongString)
		}
		spend(f, (len(x)+len(y))/32)
		return x + y
	case types.Bytes:
		if y, ok := r.(types.Bytes); ok && len(x)+len(y) > MaxString {
			return newErr(errLongString)
		}
		spend(f, len(x)/32)
		return x.Add(r)
	case traits.MutableLister: // of a map() or filter(): its own, and in place
		return x.Add(r)
	case traits.Lister:
		spend(f, sizeOf(x)+sizeOf(r))
		return concat(x, r)
	case traits.Adder:
		return x.Add(r)
	default:
		return newErr(errType)
	}
}

func sizeOf(v ref.Val) int {
	if s, ok := v.(traits.Sizer); ok {
		if n, ok := s.Size().(types.Int); ok {
			return int(n)
		}
	}
	return 0
}

// membership is "value in constant list of strings".
type membership struct {
	value plan
	set   map[types.String]struct{}
}

func (m *membership) exec(f frame) ref.Val {
	spend(f, 1)
	v := m.value.Exec(f)
	if s, ok := v.(types.String); ok {
		spend(f, len(s)/32)
		_, ok = m.set[s]
		return types.Bool(ok)
	}
	return failedOr(v, types.False)
}

func planIn(value, in plan) func(frame) ref.Val {
	if c, ok := in.(interpreter.InterpretableConst); ok {
		if set := stringSet(c.Value()); set != nil {
			return (&membership{value, set}).exec
		}
	}
	return (&binary{value, in}).in
}

// stringSet returns the elements of a list of strings, or nil.
func stringSet(v ref.Val) map[types.String]struct{} {
	l, ok := v.(traits.Lister)
	if !ok {
		return nil
	}
	set := make(map[types.String]struct{})
	for it := l.Iterator(); it.HasNext() == types.True; {
		s, ok := it.Next().(types.String)
		if !ok {
			return nil
		}
		set[s] = struct{}{}
	}
	return set
}

func (b *binary) in(f frame) ref.Val {
	spend(f, 1)
	v, c, failed := b.operands(f)
	if failed != nil {
		return failed
	}
	switch c := c.(type) {
	case traits.Lister:
		return contains(&meter{f.CostTracker()}, v, c)
	case traits.Mapper:
		if s, ok := v.(types.String); ok {
			spend(f, len(s)/32)
		}
		return c.Contains(v)
	default:
		return newErr(errType)
	}
}
