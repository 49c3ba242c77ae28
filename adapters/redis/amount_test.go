package vetoredis

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Amounts come back as they were sent, and a limb of 14 digits is no answer.
func TestAmountsAsBytes(t *testing.T) {
	nines := strings.Repeat("9", limbDigits)
	for _, text := range []string{
		strings.Repeat("0", amountDigits), strings.Repeat("9", amountDigits),
		"340282366920938463463374607431768211455", "0000000000001" + nines + "0000000000001",
	} {
		sent := appendAmount([]byte("x"), text)
		require.Len(t, sent, 1+amountBytes)
		r := reply{rest: string(sent[1:])}
		require.Equal(t, text, r.amount())
		require.False(t, r.bad)
		require.Empty(t, r.rest)
	}
	largest, tooLarge := "09184e729fff", "09184e72a000" // 10^13-1 and 10^13
	require.Equal(t, largest, hex.EncodeToString(appendAmount(nil, strings.Repeat("9", amountDigits))[:limbBytes]))
	for i := range limbs {
		text := strings.Repeat(largest, i) + tooLarge + strings.Repeat(largest, limbs-1-i)
		bytes, err := hex.DecodeString(text)
		require.NoError(t, err)
		r := reply{rest: string(bytes)}
		r.amount()
		require.True(t, r.bad, "limb %d", i)
	}
	r := reply{rest: "short"}
	r.amount()
	require.True(t, r.bad)
}
