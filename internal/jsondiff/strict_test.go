package jsondiff

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
)

var (
	documents = flag.Uint64("documents", 200_000, "how many random documents to read both ways")
	seed      = flag.Uint64("seed", 1, "the first number of each document; the second counts from 0")
)

// TestStrictJSON reads random documents both ways.
func TestStrictJSON(t *testing.T) {
	n := *documents
	if testing.Short() {
		n = min(n, 20_000)
	}
	var (
		next   atomic.Uint64
		wg     sync.WaitGroup
		mu     sync.Mutex
		counts = make(map[string]int)
	)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var c checker
			own := make(map[string]int)
			for i := next.Add(1) - 1; i < n && !t.Failed(); i = next.Add(1) - 1 {
				tc := newCase(*seed, i)
				taken, err := c.check(tc)
				if err != nil {
					t.Errorf("document %d of seed %d, under %+v: %v\n%q", i, *seed, tc.lim, err, tc.doc)
				}
				own[taken]++
			}
			mu.Lock()
			defer mu.Unlock()
			for taken, k := range own {
				counts[taken] += k
			}
		})
	}
	wg.Wait()
	t.Logf("%d documents: %v", n, counts)
	if t.Failed() || n < 20_000 {
		return
	}
	// The documents are worth something: each way to be taken is frequent.
	for taken, least := range map[string]uint64{
		bothAccept: 5, bothRefuse: 5,
		value.FoldedKey.String(): 200, value.TooDeep.String(): 200, value.TooLarge.String(): 200, value.NumberRange.String(): 200,
	} {
		require.Greater(t, uint64(counts[taken]), n/least, taken)
	}
}

// TestListedDisagreements has each reason for which ours alone refuses, at its
// bound and past it, and that they are all.
func TestListedDisagreements(t *testing.T) {
	lim := value.Limits{Bytes: 1000, Depth: 32}
	for _, d := range []struct {
		why          value.Problem
		within, past []string
	}{
		{
			value.FoldedKey,
			[]string{`{"path":1,"Pathe":2}`, `{"a":1,"b":{"A":1}}`, `{"ß":1,"ss":2}`, `{"ı":1,"i":2,"İ":3}`, `{"é":1,"e\u0301":2}`},
			[]string{`{"path":1,"PATH":2}`, `{"kind":1,"\u212aind":2}`, `{"pass":1,"pa\u017fs":2}`, `[{"ς":1,"Σ":2}]`, `{"ß":1,"ẞ":2}`, `{"µ":1,"μ":2}`, `{"𐐀":1,"𐐨":2}`},
		},
		{
			value.TooDeep,
			[]string{strings.Repeat("[", 32) + strings.Repeat("]", 32), strings.Repeat(`{"":`, 32) + "1" + strings.Repeat("}", 32)},
			[]string{strings.Repeat("[", 33) + strings.Repeat("]", 33), strings.Repeat(`[{"":`, 16) + "[]" + strings.Repeat("}]", 16), strings.Repeat("[", 400) + strings.Repeat("]", 400)},
		},
		{
			value.TooLarge,
			[]string{fmt.Sprintf("%1000d", 1), `"` + strings.Repeat("x", 998) + `"`},
			[]string{fmt.Sprintf("%1001d", 1), `"` + strings.Repeat("x", 999) + `"`},
		},
		{
			value.NumberRange,
			[]string{"0." + strings.Repeat("1", 399), "-1.7976931348623157e308", "179769313486231580793e288", "1e-9999", "0e9999", "1e" + strings.Repeat("0", 399)},
			[]string{"0." + strings.Repeat("1", 400), "-1.8e308", "179769313486231580794e288", "1e-10000", "0e10000", "1e" + strings.Repeat("0", 400), strings.Repeat("1", 310)},
		},
	} {
		var c checker
		for _, doc := range d.within {
			taken, err := c.check(testCase{[]byte(doc), lim})
			require.NoError(t, err, doc)
			require.Equal(t, bothAccept, taken, doc)
		}
		for _, doc := range d.past {
			taken, err := c.check(testCase{[]byte(doc), lim})
			require.NoError(t, err, doc)
			require.Equal(t, d.why.String(), taken, doc)
		}
	}
}

// TestNotObject is the one disagreement that only SetGo has.
func TestNotObject(t *testing.T) {
	for _, doc := range []string{`[]`, `[{}]`, `1`, `"{}"`, `true`} {
		var c checker
		taken, err := c.check(testCase{[]byte(doc), value.DefaultLimits})
		require.NoError(t, err)
		require.Equal(t, bothAccept, taken)
		require.Equal(t, value.NotObject, c.again.SetGo(doc, value.DefaultLimits))
	}
}

// TestCalls reads the calls of -calls as they are.
func TestCalls(t *testing.T) {
	var c checker
	for _, doc := range calls(t) {
		taken, err := c.check(testCase{doc, value.DefaultLimits})
		require.NoError(t, err, "%q", doc)
		require.Equal(t, bothAccept, taken, "%q", doc)
	}
}

// FuzzStrictJSON is TestStrictJSON with documents that nobody made up.
func FuzzStrictJSON(f *testing.F) {
	for _, doc := range seeds {
		f.Add([]byte(doc))
	}
	for _, doc := range realCalls()[:20] {
		f.Add([]byte(doc))
	}
	var c checker
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, lim := range []value.Limits{value.DefaultLimits, {Bytes: 256, Depth: 4}} {
			if _, err := c.check(testCase{doc, lim}); err != nil {
				t.Fatalf("under %+v: %v\n%q", lim, err, doc)
			}
		}
	})
}
