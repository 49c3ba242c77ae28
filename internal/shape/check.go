package shape

import (
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/internal/fold"
	"github.com/useveto/veto-go/internal/value"
)

// check returns where below node i of t, which is read in one of these ways,
// there is what would be taken otherwise than the decision takes it, nil for
// nowhere. Each node is looked at once, however many ways there are.
func check(t *value.Tree, i int32, ways []reading) *fault {
	n := &t.Nodes[i]
	for _, r := range ways {
		if k := r.misreads(t, i); k != nil {
			return &fault{kind: k, offset: n.Pos}
		}
	}
	switch n.Kind {
	case value.Array:
		var below []reading
		for _, r := range ways {
			below = with(below, r.element)
		}
		for c, e := t.First(i), 0; c < n.End && below != nil; c, e = t.Nodes[c].End, e+1 {
			if wrong := check(t, c, below); wrong != nil {
				return wrong.below(strconv.Itoa(e))
			}
		}
	case value.Object:
		for c := t.First(i); c < n.End; c = t.Nodes[c].End {
			if wrong := member(t, c, ways); wrong != nil {
				return wrong
			}
		}
	}
	return nil
}

// member checks node c of t, which is a member of an object.
func member(t *value.Tree, c int32, ways []reading) *fault {
	key := t.Nodes[c].Key
	var below []reading
	known := false
	for _, r := range ways {
		fields := r.fields[key]
		known = known || fields != nil
		switch {
		case r.integers && !canonical(key):
			return &fault{kind: otherKey, pointer: "/*", offset: t.Nodes[c].Pos}
		case fields != nil:
			below = withAll(below, fields)
		case r.but != nil && r.but.named[key]:
			// It is that member; but this part may read it too.
			if name, near := r.folded[fold.String(key)]; near {
				below = withAll(below, r.fields[name])
			}
		case r.fields == nil:
			below = with(below, r.members)
		case !r.exact:
			if name, near := r.folded[fold.String(key)]; near {
				return (&fault{kind: nearKey, offset: t.Nodes[c].Pos}).below(name)
			}
		}
	}
	if below == nil {
		return nil
	}
	wrong := check(t, c, below)
	if !known {
		key = "*" // it is the call's
	}
	return wrong.below(key)
}

// canonical reports whether no other key is the same integer. One that is none
// is not read at all.
func canonical(key string) bool {
	n, err := strconv.ParseInt(key, 10, 64)
	if err != nil {
		u, err := strconv.ParseUint(key, 10, 64)
		return err != nil || strconv.FormatUint(u, 10) == key
	}
	return strconv.FormatInt(n, 10) == key
}

func withAll(ways []reading, all []*Shape) []reading {
	for _, s := range all {
		ways = with(ways, s)
	}
	return ways
}

// with returns ways with those of s, which may be nil.
func with(ways []reading, s *Shape) []reading {
	switch {
	case s == nil:
		return ways
	case ways == nil:
		return s.readings
	}
	for _, r := range s.readings {
		if !slices.Contains(ways, r) {
			ways = append(slices.Clip(ways), r)
		}
	}
	return ways
}

// misreads returns what is wrong with node i of t itself, nil for nothing.
func (s *Shape) misreads(t *value.Tree, i int32) *kind {
	n := &t.Nodes[i]
	switch n.Kind {
	case value.Number:
		if s.float != 0 && !holds(n, s.float) {
			return rounded
		}
	case value.String:
		switch {
		case s.number, s.twice, s.bytes && s.element != nil:
			return unquoted
		case s.bytes && !isBase64(n.Text, s.maybe):
			return otherBytes
		}
	case value.Array:
		switch {
		case s.bytes && s.element == nil && (!s.maybe || areNumbers(t, i)):
			return otherBytes
		case s.fixed && int(n.Len) != s.length:
			return otherLength
		}
	}
	return nil
}

// holds reports whether a float of so many bits is written as the number n.
func holds(n *value.Node, bits int) bool {
	if n.Form == value.IntForm {
		most := int64(1) << 53
		if bits == 32 {
			most = 1 << 24
		}
		if v := int64(n.Bits); -most <= v && v <= most {
			return true
		}
	}
	text := string(n.AppendNumber(nil))
	f, err := strconv.ParseFloat(text, bits)
	return err == nil && decimal.Compare(text, strconv.FormatFloat(f, 'g', -1, bits)) == 0
}

// isBase64 reports whether text is as encoding/json writes some bytes. It reads
// them from others too: with line breaks, or with bits that are in no byte. What
// it does not read at all is as good as that where these are maybe no bytes.
func isBase64(text string, maybe bool) bool {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return maybe
	}
	return base64.StdEncoding.EncodeToString(data) == text
}

// areNumbers reports whether all elements of an array are numbers or null, of
// which encoding/json makes bytes.
func areNumbers(t *value.Tree, i int32) bool {
	for c := t.First(i); c < t.Nodes[i].End; c = t.Nodes[c].End {
		if k := t.Nodes[c].Kind; k != value.Number && k != value.Null {
			return false
		}
	}
	return true
}
