package evaluator_test

import (
	"os"
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
