// Package nearest finds what somebody meant by a misspelt name.
package nearest

import "strings"

// Word returns the candidate that is closest to word by edit distance (a
// transposition of neighbours counts as one edit, case does not count), or ""
// where none is close enough to be worth suggesting: at most a third of the
// longer word may differ. Of equally close candidates the first is returned.
func Word(word string, candidates []string) string {
	const longest = 64 // of what people type; bounds the work
	if len(word) > longest {
		return ""
	}
	best, least := "", len(word)
	lower := strings.ToLower(word)
	for _, c := range candidates {
		if len(c) > longest || c == word {
			continue
		}
		d := distance(lower, strings.ToLower(c))
		if d <= max(len(word), len(c))/3 && (best == "" || d < least) {
			best, least = c, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of Damerau and
// Levenshtein, over bytes, in three rows.
func distance(a, b string) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}

// Hint is the sentence that suggests the nearest candidate, or "".
func Hint(word string, candidates []string) string {
	if w := Word(word, candidates); w != "" {
		return `did you mean "` + w + `"?`
	}
	return ""
}
