package constraint

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What Host gives to conditions is a name or a canonical address, or nothing.
func TestHost(t *testing.T) {
	label := strings.Repeat("a", 63)
	name := strings.Repeat(label+".", 3) + strings.Repeat("a", 61) // 253
	for u, want := range map[string]string{
		"https://Example.COM/x": "example.com", "http://example.com:8080": "example.com", "https://a-b.example": "a-b.example",
		"https://192.0.2.1": "192.0.2.1", "https://[2001:db8::1]:8443/": "2001:db8::1", "https://[::ffff:192.0.2.1]": "::ffff:192.0.2.1",
		"https://" + label + ".example": label + ".example", "https://" + name: name, "https://x0x7f": "x0x7f", "https://0x7f.example": "0x7f.example",

		"": "", "https://": "", "example.com": "", "https://" + label + "a.example": "", "https://" + name + "a": "",
		"https://0x7f000001": "", "https://0X7f": "", "https://127.0x1": "", "https://0x": "", "https://example.0xzz": "",
		"https://127.1": "", "https://2130706433": "", "https://127.0.0.01": "", "https://256.0.0.1": "", "https://example.1": "",
		"https://[::1": "", "https://[::1]x": "", "https://[::1]:": "", "https://[::0001]": "", "https://[fe80::1%eth0]": "", "https://[]": "",
		"https://example.com\\.evil.org": "", "https://example.com%2f.evil.org": "", "https://example.com/\x7f": "", "https://ann@example.com": "",
	} {
		host, ok := Host(u)
		require.Equal(t, want, host, "%q", u)
		require.Equal(t, want != "", ok, "%q", u)
	}
}
