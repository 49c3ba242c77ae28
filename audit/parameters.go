package audit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/useveto/veto-go/internal/value"
)

// maxParameters is the most bytes of parameters that a record holds.
const maxParameters = 8 << 10

// Parameters are the redacted parameters of a call. They are rendered when
// they are read, which costs nothing until a sink does; and they are valid
// until the sink's Record returns, unless they are of a Clone.
type Parameters struct {
	tree     *value.Tree
	redactor *Redactor
	key      *DigestKey

	text   []byte // rendered
	digest string
}

// Capture returns the parameters in a tree. It keeps pointers to all three.
func Capture(tree *value.Tree, redactor *Redactor, key *DigestKey) Parameters {
	return Parameters{tree: tree, redactor: redactor, key: key}
}

func (p Parameters) detach() Parameters {
	if p.tree == nil {
		return p
	}
	return Parameters{text: p.AppendJSON(nil), digest: p.Digest()}
}

// AppendJSON appends the redacted parameters, as compact JSON, to dst: {}
// where there are none. What is over 8 KiB is replaced by an object with its
// size and digest.
func (p Parameters) AppendJSON(dst []byte) []byte {
	if p.tree == nil {
		if p.text == nil {
			return append(dst, "{}"...)
		}
		return append(dst, p.text...)
	}
	if p.tree.Empty() {
		return append(dst, "{}"...)
	}
	start := len(dst)
	dst = p.redactor.append(dst, p.tree)
	if size := len(dst) - start; size > maxParameters {
		dst = append(dst[:start], `{"size":`...)
		dst = strconv.AppendInt(dst, int64(size), 10)
		dst = append(dst, `,"digest":"`...)
		dst = append(dst, p.Digest()...)
		dst = append(dst, `"}`...)
	}
	return dst
}

// MarshalJSON returns what AppendJSON appends.
func (p Parameters) MarshalJSON() ([]byte, error) { return p.AppendJSON(nil), nil }

// Digest returns the keyed digest of the parameters as they were, before
// redaction: the key's id, a colon and HMAC-SHA-256 (RFC 2104) in hexadecimal
// over the canonical JSON (members sorted, numbers in one form). It is "" where
// there is no key.
func (p Parameters) Digest() string {
	if p.tree == nil || p.key == nil {
		return p.digest
	}
	text := []byte("{}")
	if !p.tree.Empty() {
		text = p.tree.AppendCanonical(nil, value.Root)
	}
	return p.key.digest(text)
}

// DigestKey is the key of the digests of parameters. Whoever has it can test
// whether a call had certain parameters; nobody else can, also where there are
// few to guess from. It is immutable.
type DigestKey struct {
	id     string
	secret []byte
}

// NewDigestKey returns a key with a secret, which it copies. The key's id is
// derived from the secret.
func NewDigestKey(secret []byte) *DigestKey {
	k := &DigestKey{secret: append([]byte(nil), secret...)}
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte("veto parameters digest key id"))
	k.id = hex.EncodeToString(mac.Sum(nil)[:4])
	return k
}

// RandomDigestKey returns a key that nobody knows: its digests can only be
// compared with each other.
func RandomDigestKey() *DigestKey {
	secret := make([]byte, sha256.Size)
	rand.Read(secret) // never fails, see crypto/rand
	return NewDigestKey(secret)
}

func (k *DigestKey) digest(text []byte) string {
	mac := hmac.New(sha256.New, k.secret)
	mac.Write(text)
	return k.id + ":" + hex.EncodeToString(mac.Sum(nil))
}
