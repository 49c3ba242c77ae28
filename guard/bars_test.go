package guard_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/guard"
)

// mailJSON is 200 bytes. The policies of this package's tests constrain three
// of its parameters.
const mailJSON = `{"to":"ann@example.com","subject":"hello there, this is a subject","copies":2,"body":"some text of a mail, which is about as long as such texts are, so that all of it has two hundred bytes all told."}`

// letterTo is the struct of such a mail.
type letterTo struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Copies  int    `json:"copies"`
	Body    string `json:"body"`
}

// attached holds a reference, so that it is copied.
type attached struct {
	letterTo
	Attachments []string `json:"attachments"`
}

// posted holds one of each kind of reference.
type posted struct {
	letterTo
	CC      []address         `json:"cc"`
	From    *address          `json:"from,omitempty"`
	Headers map[string]string `json:"headers"`
}

type address struct {
	Name  string   `json:"name"`
	Local string   `json:"local"`
	Hosts []string `json:"hosts"`
}

var recipient = regexp.MustCompile(`^(?:[a-z]+@example\.com)$`)

// byHand is what a careful programmer would write in the place of a guard:
// decode, and check the three parameters.
func byHand(raw []byte) bool {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return false
	}
	to, ok := m["to"].(string)
	if !ok || !recipient.MatchString(to) {
		return false
	}
	if v, there := m["subject"]; there {
		if s, ok := v.(string); !ok || utf8.RuneCountInString(s) > 50 {
			return false
		}
	}
	if v, there := m["copies"]; there {
		if n, ok := v.(float64); !ok || n > 3 {
			return false
		}
	}
	return true
}

// costs are the calls that bars are about, by name.
func costs(t testing.TB) map[string]func() {
	a := authorizer(t, nil)
	ctx := t.Context()
	raw := json.RawMessage(mailJSON)
	var value attached
	require.NoError(t, json.Unmarshal(raw, &value))
	value.Attachments = []string{"a.pdf", "b.pdf"}
	post := posted{
		letterTo: value.letterTo, CC: []address{{"Ann", "ann", []string{"a.example", "b.example"}}, {Name: "Bob", Local: "bob"}},
		From: &address{Name: "Eve", Local: "eve"}, Headers: map[string]string{"reply-to": "no", "list": "yes"},
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	text := wrap(t, a, "send_email", func(_ context.Context, m string) (int, error) { return len(m), nil }, bot[int]())
	bytes := wrap(t, a, "send_email", func(_ context.Context, m json.RawMessage) (int, error) { return len(m), nil }, bot[int]())
	flat := wrap(t, a, "send_email", func(_ context.Context, m letterTo) (int, error) { return m.Copies, nil }, bot[int]())
	deep := wrap(t, a, "send_email", func(_ context.Context, m attached) (int, error) { return m.Copies, nil }, bot[int]())
	rich := wrap(t, a, "send_email", func(_ context.Context, m posted) (int, error) { return m.Copies, nil }, bot[int]())
	decoded, err := guard.WrapJSON(a, "send_email", func(_ context.Context, m letterTo) (int, error) { return m.Copies, nil }, bot[int]())
	must(err)
	return map[string]func(){
		"string":     func() { _, err := text(ctx, mailJSON); must(err) },
		"RawMessage": func() { _, err := bytes(ctx, raw); must(err) },
		"struct":     func() { _, err := flat(ctx, value.letterTo); must(err) },
		"deep":       func() { _, err := deep(ctx, value); must(err) },
		"rich":       func() { _, err := rich(ctx, post); must(err) },
		"WrapJSON":   func() { _, err := decoded(ctx, raw); must(err) },

		"by hand": func() {
			if !byHand(raw) {
				t.Fatal("refused")
			}
		},
		"Marshal":      func() { _, err := json.Marshal(value.letterTo); must(err) },
		"Marshal deep": func() { _, err := json.Marshal(value); must(err) },
		"Marshal rich": func() { _, err := json.Marshal(post); must(err) },
		"Unmarshal":    func() { var m letterTo; must(json.Unmarshal(raw, &m)) },
	}
}

func BenchmarkGuard(b *testing.B) {
	all := costs(b)
	for _, name := range []string{"string", "RawMessage", "WrapJSON", "struct", "deep", "rich", "by hand", "Marshal", "Marshal deep", "Marshal rich", "Unmarshal"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				all[name]()
			}
		})
	}
}

// A guard allocates nothing where the arguments cannot be changed, and else
// its private copy.
func TestGuardAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	require.Len(t, mailJSON, 200)
	all := costs(t)
	for name, want := range map[string]float64{"string": 0, "struct": 0, "RawMessage": 1, "deep": 1} {
		require.Equal(t, want, testing.AllocsPerRun(200, all[name]), name)
	}
}

var bars = flag.Bool("bars", false, "fail where a guard costs more than its bar says; for a machine that has nothing else to do")

// TestBars prints what guards cost as multiples of what stands in their place.
// With -bars it fails where that is more than it should be.
func TestBars(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("it measures")
	}
	all := costs(t)
	for _, c := range []struct {
		guard, other string
		bar          float64
	}{
		{"string", "by hand", 0.5},
		{"RawMessage", "by hand", 0.5},
		{"struct", "Marshal", 2},
		{"deep", "Marshal deep", 2},
		{"rich", "Marshal rich", 2},
		{"WrapJSON", "Unmarshal", 0},
	} {
		mine, theirs := takeTurns(all[c.guard], all[c.other])
		bar := "no bar"
		if c.bar > 0 {
			bar = fmt.Sprintf("bar %.1f", c.bar)
			if *bars {
				require.LessOrEqual(t, mine/theirs, c.bar, c.guard)
			}
		}
		t.Logf("%-10s %5.0f ns = %.2f × %q (%.0f ns), %s", c.guard, mine, mine/theirs, c.other, theirs, bar)
	}
}

// takeTurns returns the nanoseconds that a call of each takes: the medians of
// rounds in which they take turns.
func takeTurns(a, b func()) (x, y float64) {
	const rounds, calls = 41, 1000
	var samples [2][]float64
	for range rounds {
		for i, f := range []func(){a, b} {
			start := time.Now()
			for range calls {
				f()
			}
			samples[i] = append(samples[i], float64(time.Since(start).Nanoseconds())/calls)
		}
	}
	slices.Sort(samples[0])
	slices.Sort(samples[1])
	return samples[0][rounds/2], samples[1][rounds/2]
}
