package evaluator

import (
	"math"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// bucketMeter is a token bucket, that of golang.org/x/time/rate: as many calls
// at once as the limit says, and then one each window/maxCalls. It paces calls
// smoothly, and promises less than a rolling window: a window that begins with
// a full bucket can hold nearly twice the limit.
type bucketMeter struct {
	limiter *rate.Limiter
	max     int
	window  time.Duration
}

func newBucket(calls int, window time.Duration) *bucketMeter {
	m := &bucketMeter{window: window}
	m.refill(0, calls, 0)
	return m
}

// instant is a time of a State for a limiter, which only looks at differences.
func instant(at int64) time.Time { return time.Unix(0, at) }

// fit follows a reload that changed the number: what is missing stays missing.
func (m *bucketMeter) fit(now int64, calls int) {
	if calls != m.max {
		m.refill(now, calls, m.missing(now))
	}
}

// missing is how many tokens the bucket lacks, rounded up.
func (m *bucketMeter) missing(now int64) int {
	return int(math.Ceil(float64(m.max) - m.limiter.TokensAt(instant(now))))
}

// refill makes the bucket anew, with so many tokens missing: also more than it
// holds, after a reload that lowered the number.
func (m *bucketMeter) refill(now int64, calls, missing int) {
	m.max = calls
	missing = max(missing, 0)
	most := max(calls, missing)
	m.limiter = rate.NewLimiter(rate.Limit(float64(calls)/m.window.Seconds()), most)
	at := instant(now)
	m.limiter.ReserveN(at, missing)
	if most > calls {
		// A larger bucket was full before: take away what it held more.
		m.limiter.ReserveN(at, most-calls)
		m.limiter.SetBurstAt(at, calls)
	}
}

func (m *bucketMeter) look(now int64, t *take) (bool, time.Duration) {
	m.fit(now, t.limit.max)
	tokens := m.limiter.TokensAt(instant(now))
	if tokens >= 1 {
		return true, 0
	}
	return false, m.until(tokens, 1)
}

// until returns how long it is until there are so many tokens.
func (m *bucketMeter) until(tokens, want float64) time.Duration {
	return time.Duration(math.Ceil((want - tokens) / float64(m.limiter.Limit()) * float64(time.Second)))
}

func (m *bucketMeter) add(now int64, t *take) {
	t.at = now
	t.known = m.limiter.AllowN(instant(now), 1) // not, where a human approved it
}

// remove puts the token back that the call took, unless one has come in since:
// that might have found the bucket full. A limiter cannot be handed a token, so
// it is made anew; what is between two tokens is lost.
func (m *bucketMeter) remove(now int64, t *take) {
	if !t.known || now-t.at >= int64(m.window)/int64(max(m.max, t.limit.max)) {
		return
	}
	m.refill(now, m.max, m.missing(now)-1)
}

func (m *bucketMeter) usage(now int64) Usage {
	tokens := m.limiter.TokensAt(instant(now))
	return Usage{Used: strconv.Itoa(m.missing(now)), ResetIn: m.until(tokens, float64(m.max))}
}

func (m *bucketMeter) idle(now int64) bool {
	return m.limiter.TokensAt(instant(now)) >= float64(m.max)
}
