package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"

	"github.com/useveto/veto-go/internal/value"
)

// maxParameters is the most bytes of parameters that a record holds.
const maxParameters = 8 << 10

// Parameters are the redacted parameters of a call. They are rendered when
// they are read, which costs nothing until a sink does; so they are valid only
// until the sink's Record returns, unless they are those of a [Record.Clone].
// The zero Parameters are none.
type Parameters struct {
	// Of a call that is being recorded. The tree holds the parameters as they
	// are: nothing but the digest may read it past the redactor.
	tree     *value.Tree
	redactor *Redactor
	key      *DigestKey

	// Of a record that is kept or was read back.
	text   []byte // rendered; never changed
	digest string
}

// unread is recorded of parameters that nobody could read.
var unread = []byte("null")

// Capture returns the parameters in a tree, to be redacted by redactor and
// digested with key, either of which may be nil. A nil tree says that the
// parameters were not read, or could not be: they are recorded as null, and
// have no digest. It keeps the pointers and allocates nothing.
func Capture(tree *value.Tree, redactor *Redactor, key *DigestKey) Parameters {
	if tree == nil {
		return Parameters{text: unread}
	}
	return Parameters{tree: tree, redactor: redactor, key: key}
}

// detach returns the parameters rendered, without the tree.
func (p Parameters) detach() Parameters {
	if p.tree == nil {
		return p
	}
	p.digest = p.Digest()
	// What was rendered and then left out for its size is not to be kept in
	// the capacity, hence the copy.
	return Parameters{text: bytes.Clone(p.AppendJSON(nil)), digest: p.digest}
}

// IsZero reports whether p is the zero Parameters, or was captured from no
// parameters at all.
func (p Parameters) IsZero() bool {
	return (p.tree == nil || p.tree.Empty()) && len(p.text) == 0
}

// AppendJSON appends the redacted parameters, as compact JSON, to dst: {}
// where there are none. What takes more than 8 KiB is replaced by an object
// with its size in bytes and, if there is a key, the digest.
func (p Parameters) AppendJSON(dst []byte) []byte {
	if len(p.text) != 0 {
		return append(dst, p.text...)
	}
	if p.IsZero() {
		return append(dst, "{}"...)
	}
	start := len(dst)
	dst = p.redactor.appendTree(dst, p.tree)
	size := len(dst) - start
	if size <= maxParameters {
		return dst
	}
	dst = append(dst[:start], `{"size":`...)
	dst = strconv.AppendInt(dst, int64(size), 10)
	if digest := p.Digest(); digest != "" {
		dst = append(dst, `,"digest":"`...)
		dst = append(dst, digest...)
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

// MarshalJSON returns what AppendJSON appends.
func (p Parameters) MarshalJSON() ([]byte, error) { return p.AppendJSON(nil), nil }

// String returns what AppendJSON appends, so that a record that is printed
// shows no more than one that is kept.
func (p Parameters) String() string { return string(p.AppendJSON(nil)) }

// GoString returns what String returns.
func (p Parameters) GoString() string { return p.String() }

// Digest returns the keyed digest of the parameters as they were, before
// redaction: the key's id, a colon and HMAC-SHA-256 (RFC 2104) in hexadecimal
// over the canonical JSON (members sorted, numbers in one form, {} for no
// parameters). It is "" where there is no key.
func (p Parameters) Digest() string {
	if p.digest != "" || p.tree == nil || p.key == nil {
		return p.digest
	}
	if p.tree.Empty() {
		return p.key.digest([]byte("{}"))
	}
	return p.key.digest(p.tree.AppendCanonical(nil, value.Root))
}

// DigestKey is the key of the digests of parameters. Whoever has it can test
// whether a call had certain parameters; nobody else can, also where there are
// few to guess from. It is immutable and safe for concurrent use.
type DigestKey struct {
	id string
	// The secret is in a closure, so that printing a key does not print it.
	mac func() hash.Hash
}

// NewDigestKey returns a key with a secret, which it copies; 32 random bytes
// are a good one, and an empty one protects nothing. The key's id is derived
// from the secret.
func NewDigestKey(secret []byte) *DigestKey {
	secret = bytes.Clone(secret)
	k := &DigestKey{mac: func() hash.Hash { return hmac.New(sha256.New, secret) }}
	k.id = hex.EncodeToString(k.sum([]byte("veto parameters digest key id"))[:4])
	return k
}

// RandomDigestKey returns a key that nobody knows: its digests can only be
// compared with each other.
func RandomDigestKey() *DigestKey {
	secret := make([]byte, sha256.Size)
	rand.Read(secret) // never fails, see crypto/rand
	return NewDigestKey(secret)
}

// ID returns the id that the key's digests begin with: eight hexadecimal
// digits that do not tell the secret.
func (k *DigestKey) ID() string { return k.id }

func (k *DigestKey) sum(text []byte) []byte {
	mac := k.mac()
	mac.Write(text)
	return mac.Sum(nil)
}

func (k *DigestKey) digest(text []byte) string {
	return k.id + ":" + hex.EncodeToString(k.sum(text))
}
