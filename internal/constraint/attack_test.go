package constraint

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

// A constraint on the elements holds for every element, at any depth, and an
// array is not its element.
func TestAttack_A5_EveryElement(t *testing.T) {
	set := compileSet(t, map[string]rules.Constraint{"/to/*/email": {EmailDomains: []string{"example.com"}}})
	for args, want := range map[string]Verdict{
		`{"to":[{"email":"a@example.com"},{"email":"b@example.com"}]}`:   Pass,
		`{"to":[{"email":"a@example.com"},{"email":"eve@evil.org"}]}`:    Violated,
		`{"to":[{"email":"a@example.com"},{"email":["b@example.com"]}]}`: Hard,
		`{"to":[{"email":"a@example.com"},{"mail":"eve@evil.org"}]}`:     Hard,
		`{"to":[{"email":"a@example.com"},"eve@evil.org"]}`:              Hard,
		`{"to":{"x":{"email":"a@example.com"}}}`:                         Pass,
		`{"to":{"x":{"email":"eve@evil.org"}}}`:                          Violated,
		`{"to":{"email":"a@example.com"}}`:                               Hard,
		`{"to":"a@example.com"}`:                                         Hard,
		`{"to":[]}`:                                                      Hard,
	} {
		require.Equal(t, want, eval(t, set, args, false).Verdict, args)
	}
}

// What an unanchored expression finds is the author's doing, and match does
// not have the trap; "$" does not let a line break pass; expressions that
// explode are bounded.
func TestAttack_A8_Regex(t *testing.T) {
	search := compileSet(t, map[string]rules.Constraint{"p": {Regex: text(`@example\.com`)}})
	whole := compileSet(t, map[string]rules.Constraint{"p": {Match: text(`[a-z]+@example\.com`)}})
	anchored := compileSet(t, map[string]rules.Constraint{"p": {Regex: text(`^[a-z]+@example\.com$`)}})
	for _, p := range []string{"evil@example.com.attacker.io", "evil@example.com\\n", "evil@example.com\\nBcc: x@y.z", "x evil@example.com"} {
		args := `{"p":"` + p + `"}`
		require.Equal(t, Pass, eval(t, search, args, false).Verdict, "search finds it: %s", p)
		require.Equal(t, Violated, eval(t, whole, args, false).Verdict, p)
		require.Equal(t, Violated, eval(t, anchored, args, false).Verdict, p)
	}
	// A class of characters that was meant as a word lets everything with
	// another character through.
	class := compileSet(t, map[string]rules.Constraint{"p": {Regex: text(`.*@[^x.com$].*`)}})
	require.Equal(t, Pass, eval(t, class, `{"p":"eve@evil.org"}`, false).Verdict)
	for _, bomb := range []string{`(a{1,30}){1,30}$`, `((a{1,100}){1,10}){1,10}`, `(a?){500}a{500}`, `a{1000}{1000}`} {
		faults := rules.Validate(&rules.PolicySet{Policies: []rules.Policy{{ID: "p", AgentID: "*", Rules: []rules.Rule{{
			Type: rules.ParameterConstraint, Tools: []string{"t"}, Parameters: map[string]rules.Constraint{"p": {Regex: &bomb}},
		}}}}})
		require.NotEmpty(t, faults, bomb)
	}
}

// Every known way to write a path that is not where it seems.
// (CVE-2025-53109, CVE-2025-53110, CVE-2025-54794)
func TestAttack_F1_Paths(t *testing.T) {
	for p, want := range map[string]bool{
		"/home/a": true, "/home/a/": true, "/home/a/b": true, "/home/a/./b": true, "/home/a//b": true, "//home/a": true,
		"/home/./a/x": true, "/home/a/...": true, "/home/a/..b": true, "/home/a/b..": true, "/home/a/100%": true, "/home/a/50%off": true,
		"/home/a/é": true,

		"": false, ".": false, "home/a": false, "./home/a": false, "/home": false, "/home/ab": false, "/home/a b": false,
		"/home/a/..": false, "/home/a/../b": false, "/home/a/b/..": false, "/home/a/../a": false, "/home/../home/a": false, "/../home/a": false,
		"/home/a/%2e%2e/b": false, "/home/a/%2E%2e": false, "/home/a/%252e%252e/b": false, "/home/a/%00": false, "/home/a/%ff": false,
		"/home/a\x00": false, "/home/a/\n": false, "/home/a/\x7f": false, "/home/a/\u0085": false, "/home/a\\..\\b": false, "/home/a/..\\..": false,
		"C:/home/a": false, "C:rel": false, "/C:/home/a": false, "/home/a/C:x": false, `\\?\C:\home\a`: false, `\home\a`: false, "/home/A": false,
		"~/a": false, "/home/a/\xff": false, "file:///home/a": false, "/ＨＯＭＥ/a": false,
	} {
		require.Equal(t, want, Within(p, "/home/a"), "%q", p)
	}
	require.True(t, Within("/anything", "/"))
	require.True(t, Within("/", "/"))
	require.True(t, Within("/b/x", "/a", "/b"))
	require.False(t, Within("/home/a"))
}

