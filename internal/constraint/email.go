package constraint

import "strings"

// EmailDomain returns the domain, in lower case, of exactly one e-mail
// address: 1 to 64 of letters, digits and ._+'- , one "@", and a domain name.
// It returns false for anything else: display names, comments, quotes, lists
// and addresses with other characters.
func EmailDomain(address string) (string, bool) {
	domain, ok := emailDomain(address)
	return strings.ToLower(domain), ok
}

func emailDomain(address string) (string, bool) {
	local, domain, _ := strings.Cut(address, "@")
	if local == "" || len(local) > 64 || !isDomain(domain) {
		return "", false
	}
	for i := range len(local) {
		c := local[i]
		if !isLetter(c) && (c < '0' || c > '9') && strings.IndexByte("._+'-", c) < 0 {
			return "", false
		}
	}
	return domain, true
}
