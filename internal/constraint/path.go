package constraint

import (
	"strings"
	"unicode/utf8"
)

// Within reports whether path is one of the directories or below it. It is
// lexical: it looks at no file system, and a symbolic link can still lead out.
//
// A path that is not absolute, not plain or that names a parent is within
// nothing: it must begin with "/" and have no control character, backslash,
// drive letter, "%" followed by two hexadecimal digits, or ".." segment.
// Empty and "." segments are passed over. Directories are absolute and clean.
func Within(path string, dirs ...string) bool {
	return Protected(nil).Within(path, dirs...)
}

// Protected are directories that nothing is within, whatever a policy says:
// where the library keeps its own log, tickets and caches, which an agent's
// tools must never write. They are absolute and clean, with forward slashes.
// It must not be changed once it is in use.
//
// A directory above a protected one is not refused: a tool that empties whole
// trees needs a policy of its own.
type Protected []string

// Within is the function [Within], and false for a path that is one of p or
// below it. For that case does not count, as there are file systems for which
// it does not.
func (p Protected) Within(path string, dirs ...string) bool {
	if !safePath(path) {
		return false
	}
	for _, dir := range p {
		if below(path, dir, true) {
			return false
		}
	}
	for _, dir := range dirs {
		if below(path, dir, false) {
			return true
		}
	}
	return false
}

func safePath(path string) bool {
	if !strings.HasPrefix(path, "/") || !PlainText(path) {
		return false
	}
	for i := range len(path) {
		if path[i] == '\\' || path[i] == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]) {
			return false
		}
	}
	for rest := path; rest != ""; {
		var s string
		if s, rest = segment(rest); s == ".." || len(s) >= 2 && isLetter(s[0]) && s[1] == ':' {
			return false
		}
	}
	return true
}

// below compares segment by segment: /home/a does not hold /home/ab.
func below(path, dir string, fold bool) bool {
	for {
		var want, got string
		if want, dir = segment(dir); want == "" {
			return true
		}
		got, path = segment(path)
		if got != want && !(fold && strings.EqualFold(got, want)) {
			return false
		}
	}
}

// segment cuts the first segment off a path, passing over empty ones and ".".
// It returns "" at the end.
func segment(path string) (first, rest string) {
	for path != "" {
		first, path, _ = strings.Cut(path, "/")
		if first != "" && first != "." {
			return first, path
		}
	}
	return "", ""
}

// PlainText reports whether s is valid UTF-8 without control characters (C0,
// DEL, C1).
func PlainText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' || 0x7f <= r && r <= 0x9f {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
