package policydoc

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/internal/value"
	"github.com/useveto/veto-go/rules"
)

// readYAML fills the tree with the JSON that a YAML document denotes.
func (s *source) readYAML(text string) {
	doc, at, err := parseYAML(text)
	if err != nil {
		s.syntax(at, err.Error(), "")
		return
	}
	w := jsonWriter{source: s, marks: marks{text: text}}
	w.node(doc, 1)
	if len(s.faults) > 0 {
		return
	}
	lim := value.Limits{Bytes: len(w.json), Depth: maxDepth}
	if p, at := s.tree.SetJSON(w.json, lim); p != value.OK {
		s.syntax(w.yamlOffset(at), problemTexts[p], "")
		return
	}
	// The values of the JSON are the nodes of the tree, in the same order.
	for i := range s.tree.Nodes {
		s.tree.Nodes[i].Pos = int32(w.at[i].yaml)
	}
}

// parseYAML returns the one document of a text.
func parseYAML(text string) (doc *yaml.Node, at int, err error) {
	defer func() {
		// The parser answers malformed text with errors; a panic would be
		// a defect of it, and must not take the host program down.
		if r := recover(); r != nil {
			doc, at, err = nil, 0, errors.New("this is not valid YAML")
		}
	}()
	dec := yaml.NewDecoder(strings.NewReader(text))
	var first, second yaml.Node
	if err := dec.Decode(&first); err != nil {
		return nil, offsetOf(text, err), yamlError(err)
	}
	switch err := dec.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, offsetOf(text, err), yamlError(err)
	default:
		m := marks{text: text}
		return nil, m.offset(second.Line, second.Column), errors.New("a second document follows the first")
	}
	if first.Kind != yaml.DocumentNode || len(first.Content) != 1 {
		return nil, 0, errors.New("the document is empty")
	}
	return first.Content[0], 0, nil
}

var yamlLine = regexp.MustCompile(`^yaml: line ([0-9]+): `)

// yamlError is an error of the parser without its prefix.
func yamlError(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the document is empty")
	}
	message := yamlLine.ReplaceAllString(err.Error(), "")
	message = strings.TrimPrefix(message, "yaml: ")
	switch {
	case strings.Contains(message, "cannot start any token"):
		message += "; indent with spaces, and quote a value that begins with a special character"
	case strings.Contains(message, "alphabetic or numeric"):
		message += `; quote a value that begins with "*" or "&"`
	case strings.Contains(message, "did not find expected"):
		message += "; the block that begins here is not closed, or a line of it is indented wrongly"
	}
	return errors.New("this is not valid YAML: " + message)
}

func offsetOf(text string, err error) int {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[1])
		if strings.Contains(err.Error(), "did not find expected") && line <= strings.Count(strings.TrimSpace(text), "\n") {
			line++ // the parser counts these from zero
		}
		m := marks{text: text}
		return m.offset(line, 1)
	}
	return 0
}

// jsonWriter writes a YAML node as JSON, and notes where each value came
// from.
type jsonWriter struct {
	*source
	marks marks
	json  []byte
	at    []mark
}

// mark says where a value is in the JSON, and where in the YAML; of a member
// of an object it is the place of the key.
type mark struct{ json, yaml int }

// yamlOffset translates an offset in the JSON.
func (w *jsonWriter) yamlOffset(json int) int {
	at := 0
	for _, m := range w.at {
		if m.json > json {
			break
		}
		at = m.yaml
	}
	return at
}

// refuse notes that something in a node has no meaning here.
func (w *jsonWriter) refuse(n *yaml.Node, message, hint string) {
	w.note(w.marks.offset(n.Line, n.Column), rules.Fault{Message: message, Hint: hint})
}

func (w *jsonWriter) node(n *yaml.Node, depth int) {
	w.at = append(w.at, mark{len(w.json), w.marks.offset(n.Line, n.Column)})
	w.value(n, depth)
}

