package twin

import (
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/useveto/veto-go/rules"
)

const domainLabel = `[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?`

var (
	percentEscape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	driveLetter   = regexp.MustCompile(`/[A-Za-z]:`)
	// No (?i) here: it folds the Kelvin sign and the long s into ASCII.
	domainName   = regexp.MustCompile(`^` + domainLabel + `(?:\.` + domainLabel + `)*$`)
	localPart    = regexp.MustCompile(`^[A-Za-z0-9._+'-]{1,64}$`)
	numericLabel = regexp.MustCompile(`^(?:[0-9]+|0[xX].*)$`)
	portNumber   = regexp.MustCompile(`^[1-9][0-9]*$`)
)

// within reports whether the path is one of the directories or below one.
func within(value string, dirs []string) bool {
	if !strings.HasPrefix(value, "/") || strings.ContainsFunc(value, unicode.IsControl) ||
		strings.Contains(value, `\`) || percentEscape.MatchString(value) || driveLetter.MatchString(value) ||
		slices.Contains(strings.Split(value, "/"), "..") {
		return false
	}
	clean := path.Clean(value)
	return slices.ContainsFunc(dirs, func(dir string) bool {
		return clean == dir || strings.HasPrefix(clean, strings.TrimSuffix(dir, "/")+"/")
	})
}

// hosts reports whether the URL points to one of the hosts.
func hosts(value string, c rules.Constraint) bool {
	if c.NoQuery && strings.ContainsAny(value, "?#") {
		return false
	}
	if c.AssumeScheme == "https" && !strings.Contains(value, "//") {
		value = "https://" + value
	}
	scheme, rest := "https", ""
	switch {
	case strings.HasPrefix(value, "https://"):
		rest = value[len("https://"):]
	case strings.HasPrefix(value, "http://"):
		scheme, rest = "http", value[len("http://"):]
	default:
		return false
	}
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	if strings.ContainsAny(authority, `@\% `) || strings.ContainsFunc(authority, unicode.IsControl) {
		return false
	}
	host, port, hasPort := splitPort(authority)
	standard := map[string]string{"http": "80", "https": "443"}[scheme]
	if !hasPort {
		port = standard
	} else if !portNumber.MatchString(port) {
		return false
	}
	name, ip, ok := hostName(host)
	if !ok {
		return false
	}
	return slices.ContainsFunc(c.Hosts, func(pattern string) bool {
		if after, secure := strings.CutPrefix(pattern, "https://"); secure {
			if scheme != "https" {
				return false
			}
			pattern = after
		}
		want, wantPort := pattern, standard
		if h, p, has := splitPort(pattern); has {
			want, wantPort = h, p
		}
		if port != wantPort {
			return false
		}
		if ip.IsValid() {
			addr, err := netip.ParseAddr(strings.Trim(want, "[]"))
			return err == nil && addr == ip
		}
		return matchDomain(want, name)
	})
}

// splitPort cuts the port off. An IPv6 address with a port is in brackets;
// without, a pattern may leave the brackets out.
func splitPort(s string) (host, port string, has bool) {
	i := strings.LastIndex(s, ":")
	if i < 0 || strings.HasSuffix(s, "]") || !strings.HasPrefix(s, "[") && strings.Count(s, ":") > 1 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// hostName returns a domain name, or the address of an IP literal.
func hostName(host string) (name string, ip netip.Addr, ok bool) {
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		ip, err := netip.ParseAddr(host[1 : len(host)-1])
		return "", ip, err == nil && ip.Is6() && ip.Zone() == "" && ip.String() == host[1:len(host)-1]
	}
	if !isDomain(host) {
		return "", ip, false
	}
	if numericLabel.MatchString(host[strings.LastIndex(host, ".")+1:]) {
		ip, err := netip.ParseAddr(host)
		return "", ip, err == nil && ip.String() == host
	}
	return host, ip, true
}

func isDomain(s string) bool { return len(s) <= 253 && domainName.MatchString(s) }

// matchDomain matches an exact name, or "*." and a name for all below it.
func matchDomain(pattern, name string) bool {
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(name, suffix) && len(name) > len(suffix)
	}
	return pattern == name
}

// email reports whether value is one address at one of the domains.
func email(value string, domains []string) bool {
	local, domain, _ := strings.Cut(value, "@")
	return localPart.MatchString(local) && isDomain(domain) &&
		slices.ContainsFunc(domains, func(pattern string) bool { return matchDomain(pattern, domain) })
}
