package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every engine gives the same answer to a thousand random calls, of which
// many are allowed and many are not; so the figures compare like with like.
func TestSameAnswers(t *testing.T) {
	for _, s := range sizes {
		t.Run(s.String(), func(t *testing.T) {
			calls := s.random(1000)
			if testing.Short() {
				calls = calls[:100]
			}
			engines := allEngines(s)
			want := make([]bool, len(calls))
			allowed := 0
			for i := range calls {
				if want[i] = engines[0].decide(&calls[i]); want[i] {
					allowed++
				}
			}
			require.Greater(t, allowed, len(calls)/10)
			require.Less(t, allowed, len(calls)*9/10)
			for _, e := range engines[1:] {
				if e.name == "casbin" && s.agents >= 1000 && !testing.Short() {
					calls = calls[:100] // it looks at every line for every call
				}
				for i := range calls {
					require.Equal(t, want[i], e.decide(&calls[i]), "%s: %+v", e.name, calls[i])
				}
			}
		})
	}
}

// Deciding allocates nothing, at every size, on both paths.
func TestNoAllocations(t *testing.T) {
	for _, s := range sizes {
		e := vetoEngine(s)
		allow, deny := s.allowed(), s.denied()
		require.True(t, e.decide(&allow))
		require.False(t, e.decide(&deny))
		require.Zero(t, allocs(func() { e.decide(&allow) }), s)
		require.Zero(t, allocs(func() { e.decide(&deny) }), s)
	}
}
