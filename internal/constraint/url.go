package constraint

import (
	"net/netip"
	"strconv"
	"strings"
)

// address is where a URL points to.
type address struct {
	https bool
	host  string // as written; without brackets where it is an IPv6 address
	ip    bool   // host is an IP address in canonical form
	port  int
}

// parseURL reads the address of an http or https URL. It knows one way to
// write an address and refuses every other: what two parsers could read
// differently is not an address here. With assume, a text without "//" is
// read as if it began with "https://".
func parseURL(s string, assume bool) (a address, ok bool) {
	if !PlainText(s) {
		return a, false
	}
	var rest string
	if rest, ok = strings.CutPrefix(s, "https://"); ok {
		a.https = true
	} else if rest, ok = strings.CutPrefix(s, "http://"); !ok {
		if !assume || strings.Contains(s, "//") {
			return a, false
		}
		a.https, rest = true, s
	}
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	host, port, hasPort := rest, "", false
	if strings.HasPrefix(rest, "[") {
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return a, false
		}
		host, port = rest[:end+1], rest[end+1:]
		if port != "" {
			if port, hasPort = strings.CutPrefix(port, ":"); !hasPort {
				return a, false
			}
		}
	} else {
		host, port, hasPort = strings.Cut(rest, ":")
	}
	a.port = 80
	if a.https {
		a.port = 443
	}
	if hasPort {
		if a.port, ok = parsePort(port); !ok {
			return a, false
		}
	}
	return a, a.setHost(host)
}

// setHost takes a name of letters, digits and hyphens, or an IP address in
// its canonical form. Browsers and resolvers read a name whose last label is
// a number, or begins with 0x, as an IPv4 address in other clothes.
func (a *address) setHost(host string) bool {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner = strings.TrimSuffix(inner, "]")
		a.host, a.ip = inner, true
		return canonicalIP(inner, true)
	}
	a.host = host
	if numericLast(host) {
		a.ip = true
		return canonicalIP(host, false)
	}
	return isDomain(host)
}

func numericLast(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if len(last) >= 2 && last[0] == '0' && last[1]|0x20 == 'x' {
		return true
	}
	for i := range len(last) {
		if last[i] < '0' || last[i] > '9' {
			return false
		}
	}
	return last != ""
}

func canonicalIP(s string, v6 bool) bool {
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" || ip.Is4() == v6 {
		return false
	}
	var buf [64]byte
	return string(ip.AppendTo(buf[:0])) == s
}

func parsePort(s string) (int, bool) {
	if len(s) == 0 || len(s) > 5 || s[0] < '1' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil
}

// isDomain reports whether s is a name of labels of ASCII letters, digits and
// inner hyphens, without a dot at its end.
func isDomain(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for s != "" {
		label, rest, more := strings.Cut(s, ".")
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || more && rest == "" {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !isLetter(c) && c != '-' && (c < '0' || c > '9') {
				return false
			}
		}
		s = rest
	}
	return true
}

// Host returns the host that an http or https URL points to, in lower case;
// an IPv6 address without its brackets. It returns false for what is not
// written plainly; see parseURL.
func Host(url string) (string, bool) {
	a, ok := parseURL(url, false)
	if !ok {
		return "", false
	}
	return strings.ToLower(a.host), true
}

// hostPattern is a pattern of hosts.
type hostPattern struct {
	domainPattern
	https bool // only https
	port  int  // 0: the port of the scheme
}

// domainPattern is an exact domain or IP address, or the domains below one.
type domainPattern struct {
	name  string // in lower case; of a wildcard with the leading dot
	below bool
}

func newDomainPattern(s string) domainPattern {
	s = strings.ToLower(s)
	if rest, ok := strings.CutPrefix(s, "*"); ok {
		return domainPattern{name: rest, below: true}
	}
	return domainPattern{name: s}
}

// matches reports whether a domain matches; ASCII case does not count.
func (p *domainPattern) matches(domain string) bool {
	if !p.below {
		return equalASCII(domain, p.name)
	}
	n := len(domain) - len(p.name)
	return n > 0 && equalASCII(domain[n:], p.name)
}

// equalASCII reports whether s is lower, which is in lower case, when ASCII
// case does not count.
func equalASCII(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// newHostPattern reads a pattern that validation has accepted.
func newHostPattern(s string) hostPattern {
	var p hostPattern
	s, p.https = strings.CutPrefix(s, "https://")
	if inner, ok := strings.CutPrefix(s, "["); ok {
		host, port, _ := strings.Cut(inner, "]")
		p.port, _ = parsePort(strings.TrimPrefix(port, ":"))
		p.domainPattern = domainPattern{name: strings.ToLower(host)}
		return p
	}
	if strings.Count(s, ":") == 1 {
		var port string
		s, port, _ = strings.Cut(s, ":")
		p.port, _ = parsePort(port)
	}
	p.domainPattern = newDomainPattern(s)
	return p
}

// matches reports whether the address is the pattern's. The port must be the
// one that the pattern names, and otherwise the scheme's own.
func (p *hostPattern) matches(a *address) bool {
	if p.https && !a.https {
		return false
	}
	want := p.port
	if want == 0 {
		if want = 80; a.https {
			want = 443
		}
	}
	if a.port != want || a.ip && p.below {
		return false
	}
	return p.domainPattern.matches(a.host)
}
