package guard_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"time"
	"unsafe"
)

// reach visits what a value refers to and could be changed by.
func reach(v reflect.Value, visit func(unsafe.Pointer)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && v.Type().Elem().Size() > 0 && v.Type() != reflect.TypeFor[*time.Location]() {
			visit(v.UnsafePointer())
			reach(v.Elem(), visit)
		}
	case reflect.Interface:
		if !v.IsNil() {
			reach(v.Elem(), visit)
		}
	case reflect.Slice:
		if v.Cap() > 0 && v.Type().Elem().Size() > 0 {
			visit(v.UnsafePointer())
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			reach(v.Index(i), visit)
		}
	case reflect.Map:
		if !v.IsNil() {
			visit(v.UnsafePointer())
		}
		for all := v.MapRange(); all.Next(); {
			reach(all.Value(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			reach(v.Field(i), visit)
		}
	}
}

// fill makes a random value; what is nil or empty is as likely as what is not.
func fill(rnd *rand.Rand, v reflect.Value, depth int) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Unix(rnd.Int64N(1<<32), rnd.Int64N(1e9)).UTC()
		if rnd.IntN(3) == 0 {
			*p = time.Time{}
		}
		return
	case *json.Number:
		*p = json.Number(strconv.FormatUint(rnd.Uint64(), 10) + ".50")
		return
	case *json.RawMessage:
		*p = json.RawMessage([]string{`{"r":[1.0]}`, "null", `"<&>"`, "12345678901234567890"}[rnd.IntN(4)])
		return
	case *any:
		*p = []any{nil, true, "x", 0.1, []any{}, []any{"a", 1.5}, map[string]any{"k": nil}, &leaf{"p"}}[rnd.IntN(7)]
		return
	case *money:
		p.cents = rnd.Int64()
		return
	}
	some := depth < 5 && rnd.IntN(3) > 0
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(some)
	case reflect.String:
		v.SetString([]string{"", "a", "é<\"\u2028", "x y"}[rnd.IntN(4)])
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, rnd.Int64()}[rnd.IntN(4)])
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint([]uint64{0, 1, rnd.Uint64()}[rnd.IntN(3)])
	case reflect.Float32, reflect.Float64:
		v.SetFloat([]float64{0, math.Copysign(0, -1), 0.1, -3, 1e21, rnd.NormFloat64()}[rnd.IntN(6)])
	case reflect.Pointer:
		if some {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rnd, v.Elem(), depth+1)
			switch v.Elem().Kind() {
			case reflect.Pointer, reflect.Slice, reflect.Map:
				if v.Elem().IsNil() {
					v.SetZero() // it is read as that
				}
			}
		}
	case reflect.Slice:
		if some {
			n := rnd.IntN(4)
			v.Set(reflect.MakeSlice(v.Type(), n, n+rnd.IntN(3)))
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(rnd, v.Index(i), depth+1)
		}
	case reflect.Map:
		if !some {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for i := range rnd.IntN(4) {
			k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			if k.CanInt() {
				k.SetInt(int64(i))
			} else {
				k.SetString(fmt.Sprintf("k%d", i))
			}
			fill(rnd, e, depth+1)
			v.SetMapIndex(k, e)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch f := v.Field(i); {
			case f.CanSet():
				fill(rnd, f, depth)
			case f.Kind() == reflect.Struct: // embedded, and not exported
				for j := range f.NumField() {
					if f.Field(j).CanSet() {
						fill(rnd, f.Field(j), depth)
					}
				}
			}
		}
	}
}
