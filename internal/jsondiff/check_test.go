package jsondiff

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/useveto/veto-go/internal/value"
)

// How a document was taken by both.
const (
	bothAccept = "both accept"
	bothRefuse = "both refuse"
	// else: the Problem for which only ours refuses
)

// checker holds what is used again from one document to the next, as the
// evaluator uses its trees.
type checker struct {
	tree, again value.Tree
}

// check reads the document both ways, and fails where they may not differ. It
// returns how the document was taken.
func (c *checker) check(tc testCase) (taken string, err error) {
	p, pos := c.tree.SetJSON(tc.doc, tc.lim)
	if pos < 0 || pos > len(tc.doc) {
		return "", fmt.Errorf("position %d", pos)
	}
	if (p == value.OK) == c.tree.Empty() {
		return "", fmt.Errorf("%q leaves %d nodes", p, len(c.tree.Nodes))
	}
	if err := c.checkGo(tc, p); err != nil {
		return "", err
	}
	theirs, refused := read(tc.doc)
	if refused != nil {
		if p == value.OK {
			return "", fmt.Errorf("ours accepts, theirs says: %w", refused)
		}
		return bothRefuse, isTrue(p, pos, tc.doc, refused)
	}
	why := reasons(theirs, len(tc.doc), tc.lim)
	if p == value.OK {
		if len(why) > 0 {
			return "", fmt.Errorf("ours accepts in spite of %v", why)
		}
		return bothAccept, c.sameContent(tc.doc, theirs)
	}
	if !why[p] {
		return "", fmt.Errorf("only ours refuses, for %q, which is not so; there is reason for %v", p, why)
	}
	return p.String(), nil
}

// isTrue fails where both refuse the document, and what ours says of it is
// not so. (There may be much wrong with a document, and only one of them is
// said. The reasons that theirs does not know are not looked at here.)
func isTrue(p value.Problem, pos int, doc []byte, theirs error) error {
	ok := true
	switch p {
	case value.NotJSON, value.TrailingData:
		ok = !json.Valid(doc)
	case value.DuplicateKey: // said at the end of the object, and all was well up to there
		ok = errors.Is(theirs, jsontext.ErrDuplicateName)
	case value.BadUTF8: // were that no fault, the first would come later, if only the end of the text
		_, err := read(doc, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
		var fault *jsontext.SyntacticError
		ok = !errors.As(err, &fault) || fault.ByteOffset > int64(pos) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	if !ok {
		return fmt.Errorf("ours says %q at %d, theirs %w", p, pos, theirs)
	}
	return nil
}

// checkGo puts the document in as a caller of Authorize does: the same answer,
// but that it must be an object, and that nothing and null are no parameters.
func (c *checker) checkGo(tc testCase, p value.Problem) error {
	want, empty := p, p != value.OK
	switch {
	case len(tc.doc) == 0:
		want = value.OK
	case p != value.OK:
	case c.tree.Nodes[value.Root].Kind == value.Null:
		empty = true
	case c.tree.Nodes[value.Root].Kind != value.Object:
		want, empty = value.NotObject, true
	}
	for _, v := range []any{json.RawMessage(tc.doc), tc.doc, string(tc.doc)} {
		if got := c.again.SetGo(v, tc.lim); got != want || c.again.Empty() != empty {
			return fmt.Errorf("SetGo of a %T says %q, SetJSON %q", v, got, p)
		}
	}
	return nil
}

// sameContent compares what ours read with what theirs did.
func (c *checker) sameContent(doc []byte, theirs *node) error {
	if err := c.sameTree(value.Root, theirs); err != nil {
		return err
	}
	ours := c.tree.AppendJSON(nil, value.Root)
	// As theirs writes it: compact, strings as short as they can be, and
	// numbers as they were.
	encoded, err := jsontext.AppendFormat(nil, doc, jsontext.PreserveRawStrings(false),
		jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false), jsontext.Multiline(false))
	if err != nil {
		return err
	}
	if !bytes.Equal(ours, encoded) {
		return fmt.Errorf("written as %q by ours, as %q by theirs", ours, encoded)
	}
	canonical := c.tree.AppendCanonical(nil, value.Root)
	back, err := read(canonical)
	if err != nil {
		return fmt.Errorf("canonical form %q: %w", canonical, err)
	}
	if !sameCanonical(theirs, back) {
		return fmt.Errorf("canonical form %q has another value", canonical)
	}
	return nil
}

// kinds are ours for theirs.
var kinds = map[jsontext.Kind]value.Kind{
	'n': value.Null, 't': value.Bool, 'f': value.Bool, '0': value.Number, '"': value.String, '[': value.Array, '{': value.Object,
}

// sameTree compares our node i with their n: kind, text, members in order. A
// member is also found by its key.
func (c *checker) sameTree(i int32, n *node) error {
	t := &c.tree
	o := &t.Nodes[i]
	same := o.Kind == kinds[n.kind] && int(o.Len) == len(n.children)
	switch o.Kind {
	case value.Bool:
		same = same && o.Bits == map[jsontext.Kind]uint64{'t': 1, 'f': 0}[n.kind]
	case value.Number:
		same = same && string(o.AppendNumber(nil)) == n.text
	case value.String:
		same = same && o.Text == n.text
	}
	if !same {
		return fmt.Errorf("ours has the %v %q (%d) with %d children, theirs %q (%v) with %d", o.Kind, o.Text, o.Bits, o.Len, n.text, n.kind, len(n.children))
	}
	at := t.First(i)
	for k, child := range n.children {
		if n.kind == '{' {
			if key := t.Nodes[at].Key; key != n.keys[k] || t.Member(i, key) != at {
				return fmt.Errorf("ours has member %q at %d and finds it at %d, theirs has %q", key, at, t.Member(i, key), n.keys[k])
			}
		}
		if err := c.sameTree(at, child); err != nil {
			return err
		}
		at = t.Nodes[at].End
	}
	if at != o.End {
		return fmt.Errorf("node %d ends at %d, its children at %d", i, o.End, at)
	}
	return nil
}

// sameCanonical reports whether back is n with its members sorted and its
// numbers perhaps in another text of the same value.
func sameCanonical(n, back *node) bool {
	if n.kind != back.kind || len(n.children) != len(back.children) || !slices.IsSorted(back.keys) {
		return false
	}
	if n.text != back.text && (n.kind != '0' || exact(n.text).Cmp(exact(back.text)) != 0) {
		return false
	}
	for k, child := range n.children {
		if n.kind == '{' {
			var found bool
			if k, found = slices.BinarySearch(back.keys, n.keys[k]); !found {
				return false
			}
		}
		if !sameCanonical(child, back.children[k]) {
			return false
		}
	}
	return true
}
