package rules

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// hostFault says what is wrong with a pattern of hosts, or returns "":
// [https://]host[:port], where host is a name, "*." and a name, or a
// canonical IP address (IPv6 in brackets where a port follows).
func hostFault(pattern string) string {
	host := strings.TrimPrefix(pattern, "https://")
	if strings.Contains(host, "/") {
		return fmt.Sprintf("%q is not a host pattern", pattern)
	}
	name, port, hasPort := cutPort(host)
	if hasPort {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || port[0] == '0' {
			return fmt.Sprintf("%q has a port that is not 1..65535", pattern)
		}
	}
	bare, bracketed := strings.CutPrefix(name, "[")
	if bracketed || strings.Contains(bare, ":") {
		if bracketed {
			bare, bracketed = strings.CutSuffix(bare, "]")
			if !bracketed {
				return fmt.Sprintf("%q is not a host pattern", pattern)
			}
		}
		if ip, err := netip.ParseAddr(bare); err != nil || !ip.Is6() || ip.Zone() != "" || ip.String() != bare {
			return fmt.Sprintf("%q is not an IPv6 address as it is written canonically", pattern)
		}
		return ""
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if strings.HasPrefix(last, "0x") || strings.HasPrefix(last, "0X") || last != "" && strings.Trim(last, "0123456789") == "" {
		if ip, err := netip.ParseAddr(name); err != nil || ip.String() != name {
			return fmt.Sprintf("%q is not an IPv4 address as it is written canonically", pattern)
		}
		return ""
	}
	if message := domainFault(name); message != "" {
		return fmt.Sprintf("%q is not a host pattern", pattern)
	}
	return ""
}

// cutPort cuts a port off a host. What has more than one colon and no
// brackets is an IPv6 address without a port.
func cutPort(host string) (name, port string, found bool) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || host[0] == '[' && host[i-1] != ']' || host[0] != '[' && strings.IndexByte(host, ':') != i {
		return host, "", false
	}
	return host[:i], host[i+1:], true
}

// domainFault says what is wrong with a domain pattern, or returns "". Names
// are ASCII letters, digits and hyphens; an IDN is written in its xn-- form,
// since letters that look alike must not match alike.
func domainFault(pattern string) string {
	name := strings.TrimPrefix(pattern, "*.")
	if name == "" || len(name) > 253 {
		return fmt.Sprintf("%.300q is not a domain", pattern)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || !isLDH(label) {
			return fmt.Sprintf("%q is not a domain", pattern)
		}
	}
	return ""
}

func isLDH(label string) bool {
	for i := range len(label) {
		c := label[i]
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}
