package evaluator

import (
	"time"

	"github.com/useveto/veto-go/rules"
)

// timeWindow is a time_based rule: sets of hours and of days, as bits.
type timeWindow struct {
	hours uint32
	days  uint8
	zone  *time.Location
}

func (w *timeWindow) judge(e *Evaluation, r *rule) judgement {
	// Hour and weekday are those that a clock on the wall shows, whatever
	// daylight saving does: an hour that comes twice is permitted twice.
	local := e.now.In(w.zone)
	if w.hours>>local.Hour()&1 == 1 && w.days>>local.Weekday()&1 == 1 {
		return judgement{outcome: passes}
	}
	return r.violation(rules.CodeOutsideTimeWindow)
}

// violation is a violation of r that may escalate.
func (r *rule) violation(code rules.Code) judgement {
	if r.soft {
		return judgement{outcome: escalates, code: rules.CodeApprovalRequired}
	}
	return judgement{outcome: denies, code: code}
}

// compileTimeWindow compiles a valid block.
func compileTimeWindow(b *rules.TimeWindow, zones map[string]*time.Location) (*timeWindow, error) {
	w := &timeWindow{hours: 1<<24 - 1, days: 1<<7 - 1}
	if b.AllowedHours != nil {
		w.hours = 0
		for _, h := range b.AllowedHours {
			w.hours |= 1 << h
		}
	}
	if b.AllowedDays != nil {
		w.days = 0
		for _, d := range b.AllowedDays {
			w.days |= 1 << d
		}
	}
	name := b.Timezone
	if name == "" {
		name = "UTC"
	}
	if w.zone = zones[name]; w.zone == nil {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return nil, err
		}
		zones[name], w.zone = zone, zone
	}
	return w, nil
}
