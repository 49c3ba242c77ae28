package evaluator

import (
	"slices"
	"strconv"
	"time"
)

// valueMeter is the different values of one key in (now-window, now], or since
// a session began where window is 0, each with the time of its last use.
type valueMeter struct {
	window int64
	oldest int64 // no value is older
	values map[string]valueUse
	uses   uint64 // so far
	paid   int    // counters beside itself whose room it has
}

// valueUse is the last use of a value. Two may be of the same time, so each
// has a number of its own.
type valueUse struct {
	at     int64
	number uint64
}

// maxSorted is up to how many values are sorted to say how long to wait; a
// caller past them, whose waiting is not worth that, is told the least.
const maxSorted = 4096

// expire drops the values that left the window. It looks at them only when
// the oldest may have.
func (m *valueMeter) expire(now int64) {
	if m.window == 0 || len(m.values) == 0 || m.oldest > now-m.window {
		return
	}
	m.oldest = now
	for v, use := range m.values {
		if use.at <= now-m.window {
			delete(m.values, v)
		} else {
			m.oldest = min(m.oldest, use.at)
		}
	}
}

func (m *valueMeter) look(now int64, t *take) (bool, time.Duration) {
	m.expire(now)
	if _, known := m.values[string(t.value)]; known || len(m.values) < t.limit.max {
		return true, 0
	}
	return false, m.until(now, len(m.values)+1-t.limit.max)
}

// until returns how long it is until so many values have left the window; 0
// where they never do.
func (m *valueMeter) until(now int64, values int) time.Duration {
	if m.window == 0 || values <= 0 {
		return 0
	}
	if len(m.values) > maxSorted {
		return time.Duration(m.oldest + m.window - now) // not before that
	}
	times := make([]int64, 0, len(m.values))
	for _, use := range m.values {
		times = append(times, use.at)
	}
	slices.Sort(times)
	return time.Duration(times[min(values, len(times))-1] + m.window - now)
}

func (m *valueMeter) add(now int64, t *take) {
	if t.before, t.known = m.values[string(t.value)]; !t.known && len(m.values) == 0 {
		m.oldest = now
	}
	m.uses++
	t.at, t.use = now, m.uses
	m.values[string(t.value)] = valueUse{now, t.use}
}

// remove puts the use before the call back, unless the value was used again.
func (m *valueMeter) remove(_ int64, t *take) {
	switch use, ok := m.values[string(t.value)]; {
	case !ok || use != (valueUse{t.at, t.use}):
	case t.known:
		m.values[string(t.value)] = t.before
		m.oldest = min(m.oldest, t.before.at)
	default:
		delete(m.values, string(t.value))
	}
}

func (m *valueMeter) usage(now int64) Usage {
	m.expire(now)
	u := Usage{Used: strconv.Itoa(len(m.values))}
	u.ResetIn = m.until(now, len(m.values))
	return u
}

func (m *valueMeter) idle(now int64) bool {
	m.expire(now)
	return len(m.values) == 0
}
