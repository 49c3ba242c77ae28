package evaluator

import (
	"slices"
	"time"

	"github.com/useveto/veto-go/internal/decimal"
)

// sumMeter is the sum of the amounts of one key in (now-window, now], or of
// all since a session began where window is 0.
//
// It holds entries as a callMeter does, and is exact while there are at most
// exactEntries of them; then an amount joins the entry before it, where that
// is of the same bucket of the window, and takes it along to the later time. So
// a sum never falls early, and at most a bucket late. It holds at most
// maxSumEntries, which is 6 KiB.
type sumMeter struct {
	window  int64
	sum     decimal.Amount
	full    bool // the sum was too large
	entries []sumEntry
}

const maxSumEntries = exactEntries + buckets

type sumEntry struct {
	at     int64
	amount decimal.Amount
}

func (m *sumMeter) expire(now int64) {
	if m.window == 0 {
		return
	}
	n := 0
	for n < len(m.entries) && m.entries[n].at <= now-m.window {
		m.sum = m.sum.Minus(m.entries[n].amount)
		n++
	}
	if n > 0 {
		m.entries = m.entries[:copy(m.entries, m.entries[n:])]
		m.recount()
	}
}

// recount adds up the entries anew after something was taken from a sum that
// was too large for an Amount, and had stayed at the largest.
func (m *sumMeter) recount() {
	if !m.full {
		return
	}
	m.sum, m.full = decimal.Amount{}, false
	for _, e := range m.entries {
		m.plus(e.amount)
	}
}

func (m *sumMeter) plus(amount decimal.Amount) {
	m.sum = m.sum.Plus(amount)
	m.full = m.full || m.sum.Full()
}

func (m *sumMeter) look(now int64, t *take) (bool, time.Duration) {
	m.expire(now)
	if m.sum.Plus(t.amount).Compare(t.limit.sum) <= 0 {
		return true, 0
	}
	return false, m.until(now, t.amount, t.limit.sum)
}

// until returns how long it is until amount fits below most; 0 where it never
// does.
func (m *sumMeter) until(now int64, amount, most decimal.Amount) time.Duration {
	if m.window == 0 || amount.Compare(most) > 0 {
		return 0
	}
	rest := m.sum
	for _, e := range m.entries {
		if rest = rest.Minus(e.amount); rest.Plus(amount).Compare(most) <= 0 {
			return time.Duration(e.at + m.window - now)
		}
	}
	return 0 // not reached: with nothing left, amount fits
}

func (m *sumMeter) add(now int64, t *take) {
	t.at = now
	m.put(now, t.amount)
}

func (m *sumMeter) put(at int64, amount decimal.Amount) {
	if amount.IsZero() {
		return
	}
	m.insert(len(m.entries), at, amount)
}

// insert counts amount at a time that is later than that of entry i-1, and
// before that of entry i: in the one, where they may share, or between them.
func (m *sumMeter) insert(i int, at int64, amount decimal.Amount) {
	m.plus(amount)
	if i > 0 {
		last := &m.entries[i-1]
		if m.window == 0 || last.at == at || len(m.entries) >= exactEntries && sameBucket(last.at, at, m.window) {
			last.at, last.amount = at, last.amount.Plus(amount)
			return
		}
	}
	m.entries = slices.Insert(m.entries, i, sumEntry{at, amount})
}

// entryOf returns the entry that a take counts in, the first at its time or,
// where that was merged, after it; or -1, where it has left the window.
func (m *sumMeter) entryOf(now int64, t *take) int {
	if m.window == 0 {
		return len(m.entries) - 1
	}
	if t.at > now-m.window {
		for i := range m.entries {
			if m.entries[i].at >= t.at {
				return i
			}
		}
	}
	return -1
}

func (m *sumMeter) remove(now int64, t *take) {
	i := m.entryOf(now, t)
	if i < 0 {
		return
	}
	e := &m.entries[i]
	e.amount, m.sum = e.amount.Minus(t.amount), m.sum.Minus(t.amount)
	if e.amount.IsZero() {
		m.entries = append(m.entries[:i], m.entries[i+1:]...)
	}
	m.recount()
}

// correct makes actual what t counts.
func (m *sumMeter) correct(now int64, t *take, actual decimal.Amount) {
	switch c := actual.Compare(t.amount); {
	case c < 0:
		less := *t
		less.amount = t.amount.Minus(actual)
		m.remove(now, &less)
	case c > 0:
		more := actual.Minus(t.amount)
		switch i := m.entryOf(now, t); {
		case i < 0 && m.window != 0 && t.at <= now-m.window: // it has left the window
		case i < 0:
			m.put(t.at, more)
		case t.amount.IsZero() && m.window != 0 && !sameBucket(t.at, m.entries[i].at, m.window):
			// It is in no entry. One of its own must not come between amounts
			// and the entry that they were merged into.
			m.insert(i, t.at, more)
		default:
			m.entries[i].amount = m.entries[i].amount.Plus(more)
			m.plus(more)
		}
	}
	t.amount = actual
}

func (m *sumMeter) usage(now int64) Usage {
	m.expire(now)
	u := Usage{Used: m.sum.String()}
	if n := len(m.entries); n > 0 && m.window != 0 {
		u.ResetIn = time.Duration(m.entries[n-1].at + m.window - now)
	}
	return u
}

func (m *sumMeter) idle(now int64) bool {
	m.expire(now)
	return len(m.entries) == 0
}
