package approval

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// encoder collects what a code authenticates: every part after its length, so
// that no two lists of parts give the same bytes.
type encoder []byte

func (e encoder) number(n uint64) encoder { return binary.BigEndian.AppendUint64(e, n) }

func (e encoder) text(s string) encoder { return append(e.number(uint64(len(s))), s...) }

func (e encoder) bytes(b []byte) encoder { return append(e.number(uint64(len(b))), b...) }

func (e encoder) time(t time.Time) encoder { return e.number(uint64(t.UnixMilli())) }

func (e encoder) bool(b bool) encoder {
	if b {
		return append(e, 1)
	}
	return append(e, 0)
}

// header begins every entry of a store; the code follows in hexadecimal, and
// the body in a line of its own.
const header = "veto-approval 1 "

// seal returns the entry name with this body.
func (k *Key) seal(name string, body []byte) []byte {
	code := sum(k.file, encoder(nil).text(name).bytes(body))
	entry := append([]byte(header), hex.EncodeToString(code)...)
	return append(append(append(entry, '\n'), body...), '\n')
}

// unseal returns the body of the entry name. It is the bytes of the whole that
// must be right, not what they can be read as: a capital among the digits, or
// a space too much, is a change like any other.
func (k *Key) unseal(name string, entry []byte) ([]byte, error) {
	_, body, ok := bytes.Cut(entry, []byte{'\n'})
	if !ok || len(body) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrForged, name)
	}
	body = body[:len(body)-1]
	if !hmac.Equal(entry, k.seal(name, body)) {
		return nil, fmt.Errorf("%w: %s", ErrForged, name)
	}
	return body, nil
}

// milliseconds returns t as it is kept.
func milliseconds(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }
