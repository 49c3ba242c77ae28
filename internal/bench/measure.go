package main

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"text/tabwriter"
	"time"
)

type bench struct {
	out    *tabwriter.Writer
	rounds int
	missed []string
}

// bar notes a figure that is not what the project asks of itself.
func (b *bench) bar(ok bool, format string, args ...any) {
	if !ok {
		b.missed = append(b.missed, fmt.Sprintf(format, args...))
	}
}

func (b *bench) row(format string, args ...any) { fmt.Fprintf(b.out, format+"\t\n", args...) }

func (b *bench) title(w io.Writer, text string) {
	b.out.Flush()
	fmt.Fprintf(w, "\n%s\n\n", text)
}

// slice is how long one round of one function is.
const slice = 20 * time.Millisecond

// times returns the nanoseconds that one call of each function takes: the
// median of rounds in which they take turns.
func times(rounds int, fs ...func()) []float64 {
	counts := make([]int, len(fs))
	for i, f := range fs {
		f()
		start := time.Now()
		n := 0
		for time.Since(start) < slice/4 {
			f()
			n++
		}
		counts[i] = max(1, n*4)
	}
	samples := make([][]float64, len(fs))
	for range rounds {
		for i, f := range fs {
			start := time.Now()
			for range counts[i] {
				f()
			}
			samples[i] = append(samples[i], float64(time.Since(start).Nanoseconds())/float64(counts[i]))
		}
	}
	medians := make([]float64, len(fs))
	for i := range samples {
		slices.Sort(samples[i])
		medians[i] = samples[i][len(samples[i])/2]
	}
	return medians
}

func allocs(f func()) float64 { return testing.AllocsPerRun(100, f) }
