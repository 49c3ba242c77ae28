package corpus

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// file is one file of an archive. line is that of its first line of text.
type file struct {
	name, text string
	line       int
}

var marker = regexp.MustCompile(`^-- (\S+) --$`)

// unpack splits a case at its marker lines: the prose before the first, and
// the files.
func unpack(text string) (prose string, files []file, err error) {
	var parts []strings.Builder
	parts = append(parts, strings.Builder{})
	seen := make(map[string]bool)
	n := 0
	for line := range strings.Lines(text) {
		n++
		m := marker.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			if strings.HasPrefix(line, "-- ") {
				return "", nil, fmt.Errorf("line %d looks like the name of a file and is none", n)
			}
			parts[len(parts)-1].WriteString(line)
			continue
		}
		if seen[m[1]] {
			return "", nil, fmt.Errorf("line %d: there are two files %s", n, m[1])
		}
		seen[m[1]] = true
		files = append(files, file{name: m[1], line: n + 1})
		parts = append(parts, strings.Builder{})
	}
	for i := range files {
		files[i].text = repeat(parts[i+1].String())
	}
	return parts[0].String(), files, nil
}

var repetition = regexp.MustCompile(`<<(.+?)\*([0-9]+)>>`)

// repeat writes out every <<text*n>>.
func repeat(text string) string {
	return repetition.ReplaceAllStringFunc(text, func(s string) string {
		m := repetition.FindStringSubmatch(s)
		n, err := strconv.Atoi(m[2])
		if err != nil || n*len(m[1]) > 32<<20 {
			return s
		}
		return strings.Repeat(m[1], n)
	})
}
