package vetoredis

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/useveto/veto-go/evaluator"
)

// Keys are the prefix, a digest of the project in braces, what kind of thing
// it is, and a digest of what it is about:
//
//	veto:{KCCYcqWEjoMzvhYLNKbZ9g}:c:<43 characters>
//
// c, b, s and v are counters (see letter), h sessions, a the registers of
// agents.
//
// So all keys of a project are on one server of a cluster, and they say
// nothing of the agents, users and values that they are about. Digests are
// SHA-256; that of the project is cut to 128 bits, since the other one is of
// the project too.

// digest is one of several texts, each of which counts.
func digest(parts ...string) [sha256.Size]byte {
	var stack [600]byte
	text := stack[:0]
	for _, p := range parts {
		text = binary.AppendUvarint(text, uint64(len(p)))
		text = append(text, p...)
	}
	return sha256.Sum256(text)
}

// space begins the keys of a project.
func (s *Store) space(dst []byte, project string) []byte {
	sum := digest(project)
	dst = append(append(dst, s.opts.Prefix...), '{')
	dst = base64.RawURLEncoding.AppendEncode(dst, sum[:16])
	return append(dst, '}', ':')
}

// maxSpace is the most bytes that begin a key.
const maxSpace = maxPrefix + 22 + 3

// key is that of something in a space.
func key(space []byte, kind byte, sum [sha256.Size]byte) string {
	var stack [maxSpace + 2 + 43]byte
	text := append(append(stack[:0], space...), kind, ':')
	return string(base64.RawURLEncoding.AppendEncode(text, sum[:]))
}

// field is the counter of a session.
func field(kind byte, t *evaluator.Take) string {
	sum := sha256.Sum256(t.Key)
	var stack [1 + sha256.Size]byte
	return string(append(append(stack[:0], kind), sum[:]...))
}

// digestOfValue is one of a value that is counted, and of its counter.
func digestOfValue(t *evaluator.Take) [sha256.Size]byte {
	text := make([]byte, 0, len(t.Key)+len(t.Value)+binary.MaxVarintLen64)
	text = binary.AppendUvarint(text, uint64(len(t.Key)))
	text = append(append(text, t.Key...), t.Value...)
	return sha256.Sum256(text)
}
