package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every call of the table is answered as it says, and the limits with a bar
// allocate nothing.
func TestLimitCases(t *testing.T) {
	for _, c := range limitCases() {
		for _, rules := range []string{"", c.rules} {
			f := c.decider(rules)
			for range 100 {
				f()
			}
			if c.bar != 0 {
				require.Zero(t, allocs(f), c.name)
			}
		}
	}
}

func TestWorst(t *testing.T) {
	s := time.Second
	require.Equal(t, 0, worst(nil))
	require.Equal(t, 1, worst([]time.Duration{0, s, 2 * s}), "a second does not contain both its ends")
	require.Equal(t, 2, worst([]time.Duration{0, s - 1, 2 * s}))
	require.Equal(t, 3, worst([]time.Duration{0, s, s, 2*s - 1, 3 * s}))
}

// The schedule finds what a limiter with windows or a bucket lets through, and
// a rolling window lets no more through than it promises.
func TestWorstSecond(t *testing.T) {
	require.Equal(t, permitted, worst(stormByHand("window", "", quiet)))
	require.Greater(t, worst(stormByHand("bucket", `,"algorithm":"token_bucket"`, quiet)), permitted*19/10)
}

// For profiles; the tables compare.
func BenchmarkLimited(b *testing.B) {
	for _, c := range limitCases() {
		if c.now == nil {
			c.now = moving(2 * time.Microsecond) // else this would be too many calls a second
		}
		b.Run(c.name, func(b *testing.B) {
			f := c.decider(c.rules)
			for b.Loop() {
				f()
			}
		})
	}
}

func BenchmarkThroughput(b *testing.B) {
	for _, c := range throughputCases() {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.with()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/callsTogether, "ns/call")
		})
	}
}
