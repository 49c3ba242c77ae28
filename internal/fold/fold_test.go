package fold

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

// For every character and all that fold with it, the forms agree with
// strings.EqualFold.
func TestAppendAgreesWithEqualFold(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0xd800 && r < 0xe000 {
			continue
		}
		a := string(r)
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			require.True(t, strings.EqualFold(a, string(f)))
			require.Equal(t, Append(nil, a), Append(nil, string(f)), "%U %U", r, f)
		}
	}
	require.Equal(t, "kind", string(Append(nil, "\u212AIND")))
	require.Equal(t, "pass", string(Append(nil, "pa\u017FS")))
	require.NotEqual(t, Append(nil, "ß"), Append(nil, "ss"))
}
