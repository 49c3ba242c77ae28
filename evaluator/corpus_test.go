package evaluator_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/corpus"
)

// cases reads the corpus: what a decision means, in files.
func cases(t *testing.T) []*corpus.Case {
	t.Helper()
	all, err := corpus.Load(os.DirFS("testdata"))
	require.NoError(t, err)
	return all
}

func TestCorpus(t *testing.T) {
	for _, c := range cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			if differ := c.Run(); len(differ) > 0 {
				t.Errorf("%s\n%s", c.Prose, strings.Join(differ, "\n"))
			}
		})
	}
}

// A case that is lost, with a directory that was not read or a section that
// nobody cites any more, is noticed: the table in testdata/README.md and the
// cases agree.
func TestCorpusCoversEverySection(t *testing.T) {
	readme, err := os.ReadFile("testdata/README.md")
	require.NoError(t, err)
	known := make(map[string]int)
	for _, m := range regexp.MustCompile(`(?m)^\| ([0-9][^|]*) \|`).FindAllStringSubmatch(string(readme), -1) {
		known[m[1]] = 0
	}
	require.Len(t, known, 18)

	all := cases(t)
	require.GreaterOrEqual(t, len(all), 415)
	prose := make(map[string]string)
	for _, c := range all {
		require.NotEmpty(t, c.Sections, c.Name)
		for _, s := range c.Sections {
			require.Contains(t, known, s, "%s names a section that the table has not", c.Name)
			known[s]++
		}
		require.Greater(t, len(strings.Fields(c.Prose)), 5, "%s does not say what it guards", c.Name)
		require.Empty(t, prose[c.Prose], "%s says what another case says", c.Name)
		prose[c.Prose] = c.Name
	}
	for s, n := range known {
		require.NotZero(t, n, "no case is about section %s", s)
	}
}
