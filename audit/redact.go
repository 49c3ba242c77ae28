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
type RedactOptions struct {
	// Keys are names of further secrets. Like the built-in ones they match a
	// key that is or ends in them, whatever the case, and whatever "-" and
	// "_" it holds.
	Keys []string
	// Value, if not nil, is asked about every text that is left; it returns
	// the text to record. It is called from many goroutines. Where it panics,
	// nothing of the parameters is recorded.
	Value func(key, text string) string
}

// Redactor replaces the values of keys that name secrets by "[REDACTED]", at
// any depth and whatever they are.
//
// A key names a secret if, with case folded and "-" and "_" removed, it is or
// ends in password, secret, credential, authorization, apikey, accesstoken or
// refreshtoken, or one of these with an s; or if its last word is key or
// token (or keys, tokens): words end at a character that is no letter or
// digit, and where a capital follows a small letter. So "apiKey" and "X-KEY"
// are secrets, and "monkey" is none.
//
// Redaction goes by keys alone: a secret in the text of another parameter is
// not found. A nil Redactor has the built-in keys.
type Redactor struct {
	keys  []string
	value func(key, text string) string
}

var secretKeys = []string{
	"password", "secret", "credential", "authorization", "apikey", "accesstoken", "refreshtoken",
	"passwords", "secrets", "credentials", "apikeys", "accesstokens", "refreshtokens",
}

var secretWords = []string{"key", "token", "keys", "tokens"}

// NewRedactor returns a Redactor. opts may be nil. It copies the options.
func NewRedactor(opts *RedactOptions) *Redactor {
	if opts == nil {
		opts = &RedactOptions{}
	}
	r := &Redactor{keys: secretKeys[:len(secretKeys):len(secretKeys)], value: opts.Value}
	for _, key := range opts.Keys {
		if k := squash(key); k != "" {
			r.keys = append(r.keys, k)
		}
	}
	return r
}

// squash folds a key and removes "-" and "_".
func squash(key string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(string(fold.Append(nil, key)))
}

// Secret reports whether the value of key is redacted.
func (r *Redactor) Secret(key string) bool {
	keys := secretKeys
	if r != nil {
		keys = r.keys
	}
	squashed := squash(key)
	for _, k := range keys {
		if strings.HasSuffix(squashed, k) {
			return true
		}
	}
	for _, w := range secretWords {
		if endsInWord(key, w) {
			return true
		}
	}
	return false
}

// endsInWord reports whether the last word of key, separators after it aside,
// is word.
func endsInWord(key, word string) bool {
	key = strings.TrimRightFunc(key, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	// Folded letters can have other lengths, so characters are counted.
	start := len(key)
	for range word {
		_, size := utf8.DecodeLastRuneInString(key[:start])
		start -= size
	}
	if !strings.EqualFold(key[start:], word) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(key[:start])
	first, _ := utf8.DecodeRuneInString(key[start:])
	return start == 0 || !unicode.IsLetter(before) || unicode.IsLower(before) && unicode.IsUpper(first)
}

// append appends the redacted tree as compact JSON.
func (r *Redactor) append(dst []byte, t *value.Tree) (out []byte) {
	start := len(dst)
	defer func() {
		if recover() != nil { // the custom redactor
			out = appendString(dst[:start], Redacted)
		}
	}()
	return r.node(dst, t, value.Root, "")
}

func (r *Redactor) node(dst []byte, t *value.Tree, i int32, key string) []byte {
	n := &t.Nodes[i]
	switch n.Kind {
	case value.Object:
		dst = append(dst, '{')
		for c := t.First(i); c < n.End; c = t.Nodes[c].End {
			if c > t.First(i) {
				dst = append(dst, ',')
			}
			member := t.Nodes[c].Key
			dst = append(appendString(dst, member), ':')
			if r.Secret(member) {
				dst = appendString(dst, Redacted)
			} else {
				dst = r.node(dst, t, c, member)
			}
		}
		return append(dst, '}')
	case value.Array:
		dst = append(dst, '[')
		for c := t.First(i); c < n.End; c = t.Nodes[c].End {
			if c > t.First(i) {
				dst = append(dst, ',')
			}
			dst = r.node(dst, t, c, key)
		}
		return append(dst, ']')
	case value.String:
		if r != nil && r.value != nil {
			return appendString(dst, r.value(key, n.Text))
		}
	}
	return t.AppendJSON(dst, i)
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	var t value.Tree
	t.Nodes = []value.Node{{Kind: value.String, Text: strings.ToValidUTF8(s, "\uFFFD"), End: 1}}
	return t.AppendJSON(dst, value.Root)
}