// Every known way to write a URL that leads to another host than it seems.
func TestAttack_F2_URLs(t *testing.T) {
	hosts := &hostsCheck{}
	for _, p := range []string{"example.com", "*.example.org", "https://secure.example.net", "example.com:8443", "192.0.2.1", "[2001:db8::1]", "2001:db8::2"} {
		hosts.patterns = append(hosts.patterns, newHostPattern(p))
	}
	allowed := func(u string) bool {
		a, ok := parseURL(u, false)
		if !ok {
			return false
		}
		for i := range hosts.patterns {
			if hosts.patterns[i].matches(&a) {
				return true
			}
		}
		return false
	}
	for u, want := range map[string]bool{
		"https://example.com": true, "http://example.com/": true, "https://EXAMPLE.com/x": true, "https://example.com:443/x": true,
		"http://example.com:80": true, "https://example.com:8443/x": true, "https://example.com?q=@evil.org": true, "https://example.com#x": true,
		"https://a.example.org": true, "https://a.b.example.org": true, "https://secure.example.net": true,
		"https://192.0.2.1/": true, "http://[2001:db8::1]/": true, "http://[2001:db8::2]:80/": true, "https://example.com/a b": true,

		"https://example.org": false, "https://aexample.org": false, "https://.example.org": false, "https://evil-example.com": false,
		"http://secure.example.net": false, "https://example.com:444": false, "http://example.com:443": false, "https://example.com:80": false,
		"https://user@example.com": false, "https://example.com@evil.org": false, "https://example.com:x@evil.org": false, "https://evil.org#@example.com": false,
		"https://evil.org?example.com": false, "https://evil.org/example.com": false, "https://evil.org\\example.com": false, "https://evil.org\\@example.com": false,
		"https://example.com%40evil.org": false, "https://example.com%2eevil.org": false, "https://example.com.": false, "https://example.com.evil.org": false,
		"https://example.com:": false, "https://example.com:0443": false, "https://example.com:+443": false, "https://example.com:99999": false, "https://example.com:443:443": false,
		"https:/example.com": false, "https:example.com": false, "//example.com": false, "example.com": false, "HTTPS://example.com": false, " https://example.com": false,
		"ftp://example.com": false, "javascript://example.com": false, "https://": false, "https:///example.com": false, "https://exa mple.com": false, "https://example.com\n": false,
		"https://example.com\x00.evil.org": false, "https://exam\tple.com": false, "https://xn--exmple-cua.com": false, "https://exаmple.com": false, "https://example。com": false,
		"https://169.254.169.254/": false, "https://0x7f.1/": false, "https://2130706433/": false, "https://0177.0.0.1/": false, "https://192.0.2.01": false, "https://192.0.513": false,
		"https://192.0.2.1.": false, "https://0xc0000201/": false, "https://[::ffff:192.0.2.1]/": false, "https://[2001:DB8::1]/": false, "https://[2001:db8:0::1]/": false,
		"https://[2001:db8::1%25eth0]/": false, "https://[2001:db8::1": false, "https://2001:db8::1/": false, "https://[192.0.2.1]/": false, "https://1.example.org.2": false,
		"https://-a.example.org": false, "https://a-.example.org": false, "https://a_b.example.org": false, "https://a..example.org": false, "https://\xff.example.org": false,
	} {
		require.Equal(t, want, allowed(u), "%q", u)
	}
}

func TestEmailDomain(t *testing.T) {
	for a, want := range map[string]string{
		"a@example.com": "example.com", "A.b+c'd_e-f@Example.COM": "example.com", strings.Repeat("a", 64) + "@x.y": "x.y", "1@a": "a",
		"": "", "@example.com": "", "a@": "", "a": "", "a@b@c": "", "a b@example.com": "", "Ann <a@example.com>": "", `"a"@example.com`: "",
		"a@example.com,b@evil.org": "", "a@example.com;b@evil.org": "", "a@example.com\nBcc:b@evil.org": "", "a@example.com ": "", "a@[192.0.2.1]": "",
		"a@example..com": "", "a@.com": "", "a@example.com.": "", "a@-x.com": "", "a@exаmple.com": "", strings.Repeat("a", 65) + "@x.y": "", "é@x.y": "", "a(b)@x.y": "", "a%b@x.y": "", "a!b@x.y": "",
	} {
		domain, ok := EmailDomain(a)
		require.Equal(t, want, domain, "%q", a)
		require.Equal(t, want != "", ok, "%q", a)
	}
}

// What is within a directory is so for path.Clean too.
func FuzzWithin(f *testing.F) {
	for _, p := range []string{"/srv/a", "/srv/../etc", "/srv//a/./b", "/srv/%2e%2e", "/srvx", "srv"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		if !Within(p, "/srv/a") {
			return
		}
		clean := path.Clean(p)
		if clean != "/srv/a" && !strings.HasPrefix(clean, "/srv/a/") || strings.Contains(p, "..") && strings.Contains("/"+p+"/", "/../") || !utf8.ValidString(p) {
			t.Fatalf("%q is within", p)
		}
	})
}

// What is accepted as a URL is one for net/url, with the same host and port.
func FuzzHost(f *testing.F) {
	for _, u := range []string{"https://example.com/x", "http://a.b:80?x", "https://[::1]:8443/", "https://user@example.com", "https://192.0.2.1"} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := parseURL(s, false)
		if !ok {
			return
		}
		u, err := url.Parse(s)
		if err != nil {
			// net/url is stricter about what follows the host; the host is
			// what this is about.
			end := strings.IndexAny(s[len("https://"):], "/?#")
			if end < 0 {
				t.Fatalf("%q: %v", s, err)
			}
			if u, err = url.Parse(s[:len("https://")+end]); err != nil {
				t.Skip()
			}
		}
		if u.Hostname() != a.host || u.User != nil {
			t.Fatalf("%q leads to %q, not %q", s, u.Hostname(), a.host)
		}
	})
}
