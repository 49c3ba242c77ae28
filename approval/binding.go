package approval

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/useveto/veto-go/rules"
)

// maxPolicyText bounds the policy, rule and digest of a binding, in bytes. The
// id of a tool policy holds the names of its project and tool.
const maxPolicyText = 2048

// Binding is what a ticket is for. Two calls with equal bindings are one to
// it; a ticket is used for a call whose binding differs in nothing.
type Binding struct {
	// Agent and Tool are required. All five: at most 255 bytes of UTF-8
	// without control characters.
	Project string `json:"project,omitempty"`
	Agent   string `json:"agent"`
	Session string `json:"session,omitempty"`
	User    string `json:"user,omitempty"`
	Tool    string `json:"tool"`

	// Arguments is a digest of the exact arguments; see [Book.Digest].
	// Required.
	Arguments Digest `json:"arguments"`

	// PolicyDigest is a digest of the policy that escalated the call, in
	// whatever form the caller has one; PolicyID and RuleID name it. The
	// digest and the policy are required. Each at most 2,048 bytes.
	PolicyDigest string `json:"policyDigest"`
	PolicyID     string `json:"policyId"`
	RuleID       string `json:"ruleId,omitempty"`
}

// Digest is a digest of the arguments of a call, 32 bytes. The zero Digest is
// none.
type Digest [sha256.Size]byte

// String returns 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText returns what String returns.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("%w digest: %d characters", ErrInvalid, len(text))
	}
	if _, err := hex.Decode(d[:], text); err != nil {
		return fmt.Errorf("%w digest: %w", ErrInvalid, err)
	}
	return nil
}

// check returns an error that names the first part that is out of bounds. It
// quotes no values.
func (b *Binding) check() error {
	for _, f := range [...]struct {
		name, value string
		most        int
		required    bool
	}{
		{"project", b.Project, rules.MaxName, false},
		{"agent", b.Agent, rules.MaxName, true},
		{"session", b.Session, rules.MaxName, false},
		{"user", b.User, rules.MaxName, false},
		{"tool", b.Tool, rules.MaxName, true},
		{"policy digest", b.PolicyDigest, maxPolicyText, true},
		{"policy", b.PolicyID, maxPolicyText, true},
		{"rule", b.RuleID, maxPolicyText, false},
	} {
		if f.required && f.value == "" {
			return fmt.Errorf("%w binding: no %s", ErrInvalid, f.name)
		}
		if !plain(f.value, f.most) {
			return fmt.Errorf("%w binding: the %s is longer than %d bytes, no UTF-8, or has a control character", ErrInvalid, f.name, f.most)
		}
	}
	if b.Arguments == (Digest{}) {
		return fmt.Errorf("%w binding: no digest of the arguments", ErrInvalid)
	}
	return nil
}

// plain reports whether s is at most most bytes of UTF-8 without control
// characters. Invalid UTF-8 would not survive JSON: two texts could become one.
func plain(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// equal compares in a time that tells nothing of where the two differ.
func (b *Binding) equal(c *Binding) bool {
	x, y := sha256.Sum256(b.encode(nil)), sha256.Sum256(c.encode(nil))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// encode appends every part, so that no two bindings give the same bytes.
func (b *Binding) encode(e encoder) encoder {
	e = e.text(b.Project).text(b.Agent).text(b.Session).text(b.User).text(b.Tool)
	return e.bytes(b.Arguments[:]).text(b.PolicyDigest).text(b.PolicyID).text(b.RuleID)
}