func (w *jsonWriter) value(n *yaml.Node, depth int) {
	switch {
	case n.Kind == yaml.AliasNode:
		w.refuse(n, "an alias has no meaning here", "write the value out")
		return
	case n.Anchor != "":
		w.refuse(n, "an anchor has no meaning here", "write the value out")
	case n.Style&yaml.TaggedStyle != 0 || w.marks.byteAt(n.Line, n.Column) == '!':
		// The parser drops the tag "!", which still stands in the text.
		w.refuse(n, "a tag has no meaning here", "quote a text that looks like something else")
	case depth > maxDepth:
		w.refuse(n, problemTexts[value.TooDeep], "")
		return
	}
	switch n.Kind {
	case yaml.ScalarNode:
		w.scalar(n)
	case yaml.SequenceNode:
		w.json = append(w.json, '[')
		for i, e := range n.Content {
			if i > 0 {
				w.json = append(w.json, ',')
			}
			w.node(e, depth+1)
		}
		w.json = append(w.json, ']')
	case yaml.MappingNode:
		w.json = append(w.json, '{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				w.json = append(w.json, ',')
			}
			key, member := n.Content[i], n.Content[i+1]
			w.at = append(w.at, mark{len(w.json), w.marks.offset(key.Line, key.Column)})
			w.key(key)
			w.json = append(w.json, ':')
			w.value(member, depth+1)
		}
		w.json = append(w.json, '}')
	default:
		w.refuse(n, "this is not valid YAML", "")
	}
}

func (w *jsonWriter) key(n *yaml.Node) {
	switch {
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!merge":
		w.refuse(n, "a merge key has no meaning here", "write the members out")
	case n.Kind == yaml.AliasNode, n.Anchor != "", n.Style&yaml.TaggedStyle != 0, w.marks.byteAt(n.Line, n.Column) == '!':
		w.refuse(n, "a key has neither anchor, alias nor tag", "")
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || plainNumber(n):
		w.refuse(n, "the key is no text", "quote it")
	}
	w.json = appendJSONString(w.json, n.Value)
}

func (w *jsonWriter) scalar(n *yaml.Node) {
	if plainNumber(n) {
		if decimal.Valid(n.Value) {
			w.json = append(w.json, n.Value...)
			return
		}
		if size, _ := decimal.Scan(n.Value); size == len(n.Value) {
			w.refuse(n, problemTexts[value.NumberRange], "")
		} else {
			w.refuse(n, fmt.Sprintf("%q is not how JSON writes a number", n.Value), "write plain decimal digits, or quote a text")
		}
		w.json = append(w.json, '0')
		return
	}
	switch tag := n.ShortTag(); tag {
	case "!!str":
		w.json = appendJSONString(w.json, n.Value)
	case "!!null":
		w.json = append(w.json, "null"...)
	case "!!bool":
		w.json = append(w.json, strings.ToLower(n.Value)...) // true, True or TRUE
	default:
		message := fmt.Sprintf("%q has no meaning here", n.Value)
		switch tag {
		case "!!timestamp":
			message = fmt.Sprintf("YAML reads %q as a point in time", n.Value)
		case "!!int", "!!float":
			message = fmt.Sprintf("%q is not how JSON writes a number", n.Value)
		}
		w.refuse(n, message, "quote it if it is a text")
		w.json = append(w.json, "null"...)
	}
}

var numeric = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// plainNumber reports whether an unquoted scalar looks like a decimal number,
// also where the parser takes it for a text because no float64 holds it.
func plainNumber(n *yaml.Node) bool {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Kind == yaml.ScalarNode && n.Style&quoted == 0 && numeric.MatchString(n.Value)
}

func appendJSONString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// marks turns the lines and columns of the parser into byte offsets. The
// parser counts columns in characters, and breaks lines where YAML does:
// after LF, CR, CR LF, NEL, LS and PS. Nodes come in the order of the text,
// so the offset is counted on from the last; that makes it linear.
type marks struct {
	text               string
	line, column, next int // next is the offset of (line, column)
}

func (m *marks) offset(line, column int) int {
	if m.line == 0 || line < m.line || line == m.line && column < m.column {
		m.line, m.column, m.next = 1, 1, 0
	}
	for m.next < len(m.text) && (m.line < line || m.column < column) {
		r, size := utf8.DecodeRuneInString(m.text[m.next:])
		breaks := false
		switch r {
		case '\n', '\u0085', '\u2028', '\u2029':
			breaks = true
		case '\r':
			breaks = true
			if strings.HasPrefix(m.text[m.next:], "\r\n") {
				size = 2
			}
		}
		if breaks {
			if m.line == line {
				break // the column is past the end of the line
			}
			m.line, m.column = m.line+1, 1
		} else {
			m.column++
		}
		m.next += size
	}
	return m.next
}

func (m *marks) byteAt(line, column int) byte {
	if at := m.offset(line, column); at < len(m.text) {
		return m.text[at]
	}
	return 0
}
