package condition

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// twins are the functions on strings once more, the slow and obvious way: on
// slices of code points, with no bound. They say what cel-go's extension of
// that name does, which would add a module to ours.
var twins = map[string]func(s []rune, a []any) any{
	"charAt": func(s []rune, a []any) any {
		i := a[0].(int64)
		switch {
		case i < 0 || i > int64(len(s)):
			return nil
		case i == int64(len(s)):
			return ""
		}
		return string(s[i])
	},
	"indexOf": func(s []rune, a []any) any {
		sub, from := []rune(a[0].(string)), int64(0)
		if len(a) > 1 {
			from = a[1].(int64)
		}
		if from < 0 {
			return nil
		}
		for i := min(from, int64(len(s))); i <= int64(len(s)); i++ {
			if hasPrefix(s[i:], sub) {
				return i
			}
		}
		return int64(-1)
	},
	"lastIndexOf": func(s []rune, a []any) any {
		sub, from := []rune(a[0].(string)), int64(len(s))
		if len(a) > 1 {
			from = a[1].(int64)
			if from < 0 {
				return nil
			}
			if from >= int64(len(s)) && len(sub) > 0 {
				return int64(-1)
			}
		}
		for i := min(from, int64(len(s))); i >= 0; i-- {
			if hasPrefix(s[i:], sub) {
				return i
			}
		}
		return int64(-1)
	},
	"lowerAscii": func(s []rune, _ []any) any { return mapRunes(s, 'A', 'Z', +32) },
	"upperAscii": func(s []rune, _ []any) any { return mapRunes(s, 'a', 'z', -32) },
	"replace": func(s []rune, a []any) any {
		n := int64(-1)
		if len(a) > 2 {
			n = a[2].(int64)
		}
		return strings.Replace(string(s), a[0].(string), a[1].(string), int(n))
	},
	"split": func(s []rune, a []any) any {
		n := int64(-1)
		if len(a) > 1 {
			n = a[1].(int64)
		}
		parts := strings.SplitN(string(s), a[0].(string), int(n))
		if parts == nil {
			return []string{}
		}
		return parts
	},
	"substring": func(s []rune, a []any) any {
		start, end := a[0].(int64), int64(len(s))
		if len(a) > 1 {
			end = a[1].(int64)
		}
		if start < 0 || end < start || end > int64(len(s)) {
			return nil
		}
		return string(s[start:end])
	},
	"trim": func(s []rune, _ []any) any { return strings.TrimSpace(string(s)) },
	"reverse": func(s []rune, _ []any) any {
		s = slices.Clone(s)
		slices.Reverse(s)
		return string(s)
	},
}

func hasPrefix(s, prefix []rune) bool {
	return len(s) >= len(prefix) && slices.Equal(s[:len(prefix)], prefix)
}

func mapRunes(s []rune, lo, hi rune, by rune) string {
	s = slices.Clone(s)
	for i, r := range s {
		if lo <= r && r <= hi {
			s[i] += by
		}
	}
	return string(s)
}

// twinFunctions declares the twins for a bare environment of cel-go.
func twinFunctions() (opts []cel.EnvOption) {
	s, n := cel.StringType, cel.IntType
	for name, sig := range map[string]struct {
		args   [][]*cel.Type
		result *cel.Type
	}{
		"charAt": {[][]*cel.Type{{n}}, s}, "indexOf": {[][]*cel.Type{{s}, {s, n}}, n},
		"lastIndexOf": {[][]*cel.Type{{s}, {s, n}}, n}, "lowerAscii": {[][]*cel.Type{{}}, s},
		"upperAscii": {[][]*cel.Type{{}}, s}, "replace": {[][]*cel.Type{{s, s}, {s, s, n}}, s},
		"split": {[][]*cel.Type{{s}, {s, n}}, cel.ListType(s)}, "substring": {[][]*cel.Type{{n}, {n, n}}, s},
		"trim": {[][]*cel.Type{{}}, s}, "reverse": {[][]*cel.Type{{}}, s},
	} {
		for i, a := range sig.args {
			a = append([]*cel.Type{s}, a...)
			opts = append(opts, cel.Function(name, cel.MemberOverload(fmt.Sprint(name, i), a, sig.result,
				binding(len(a), func(a ...ref.Val) ref.Val { return twinCall(name, a) }))))
		}
	}
	join := func(a ...ref.Val) ref.Val {
		list, err := a[0].ConvertToNative(stringsType)
		if err != nil {
			return types.WrapErr(err)
		}
		sep := ""
		if len(a) > 1 {
			sep = string(a[1].(types.String))
		}
		return types.String(strings.Join(list.([]string), sep))
	}
	return append(opts, cel.Function("join",
		cel.MemberOverload("join0", []*cel.Type{cel.ListType(s)}, s, binding(1, join)),
		cel.MemberOverload("join1", []*cel.Type{cel.ListType(s), s}, s, binding(2, join))))
}

func twinCall(name string, a []ref.Val) ref.Val {
	args := make([]any, 0, len(a))
	for _, v := range a[1:] {
		args = append(args, v.Value())
	}
	v := twins[name]([]rune(a[0].Value().(string)), args)
	if v == nil {
		return types.NewErr("out of range")
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

var stringsType = reflect.TypeFor[[]string]()
