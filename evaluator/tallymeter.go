package evaluator

import (
	"strconv"
	"time"
)

// tallyMeter is a counter of a session that goes up and down, never below
// zero.
type tallyMeter struct {
	n     int
	downs uint64 // how often it went down
}

// after is the count with the call in it.
func (m *tallyMeter) after(by int) int { return max(0, m.n+by) }

func (m *tallyMeter) look(_ int64, t *take) (bool, time.Duration) {
	return m.after(t.by) <= t.limit.max, 0
}

func (m *tallyMeter) add(_ int64, t *take) {
	before := m.n
	m.n = m.after(t.by)
	if t.by < 0 {
		m.downs++
	}
	t.by, t.use = m.n-before, m.downs // what is to be taken back, and when
}

// remove takes back what the call did; not an increment when the count has
// gone down since, which may have been that of this call.
func (m *tallyMeter) remove(_ int64, t *take) {
	if t.by < 0 || t.use == m.downs {
		m.n = m.after(-t.by)
	}
}

func (m *tallyMeter) usage(int64) Usage { return Usage{Used: strconv.Itoa(m.n)} }

func (m *tallyMeter) idle(int64) bool { return m.n == 0 }
