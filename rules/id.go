package rules

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// ID is a 128-bit identifier that sorts by time: a version 7 UUID (RFC 9562),
// 48 bits of Unix milliseconds and 74 random bits. The random part comes from
// the runtime's generator, which is seeded by the system: ids do not collide,
// but they are names, not secrets.
type ID [16]byte

// NewID returns an ID for the time t.
func NewID(t time.Time) (id ID) {
	ms, random := uint64(t.UnixMilli()), rand.Uint64()
	binary.BigEndian.PutUint64(id[:8], ms<<16|7<<12|random>>52)
	binary.BigEndian.PutUint64(id[8:], 2<<62|rand.Uint64()>>2)
	return id
}

// String returns the usual 36 characters of a UUID, in lower case.
func (id ID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// MarshalText returns what String returns.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (id *ID) UnmarshalText(text []byte) error {
	digits := strings.ReplaceAll(string(text), "-", "")
	if len(text) != 36 || len(digits) != 32 {
		return fmt.Errorf("rules: %q is not an id", text)
	}
	_, err := hex.Decode(id[:], []byte(digits))
	return err
}
