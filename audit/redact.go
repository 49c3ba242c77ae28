package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/useveto/veto-go/internal/fold"
	"github.com/useveto/veto-go/internal/value"
)

// Redacted stands in records in the place of a secret.
const Redacted = "[REDACTED]"

// RedactOptions say what is redacted besides the secrets that always are.
//
// The functions are called from many goroutines, also while a decision waits
// for its record. Where one panics, nothing of the parameters is recorded but
// [Redacted].
type RedactOptions struct {
	// Keys are names of further secrets. Like the built-in ones they match a
	// key that is or ends in them, whatever its case and its separators.
	Keys []string
	// Value, if not nil, is asked about every string and number that is left,
	// with the key of the member that it is or is an element of. It returns
	// the text to record; a number that it changes is recorded as a string.
	Value func(key, text string) string
	// Name, if not nil, is asked about every key, and returns the key to
	// record, for parameters whose keys are data. What is a secret is decided
	// by the key as it was.
	Name func(key string) string
}

// Redactor replaces the values of keys that name secrets by [Redacted], at any
// depth and whatever they are, containers and null included.
//
// A key names a secret if, with case folded and everything but letters and
// digits removed, it is or ends in password, secret, token, credential,
// authorization or apikey; or if its last word is key. Words end at what is no
// small or capital letter, and where case changes: "x-key", "apiKey" and
// "SSHKey" are secrets, "monkey" and "keyboard" are not. An s at the end makes
// no difference; so "max_tokens" is redacted, since "tokens" must be.
//
// Redaction goes by keys alone: a secret in the text of another parameter, or
// in a key, is not found unless a function of [RedactOptions] finds it.
//
// A nil Redactor and the zero Redactor have the built-in keys. A Redactor is
// immutable and safe for concurrent use.
type Redactor struct {
	keys  []string // further ones, folded
	value func(key, text string) string
	name  func(key string) string
}

// secretKeys are what a folded key ends in. That covers accesstoken and
// refreshtoken.
var secretKeys = []string{"password", "secret", "token", "credential", "authorization", "apikey"}

// NewRedactor returns a Redactor. It copies the options; opts may be nil.
func NewRedactor(opts *RedactOptions) *Redactor {
	if opts == nil {
		opts = &RedactOptions{}
	}
	r := &Redactor{value: opts.Value, name: opts.Name}
	for _, key := range opts.Keys {
		if k := squash(nil, key); len(k) > 0 {
			r.keys = append(r.keys, string(k))
		}
	}
	return r
}

// squash appends key to dst, with case folded and everything but letters and
// digits removed.
func squash(dst []byte, key string) []byte {
	start := 0
	for i, c := range key {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			continue
		}
		dst = fold.Append(dst, key[start:i])
		_, size := utf8.DecodeRuneInString(key[i:])
		start = i + size
	}
	return fold.Append(dst, key[start:])
}

// Secret reports whether the value of key is redacted.
func (r *Redactor) Secret(key string) bool {
	var stack [64]byte
	squashed := squash(stack[:0], key)
	singular := squashed
	if n := len(squashed); n > 0 && squashed[n-1] == 's' {
		singular = squashed[:n-1]
	}
	for _, k := range secretKeys {
		if endsIn(singular, k) {
			return true
		}
	}
	if r != nil {
		for _, k := range r.keys {
			if endsIn(squashed, k) || endsIn(singular, k) {
				return true
			}
		}
	}
	return endsIn(singular, "key") && (lastWord(key, "key") || lastWord(key, "keys"))
}

func endsIn(s []byte, suffix string) bool {
	return len(s) >= len(suffix) && string(s[len(s)-len(suffix):]) == suffix
}

// lastWord reports whether the last word of key, separators after it aside,
// is word.
func lastWord(key, word string) bool {
	key = strings.TrimRightFunc(key, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	// A letter and what it folds to can differ in length: count characters.
	start := len(key)
	for range word {
		_, size := utf8.DecodeLastRuneInString(key[:start])
		start -= size
	}
	if !strings.EqualFold(key[start:], word) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(key[:start])
	first, size := utf8.DecodeRuneInString(key[start:])
	second, _ := utf8.DecodeRuneInString(key[start+size:])
	joined := unicode.IsLower(before) && unicode.IsLower(first) ||
		unicode.IsUpper(before) && unicode.IsUpper(first) && unicode.IsUpper(second)
	return start == 0 || !joined
}

// appendTree appends the redacted tree, which is not empty, as compact JSON.
func (r *Redactor) appendTree(dst []byte, t *value.Tree) (out []byte) {
	start := len(dst)
	defer func() {
		if recover() != nil { // a function of the host
			out = appendString(dst[:start], Redacted)
		}
	}()
	return r.appendNode(dst, t, value.Root, "")
}

// appendNode appends the value of node i, which is or is an element of the
// member key.
func (r *Redactor) appendNode(dst []byte, t *value.Tree, i int32, key string) []byte {
	n := &t.Nodes[i]
	switch n.Kind {
	case value.Object:
		return r.appendObject(dst, t, i)
	case value.Array:
		dst = append(dst, '[')
		for c := t.First(i); c < n.End; c = t.Nodes[c].End {
			if c > t.First(i) {
				dst = append(dst, ',')
			}
			dst = r.appendNode(dst, t, c, key)
		}
		return append(dst, ']')
	}
	if r == nil || r.value == nil || n.Kind != value.String && n.Kind != value.Number {
		return t.AppendJSON(dst, i)
	}
	// The host's function gets texts of its own: those of the tree can be in
	// memory that changes after the decision.
	text := strings.Clone(n.Text)
	if n.Kind == value.Number {
		text = string(n.AppendNumber(nil))
	}
	recorded := r.value(strings.Clone(key), text)
	if recorded == text {
		return t.AppendJSON(dst, i)
	}
	return appendString(dst, recorded)
}

func (r *Redactor) appendObject(dst []byte, t *value.Tree, i int32) []byte {
	n := &t.Nodes[i]
	dst = append(dst, '{')
	for c := t.First(i); c < n.End; c = t.Nodes[c].End {
		if c > t.First(i) {
			dst = append(dst, ',')
		}
		key := t.Nodes[c].Key
		if r != nil && r.name != nil {
			dst = appendString(dst, r.name(strings.Clone(key)))
		} else {
			dst = appendString(dst, key)
		}
		dst = append(dst, ':')
		if r.Secret(key) {
			dst = appendString(dst, Redacted)
		} else {
			dst = r.appendNode(dst, t, c, key)
		}
	}
	return append(dst, '}')
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	node := [1]value.Node{{Kind: value.String, Text: strings.ToValidUTF8(s, "\uFFFD"), End: 1}}
	t := value.Tree{Nodes: node[:]}
	return t.AppendJSON(dst, value.Root)
}
