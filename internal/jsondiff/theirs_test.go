package jsondiff

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// node is a JSON value as the other reader has it.
type node struct {
	kind     jsontext.Kind // '{' '[' '"' '0' 't' 'f' 'n'
	text     string        // of a string: its characters; of a number: as it is written
	keys     []string      // of an object
	children []*node
}

// errTrailing is said of data after the value.
var errTrailing = errors.New("data after the value")

// read reads the one value that is data with the other reader. It is strict by
// default: it refuses duplicate names and invalid UTF-8.
func read(data []byte, opts ...jsontext.Options) (*node, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), opts...)
	n, err := readValue(dec)
	if err != nil {
		return nil, err
	}
	switch _, err := dec.ReadToken(); {
	case err == nil:
		return nil, errTrailing
	case !errors.Is(err, io.EOF):
		return nil, err
	default:
		return n, nil
	}
}

func readValue(dec *jsontext.Decoder) (*node, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	n := &node{kind: token.Kind()}
	switch n.kind {
	case '"', '0':
		n.text = token.String()
	case '{', '[':
		for k := dec.PeekKind(); k != '}' && k != ']' && k != 0; k = dec.PeekKind() {
			if n.kind == '{' {
				key, err := dec.ReadToken()
				if err != nil {
					return nil, err
				}
				n.keys = append(n.keys, key.String())
			}
			child, err := readValue(dec)
			if err != nil {
				return nil, err
			}
			n.children = append(n.children, child)
		}
		if _, err := dec.ReadToken(); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// all calls f with n and what is below it; the depth of a value counts the
// containers that it is in, and itself where it is one.
func (n *node) all(depth int, f func(n *node, depth int)) {
	if n.kind == '{' || n.kind == '[' {
		depth++
	}
	f(n, depth)
	for _, c := range n.children {
		c.all(depth, f)
	}
}
