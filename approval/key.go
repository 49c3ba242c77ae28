package approval

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
)

// MinKeyBytes is the least length of the secret of a Key.
const MinKeyBytes = 32

// Key authenticates tickets and resolutions. The program that guards the calls
// and the one in which the human answers have the same key; the tools of an
// agent must not be able to read it. It is immutable and safe for concurrent
// use. The zero Key is none: nothing can be done with it.
type Key struct {
	// HMAC-SHA-256 under a key of its own for each purpose. In closures, so
	// that printing a Key prints no secret.
	file, resolution, arguments func() hash.Hash
}

// NewKey returns a Key with a secret of at least 32 bytes, which should be
// random: whoever guesses it can approve. It keeps nothing of the slice.
func NewKey(secret []byte) (*Key, error) {
	if len(secret) < MinKeyBytes {
		return nil, fmt.Errorf("%w key: %d bytes, at least %d are needed", ErrInvalid, len(secret), MinKeyBytes)
	}
	k := new(Key)
	for purpose, mac := range map[string]*func() hash.Hash{
		"file": &k.file, "resolution": &k.resolution, "arguments": &k.arguments,
	} {
		derived, err := hkdf.Key(sha256.New, secret, nil, "veto approval 1 "+purpose, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("approval: derive a key: %w", err)
		}
		*mac = func() hash.Hash { return hmac.New(sha256.New, derived) }
	}
	return k, nil
}

// String returns a text without the secret.
func (*Key) String() string { return "approval.Key" }

// GoString returns what String returns.
func (k *Key) GoString() string { return k.String() }

func (k *Key) zero() bool { return k == nil || k.file == nil }

// sum returns the authentication code of a message.
func sum(mac func() hash.Hash, message []byte) []byte {
	h := mac()
	h.Write(message)
	return h.Sum(nil)
}
