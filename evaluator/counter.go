package evaluator

import "time"

// counter is a rolling window: the calls of one key in (now-window, now].
//
// It holds entries of (time, number of calls), oldest first. A limit of at
// most exactCalls has an entry for each call and is exact. Above that, calls
// that fall into the same sixteenth of the window share an entry, which has
// the time of the last of them: so an entry expires when its last call does,
// quota returns at most window/16 late, and never early. A counter therefore
// never lets one call too many through, and holds at most 32 entries, or 17.
//
// This is the sliding-window log, with its memory bounded by merging
// neighbours towards the later of them. A counter of another limit number
// (after a reload) works on the same entries.
type counter struct {
	key     string
	owner   *owner
	window  int64
	latest  int64 // time never goes back for a key
	used    int
	entries []entry
}

type entry struct {
	at    int64 // nanoseconds, of the last call
	calls int32
}

const (
	exactCalls = 32
	buckets    = 16
)

// expire drops the entries that left the window.
func (c *counter) expire(now int64) {
	n := 0
	for n < len(c.entries) && c.entries[n].at <= now-c.window {
		c.used -= int(c.entries[n].calls)
		n++
	}
	if n > 0 {
		c.entries = c.entries[:copy(c.entries, c.entries[n:])]
	}
}

// wait returns how long until there is room for one call more: 0 where there
// is room now.
func (c *counter) wait(now int64, l *limit) time.Duration {
	now = max(now, c.latest)
	c.latest = now
	c.expire(now)
	over := c.used + 1 - l.max
	if over <= 0 {
		return 0
	}
	for _, e := range c.entries {
		if over -= int(e.calls); over <= 0 {
			return time.Duration(e.at + c.window - now)
		}
	}
	return time.Duration(c.window) // not reached: the limit is at least one
}

// add counts a call, and returns the time that it counts for.
func (c *counter) add(now int64, l *limit) int64 {
	now = max(now, c.latest)
	c.latest = now
	c.used++
	if n := len(c.entries); n > 0 {
		last := &c.entries[n-1]
		if last.at == now || l.max > exactCalls && c.bucket(last.at) == c.bucket(now) {
			last.at = now
			last.calls++
			return now
		}
	}
	c.entries = append(c.entries, entry{at: now, calls: 1})
	return now
}

// bucket is the sixteenth of a window that the time at falls into.
func (c *counter) bucket(at int64) int64 { return at / (c.window / buckets) }

// remove takes back one call that was counted for the time at, unless it has
// left the window. Its entry may since have moved to a later call's time.
func (c *counter) remove(at int64, l *limit) {
	for i := range c.entries {
		e := &c.entries[i]
		if e.at < at {
			continue
		}
		if e.at > at && (l.max <= exactCalls || c.bucket(e.at) != c.bucket(at)) {
			return
		}
		c.used--
		if e.calls--; e.calls == 0 {
			c.entries = append(c.entries[:i], c.entries[i+1:]...)
		}
		return
	}
}
