package main

import (
	"fmt"
	"os"
	"time"
)

// The schedule against a limit of a hundred calls a second. One call opens a
// window, for limiters whose windows begin with a first call; then nothing, so
// that a bucket fills up; then, from before that window ends until more than a
// second later, whatever is let through.
const (
	permitted = 100
	storm     = 1050 * time.Millisecond
	step      = time.Millisecond
	quiet     = 900 * time.Millisecond
	atOnce    = 10 * permitted // the most calls of one step
)

// worstSecond prints how many calls limiters of a hundred a second let through
// in the second in which they let most through.
func (b *bench) worstSecond() {
	b.title(os.Stdout, fmt.Sprintf("Calls that a limit of %d a second lets through in its worst second: one, then a burst where a window ends", permitted))
	b.row("limiter\tclock\tallowed")
	byClock := append(peerLimiters(permitted), vetoLimiter("veto rate_limit", "", permitted, nil))
	for i, through := range stormByClock(byClock) {
		b.row("%s\tthe machine's\t%d", byClock[i].name, worst(through))
	}
	for _, x := range []struct {
		name, more string
		bar        bool
	}{
		{name: "veto rate_limit", bar: true},
		{name: "veto rate_limit, token_bucket", more: `,"algorithm":"token_bucket"`},
	} {
		most := 0
		for quiet := time.Duration(0); quiet <= time.Second; quiet += 20 * time.Millisecond {
			most = max(most, worst(stormByHand(x.name, x.more, quiet)))
		}
		b.row("%s\tby hand, 51 such schedules\t%d", x.name, most)
		b.bar(!x.bar || most <= permitted, "%s of %d a second let %d through in one", x.name, permitted, most)
	}
	b.out.Flush()
}

// stormByClock returns when each limiter let calls through, all of them asked
// by one schedule that follows the machine's clock.
func stormByClock(limiters []keyedLimiter) [][]time.Duration {
	through := make([][]time.Duration, len(limiters))
	start := time.Now()
	ask := func(calls int) {
		for i, l := range limiters {
			for range calls {
				if !l.allow("agent") {
					break
				}
				through[i] = append(through[i], time.Since(start))
			}
		}
	}
	ask(1)
	for at := quiet; at <= quiet+storm; at += step {
		time.Sleep(at - time.Since(start))
		ask(atOnce)
	}
	return through
}

// stormByHand is the same for ours, by a clock that the schedule sets.
func stormByHand(name, more string, quiet time.Duration) (through []time.Duration) {
	start := time.Now()
	var at time.Duration
	l := vetoLimiter(name, more, permitted, func() time.Time { return start.Add(at) })
	ask := func(calls int) {
		for range calls {
			if !l.allow("agent") {
				return
			}
			through = append(through, at)
		}
	}
	ask(1)
	for at = quiet; at <= quiet+storm; at += step {
		ask(atOnce)
	}
	return through
}

// worst returns the most calls of any second, without the instant it begins
// with. The times are in order.
func worst(through []time.Duration) (most int) {
	first := 0
	for i, at := range through {
		for through[first] <= at-time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
