package evaluator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A call that took no token gives none back, and neither does one whose token
// may have come in again since.
func TestBucketGivesBackWhatItTook(t *testing.T) {
	l := &limit{meter: TokenBucket, max: 2, window: 2 * time.Second}
	left := func(m *bucketMeter, at int64) (n int) {
		for fits, _ := m.look(at, &take{limit: l}); fits; fits, _ = m.look(at, &take{limit: l}) {
			m.add(at, &take{limit: l})
			n++
		}
		return n
	}
	m := newBucket(2, 2*time.Second)
	require.Equal(t, 2, left(m, 0))
	past := &take{limit: l} // that a human has approved
	m.add(0, past)
	m.remove(0, past)
	require.Zero(t, left(m, 0))

	m = newBucket(2, 2*time.Second)
	slow := &take{limit: l}
	m.add(0, slow)
	require.Equal(t, 1, left(m, 0))
	require.Equal(t, 2, left(m, 2e9))
	m.remove(2e9, slow)
	require.Zero(t, left(m, 2e9))

	m = newBucket(2, 2*time.Second)
	quick := &take{limit: l}
	m.add(0, quick)
	m.remove(5e8, quick)
	require.Equal(t, 2, left(m, 5e8))
}
