package jsondiff

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/value"
)

var (
	callsFile = flag.String("calls", "testdata/calls.jsonl", "tool calls to measure with, one a line: an object of arguments, or one that has them as its member \"arguments\"")
	bar       = flag.Float64("bar", 0, "fail where SetJSON is not this many times as fast as json.Valid")
)

// calls reads the arguments of the tool calls in the file.
func calls(tb testing.TB) [][]byte {
	tb.Helper()
	f, err := os.Open(*callsFile)
	require.NoError(tb, err)
	defer f.Close()
	var all [][]byte
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		line := bytes.Clone(lines.Bytes())
		var call struct{ Arguments json.RawMessage }
		require.NoError(tb, json.Unmarshal(line, &call))
		if call.Arguments != nil {
			line = call.Arguments
		}
		all = append(all, line)
	}
	require.NoError(tb, lines.Err())
	require.NotEmpty(tb, all)
	return all
}

// readers are what is measured: each says whether the text is JSON.
func readers() []reader {
	tree := new(value.Tree)
	return []reader{
		{"SetJSON", func(data []byte) bool {
			p, _ := tree.SetJSON(data, value.DefaultLimits)
			return p == value.OK
		}},
		{"json.Valid", json.Valid},
		{"jsontext", func(data []byte) bool { return jsontext.Value(data).IsValid() }},
	}
}

type reader struct {
	name string
	read func([]byte) bool
}

func (r reader) all(tb testing.TB, docs [][]byte) {
	for _, doc := range docs {
		if !r.read(doc) {
			tb.Fatalf("%s refuses %s", r.name, doc)
		}
	}
}

// BenchmarkCalls reads all calls of the file in each round.
func BenchmarkCalls(b *testing.B) {
	docs := calls(b)
	size := 0
	for _, doc := range docs {
		size += len(doc)
	}
	for _, r := range readers() {
		b.Run(r.name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r.all(b, docs)
			}
		})
	}
}

// TestSpeed prints how fast the readers go over the calls of the file, and as
// a multiple of json.Valid. It takes the median of rounds in which they take
// turns, so that a busy machine slows all of them. How fast a machine is
// fails no test, unless -bar is given.
func TestSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	const rounds, slice = 41, 5 * time.Millisecond
	docs := calls(t)
	all := readers()
	samples := make([][]float64, len(all)) // nanoseconds a call
	for range rounds {
		for i, r := range all {
			start, n := time.Now(), 0
			for ; time.Since(start) < slice; n += len(docs) {
				r.all(t, docs)
			}
			samples[i] = append(samples[i], float64(time.Since(start))/float64(n))
		}
	}
	medians := make([]float64, len(all))
	for i := range samples {
		slices.Sort(samples[i])
		medians[i] = samples[i][rounds/2]
	}
	const valid = 1 // the index of json.Valid
	for i, r := range all {
		t.Logf("%-10s %6.1f ns a call, %.2f × json.Valid", r.name, medians[i], medians[valid]/medians[i])
	}
	if *bar > 0 {
		require.GreaterOrEqual(t, medians[valid]/medians[0], *bar)
	}
}

// TestAllocations: a call whose strings have no escapes is read without
// allocating, in a tree that was used before.
func TestAllocations(t *testing.T) {
	docs := slices.DeleteFunc(calls(t), func(doc []byte) bool { return bytes.IndexByte(doc, '\\') >= 0 })
	require.NotEmpty(t, docs)
	ours := readers()[0]
	require.Zero(t, testing.AllocsPerRun(10, func() { ours.all(t, docs) }))
}
