package condition

import (
	"fmt"
	"strconv"
	"time"
	_ "time/tzdata" // zones do not depend on the machine

	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// inZone are the accessors of timestamps that take a time zone. cel-go looks
// the zone up, in files, at every call; here it is a literal, and is looked
// up once.
var inZone = map[string]func(time.Time) int{
	overloads.TimeGetFullYear:     time.Time.Year,
	overloads.TimeGetMonth:        func(t time.Time) int { return int(t.Month()) - 1 },
	overloads.TimeGetDayOfYear:    func(t time.Time) int { return t.YearDay() - 1 },
	overloads.TimeGetDayOfMonth:   func(t time.Time) int { return t.Day() - 1 },
	overloads.TimeGetDate:         time.Time.Day,
	overloads.TimeGetDayOfWeek:    func(t time.Time) int { return int(t.Weekday()) },
	overloads.TimeGetHours:        time.Time.Hour,
	overloads.TimeGetMinutes:      time.Time.Minute,
	overloads.TimeGetSeconds:      time.Time.Second,
	overloads.TimeGetMilliseconds: func(t time.Time) int { return t.Nanosecond() / int(time.Millisecond) },
}

type zoned struct {
	value plan
	zone  *time.Location
	get   func(time.Time) int
}

func planInZone(call interpreter.InterpretableCall) (plan, error) {
	args := call.Args()
	name, ok := constantString(args[1])
	if !ok {
		return nil, fmt.Errorf("the time zone of %s must be a string literal", call.Function())
	}
	zone, err := location(name)
	if err != nil {
		return nil, err
	}
	return run(call, (&zoned{args[0], zone, inZone[call.Function()]}).exec), nil
}

func (z *zoned) exec(f frame) ref.Val {
	spend(f, 1)
	v := z.value.Exec(f)
	t, ok := v.(types.Timestamp)
	if !ok {
		return failedOr(v, newErr(errType))
	}
	return types.Int(z.get(t.In(z.zone)))
}

// location finds an IANA zone, or makes that of an offset such as +05:30.
func location(name string) (*time.Location, error) {
	if offset, ok := parseOffset(name); ok {
		return time.FixedZone(name, offset), nil
	}
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("%q is neither an IANA time zone nor an offset", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is neither an IANA time zone nor an offset", name)
	}
	return zone, nil
}

// parseOffset reads an offset from UTC, such as +05:30, as seconds.
func parseOffset(s string) (seconds int, ok bool) {
	if len(s) != len("+hh:mm") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	h, err := strconv.ParseUint(s[1:3], 10, 8)
	m, err2 := strconv.ParseUint(s[4:], 10, 8)
	if err != nil || err2 != nil || h > 23 || m > 59 {
		return 0, false
	}
	seconds = int(h)*3600 + int(m)*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}
