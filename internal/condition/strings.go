package condition

import (
	"math"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// library declares the functions that CEL's standard library lacks. Those on
// strings are cel-go's "strings" extension, as far as it can be bounded, with
// the same results and an implementation of its own: that of cel-go takes
// time in proportion to the product of two lengths, and makes strings of any
// size. There is no format and no quote. Positions count code points.
type library struct{}

// CompileOptions implements cel.Library.
func (library) CompileOptions() []cel.EnvOption {
	str, num := cel.StringType, cel.IntType
	strs := cel.ListType(str)
	type args = []*cel.Type
	on := func(id string, a args, result *cel.Type, f func(a ...ref.Val) ref.Val) cel.FunctionOpt {
		return cel.MemberOverload(id, a, result, binding(len(a), f))
	}
	return []cel.EnvOption{
		cel.Function("charAt", on("string_char_at_int", args{str, num}, str, charAt)),
		cel.Function("indexOf",
			on("string_index_of_string", args{str, str}, num, indexOf),
			on("string_index_of_string_int", args{str, str, num}, num, indexOf)),
		cel.Function("lastIndexOf",
			on("string_last_index_of_string", args{str, str}, num, lastIndexOf),
			on("string_last_index_of_string_int", args{str, str, num}, num, lastIndexOf)),
		cel.Function("lowerAscii", on("string_lower_ascii", args{str}, str, lowerASCII)),
		cel.Function("upperAscii", on("string_upper_ascii", args{str}, str, upperASCII)),
		cel.Function("replace",
			on("string_replace_string_string", args{str, str, str}, str, replace),
			on("string_replace_string_string_int", args{str, str, str, num}, str, replace)),
		cel.Function("split",
			on("string_split_string", args{str, str}, strs, split),
			on("string_split_string_int", args{str, str, num}, strs, split)),
		cel.Function("substring",
			on("string_substring_int", args{str, num}, str, substring),
			on("string_substring_int_int", args{str, num, num}, str, substring)),
		cel.Function("trim", on("string_trim", args{str}, str, trim)),
		cel.Function("reverse", on("string_reverse", args{str}, str, reverse)),
		cel.Function("join",
			on("list_join", args{strs}, str, join),
			on("list_join_string", args{strs, str}, str, join)),

		cel.Function(fnHost, cel.Overload("veto_host", args{str}, str)),
		cel.Function(fnEmailDomain, cel.Overload("veto_email_domain", args{str}, str)),
		cel.Function(fnWithin, cel.Overload("veto_within", args{str, str}, cel.BoolType)),
		cel.Function(fnInList, cel.Overload("veto_in_list", args{str, str}, cel.BoolType)),
	}
}

// ProgramOptions implements cel.Library.
func (library) ProgramOptions() []cel.ProgramOption { return nil }

// binding makes the binding of the right arity, which is the faster one.
func binding(n int, f func(a ...ref.Val) ref.Val) cel.OverloadOpt {
	switch n {
	case 1:
		return cel.UnaryBinding(func(a ref.Val) ref.Val { return f(a) })
	case 2:
		return cel.BinaryBinding(func(a, b ref.Val) ref.Val { return f(a, b) })
	default:
		return cel.FunctionBinding(f)
	}
}

// str and num read operands, whose types cel-go has checked.
func str(v ref.Val) string { return string(v.(types.String)) }

func num(v ref.Val) int64 { return int64(v.(types.Int)) }

// offset is the byte offset of code point n of s, len(s) for the one just
// past the last; false where n is further out.
func offset(s string, n int64) (int, bool) {
	if n < 0 {
		return 0, false
	}
	for i := range s {
		if n == 0 {
			return i, true
		}
		n--
	}
	return len(s), n == 0
}

func charAt(a ...ref.Val) ref.Val {
	s := str(a[0])
	i, ok := offset(s, num(a[1]))
	if !ok {
		return newErr(errRange)
	}
	_, size := utf8.DecodeRuneInString(s[i:])
	return types.String(s[i : i+size])
}

func indexOf(a ...ref.Val) ref.Val {
	s, sub, from := str(a[0]), str(a[1]), int64(0)
	if len(a) > 2 {
		from = num(a[2])
	}
	if from < 0 {
		return newErr(errRange)
	}
	start, ok := offset(s, from)
	if !ok {
		start, from = len(s), int64(utf8.RuneCountInString(s))
	}
	if sub == "" {
		return types.Int(from)
	}
	i := strings.Index(s[start:], sub)
	if i < 0 {
		return types.Int(-1)
	}
	return types.Int(from + int64(utf8.RuneCountInString(s[start:start+i])))
}

func lastIndexOf(a ...ref.Val) ref.Val {
	s, sub := str(a[0]), str(a[1])
	end, from := len(s), int64(-1)
	if len(a) > 2 {
		if from = num(a[2]); from < 0 {
			return newErr(errRange)
		}
		i, ok := offset(s, from)
		switch {
		case sub == "":
			return types.Int(min(from, int64(utf8.RuneCountInString(s))))
		case !ok || i == len(s):
			return types.Int(-1) // cel-go does not look at all from there
		}
		end = min(i+len(sub), len(s))
	}
	i := strings.LastIndex(s[:end], sub)
	if i < 0 {
		return types.Int(-1)
	}
	return types.Int(utf8.RuneCountInString(s[:i]))
}

func lowerASCII(a ...ref.Val) ref.Val { return mapASCII(str(a[0]), 'A', 'Z') }

func upperASCII(a ...ref.Val) ref.Val { return mapASCII(str(a[0]), 'a', 'z') }

// mapASCII changes the case of the letters from lo to hi.
func mapASCII(s string, lo, hi byte) ref.Val {
	b := []byte(s)
	for i, c := range b {
		if lo <= c && c <= hi {
			b[i] = c ^ 0x20
		}
	}
	return types.String(b)
}

func replace(a ...ref.Val) ref.Val {
	s, old, with, limit := str(a[0]), str(a[1]), str(a[2]), -1
	if len(a) > 3 {
		limit = small(num(a[3]))
	}
	n := strings.Count(s, old)
	if limit >= 0 {
		n = min(n, limit)
	}
	if len(s)+n*(len(with)-len(old)) > MaxString {
		return newErr(errLongString)
	}
	return types.String(strings.Replace(s, old, with, n))
}

func split(a ...ref.Val) ref.Val {
	s, sep, limit := str(a[0]), str(a[1]), -1
	if len(a) > 2 {
		limit = small(num(a[2]))
	}
	n := strings.Count(s, sep) + 1
	if sep == "" {
		n = utf8.RuneCountInString(s)
	}
	if limit >= 0 {
		n = min(n, limit)
	}
	if n > MaxList {
		return newErr(errLongList)
	}
	parts := strings.SplitN(s, sep, n)
	elems := make([]ref.Val, len(parts))
	for i, p := range parts {
		elems[i] = types.String(p)
	}
	return types.NewRefValList(adapter{}, elems)
}

// small makes an int of any number, keeping its sense.
func small(n int64) int { return int(max(-1, min(n, math.MaxInt32))) }

func substring(a ...ref.Val) ref.Val {
	s := str(a[0])
	start, ok := offset(s, num(a[1]))
	if !ok {
		return newErr(errRange)
	}
	if len(a) < 3 {
		return types.String(s[start:])
	}
	n := num(a[2]) - num(a[1])
	end, ok := offset(s[start:], n)
	if !ok {
		return newErr(errRange)
	}
	return types.String(s[start : start+end])
}

func trim(a ...ref.Val) ref.Val { return types.String(strings.TrimSpace(str(a[0]))) }

func reverse(a ...ref.Val) ref.Val {
	s := str(a[0])
	b := make([]byte, len(s))
	i := len(s)
	for _, r := range s {
		i -= utf8.RuneLen(r)
		utf8.EncodeRune(b[i:], r)
	}
	return types.String(b)
}

func join(a ...ref.Val) ref.Val {
	sep := ""
	if len(a) > 1 {
		sep = str(a[1])
	}
	var b strings.Builder
	for it, first := a[0].(traits.Lister).Iterator(), true; it.HasNext() == types.True; first = false {
		v := it.Next()
		s, ok := v.(types.String)
		if !ok {
			return failedOr(v, newErr(errType))
		}
		if !first {
			b.WriteString(sep)
		}
		if b.Len()+len(s) > MaxString {
			return newErr(errLongString)
		}
		b.WriteString(string(s))
	}
	return types.String(b.String())
}
