package twin

import (
	"slices"
	"time"
	_ "time/tzdata" // zones must not depend on the machine

	"github.com/useveto/veto-go/rules"
)

// open reports whether now is in the window, in the window's zone.
func open(w *rules.TimeWindow, now time.Time) bool {
	zone := time.UTC
	if w.Timezone != "" {
		var err error
		if zone, err = time.LoadLocation(w.Timezone); err != nil {
			return false
		}
	}
	there := now.In(zone)
	return (w.AllowedHours == nil || slices.Contains(w.AllowedHours, there.Hour())) &&
		(w.AllowedDays == nil || slices.Contains(w.AllowedDays, int(there.Weekday())))
}
