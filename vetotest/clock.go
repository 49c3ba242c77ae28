package vetotest

import (
	"sync/atomic"
	"time"
)

// start is the time at which the clock stands until it is moved, that of
// examples in documents.
var start = time.Date(2024, time.January, 1, 12, 0, 0, 0, time.UTC)

// At sets the clock to a time such as 2026-01-05T09:00:00Z (RFC 3339). It may
// go back, but limits hold to the latest time that they have seen: going back
// makes no room in them.
func (p *Policies) At(rfc3339 string) {
	p.tb.Helper()
	t, err := time.Parse(time.RFC3339, rfc3339)
	if err != nil {
		p.tb.Fatalf("vetotest: At: %q is no RFC 3339 time, such as 2026-01-05T09:00:00Z", rfc3339)
	}
	p.owned().Store(&t)
}

// Advance moves the clock on by d.
func (p *Policies) Advance(d time.Duration) {
	p.tb.Helper()
	t := p.owned().Load().Add(d)
	p.clock.Store(&t)
}

// owned returns the clock, to be moved.
func (p *Policies) owned() *atomic.Pointer[time.Time] {
	p.tb.Helper()
	if p.clock == nil {
		p.tb.Fatalf("vetotest: the clock is that of Options.Now, and is not moved from here")
	}
	return p.clock
}
