package vetoredis

import "encoding/binary"

// Amounts are 39 digits here, and on their way to the script and back three
// limbs of 13 digits each, the highest first, in six bytes each: so the script
// reads and writes them at once.
const (
	amountDigits = limbs * limbDigits
	amountBytes  = limbs * limbBytes

	limbs      = 3
	limbDigits = 13
	limbBytes  = 6
	limb       = 1e13
)

func isAmount(text string) bool {
	if len(text) != amountDigits {
		return false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// appendAmount encodes text, which is an amount.
func appendAmount(dst []byte, text string) []byte {
	for ; text != ""; text = text[limbDigits:] {
		n := uint64(0)
		for i := range limbDigits {
			n = n*10 + uint64(text[i]-'0')
		}
		var bytes [8]byte
		binary.BigEndian.PutUint64(bytes[:], n)
		dst = append(dst, bytes[8-limbBytes:]...)
	}
	return dst
}

// amount reads one as text.
func (r *reply) amount() string {
	var text [amountDigits]byte
	for i := range limbs {
		n := r.uint(limbBytes)
		r.bad = r.bad || n >= limb
		for j := limbDigits - 1; j >= 0; j-- {
			text[i*limbDigits+j] = byte('0' + n%10)
			n /= 10
		}
	}
	return string(text[:])
}
