package evaluator

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/rules"
)

func savedBytes(t testing.TB, s *State) []byte {
	t.Helper()
	// As a State that is closed, whose sessions are in the file; the tests go
	// on with it.
	s.closed.Store(true)
	defer s.closed.Store(false)
	var buf bytes.Buffer
	n, err := s.WriteAllTo(&buf)
	require.NoError(t, err)
	require.EqualValues(t, buf.Len(), n)
	return buf.Bytes()
}

func loaded(t testing.TB, data []byte, opts *StateOptions) *State {
	t.Helper()
	s, err := ReadState(bytes.NewReader(data), opts)
	require.NoError(t, err)
	checkState(t, s)
	return s
}

// step is a call: what is asked, when, and what becomes of it.
type step struct {
	call             rules.Call
	now              time.Time
	open, end        bool
	guarded, succeed bool
	giveBack         bool
	actual           string
}

func randomSteps(r *rand.Rand, n int) []step {
	steps := make([]step, n)
	now := wallStart
	for i := range steps {
		now = now.Add(time.Duration(r.Int64N(2e9)))
		if r.IntN(300) == 0 {
			now = now.Add(25 * time.Hour)
		}
		steps[i] = step{
			call: anyCall(r), now: now, open: r.IntN(10) == 0, end: r.IntN(40) == 0,
			guarded: r.IntN(3) == 0, succeed: r.IntN(3) > 0, giveBack: r.IntN(10) == 0,
			actual: []string{"", "0", "0.5", "30"}[r.IntN(4)],
		}
	}
	return steps
}

// do makes a step, and says what was decided.
func (x *step) do(p *Program, s *State) string {
	if x.open {
		if err := s.OpenSession(x.call.Project, x.call.Session, x.now); err != nil {
			return err.Error()
		}
	}
	if x.end {
		s.EndSession(x.call.Project, x.call.Session)
	}
	var e Evaluation
	p.Decide(&e, &x.call, x.now)
	usage := e.Usage(s)
	if x.guarded {
		e.Guarded()
	}
	v := e.Settle(s)
	said := fmt.Sprint(v.Cause().Code, " ", v.Cause().RuleID, " ", v.RetryAfter(), " ", usage)
	h := e.Hold()
	switch {
	case x.giveBack:
		e.GiveBack(s)
	case x.guarded:
		if x.actual != "" {
			s.Correct(h, x.now, "", "", x.actual)
		}
		if x.succeed {
			s.Succeeded(h)
		}
	}
	return said
}

// A State that was saved and read decides as the one that went on: every
// meter, session and event is there.
func TestSavedStateDecidesTheSame(t *testing.T) {
	p := compiled(t, everyMeter())
	opts := &StateOptions{MaxSessions: 7, MaxHistoryBytes: 40_000}
	seen := map[string]int{}
	for seed := range uint64(fewer(20)) {
		r := rand.New(rand.NewPCG(21, seed))
		s := NewState(opts)
		steps := randomSteps(r, 600)
		k := r.IntN(300)
		for i := range steps[:k] {
			steps[i].do(p, s)
		}
		again := loaded(t, savedBytes(t, s), opts)
		for i := range steps[k:] {
			x := &steps[k+i]
			want := x.do(p, s)
			require.Equal(t, want, x.do(p, again), "seed %d, step %d of %d: %+v", seed, k+i, k, x)
			seen[strings.Fields(want)[0]]++
			if i%100 == 50 {
				again = loaded(t, savedBytes(t, again), opts)
			}
		}
		checkState(t, s)
		checkState(t, again)
	}
	for _, code := range []string{"allowed", "rate_limited", "budget_exceeded", "sequence_violated", "session_unknown"} {
		require.Positive(t, seen[code], code)
	}
}

// A token bucket that was saved permits no more than it would have.
func TestSavedTokenBucket(t *testing.T) {
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 10, WindowSeconds: 10, Algorithm: "token_bucket"}}
	}))
	r := rand.New(rand.NewPCG(1, 2))
	s := NewState(nil)
	now := wallStart
	ask := func(s *State) bool {
		var e Evaluation
		p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t0"}, now)
		return e.Settle(s).Cause().Outcome == rules.Allowed
	}
	for range 200 {
		now = now.Add(time.Duration(r.Int64N(1.5e9)))
		ask(s)
		data := savedBytes(t, s)
		count := func(s *State) (n int) {
			for ask(s) {
				n++
			}
			return n
		}
		same := count(loaded(t, data, nil))
		require.Equal(t, same, count(loaded(t, savedBytes(t, loaded(t, data, nil)), nil)), "saved twice")
		for i := range s.tables {
			for _, c := range s.tables[i].all() {
				tokens := c.meter.(*bucketMeter).limiter.TokensAt(instant(c.at(s.time(now))))
				require.LessOrEqual(t, float64(same), tokens)
				require.GreaterOrEqual(t, float64(same), tokens-1)
			}
		}
	}
}

// smallState has a counter of every kind, sessions and events in it.
func smallState(t testing.TB) []byte {
	p := compiled(t, everyMeter())
	s := NewState(nil)
	require.NoError(t, s.OpenSession("", "s1", wallStart))
	for _, tool := range []string{"look", "pay", "read"} {
		var e Evaluation
		p.Decide(&e, &rules.Call{AgentID: "bot", Session: "s1", Tool: tool, Parameters: json.RawMessage(`{"k":1,"to":"a","amount":1}`)}, wallStart)
		require.Equal(t, rules.CodeAllowed, e.Settle(s).Cause().Code, tool)
	}
	return savedBytes(t, s)
}

// Cut anywhere, or with any byte changed, it is no State.
func TestDamagedState(t *testing.T) {
	data := smallState(t)
	loaded(t, data, nil)
	for n := range data {
		s, err := ReadState(bytes.NewReader(data[:n]), nil)
		require.ErrorIs(t, err, ErrState, "cut at %d of %d", n, len(data))
		require.Nil(t, s)
	}
	for i := range data {
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(data)
			bad[i] ^= flip
			s, err := ReadState(bytes.NewReader(bad), nil)
			require.ErrorIs(t, err, ErrState, "byte %d", i)
			require.Nil(t, s)
		}
	}
	for _, bad := range [][]byte{nil, append(bytes.Clone(data), 0), append(bytes.Clone(data), data...), []byte(saveMagic), []byte("veto-state-2\n")} {
		_, err := ReadState(bytes.NewReader(bad), nil)
		require.ErrorIs(t, err, ErrState)
	}
	broken := errors.New("the disk")
	_, err := ReadState(io.MultiReader(bytes.NewReader(data), failingReader{broken}), nil)
	require.ErrorIs(t, err, broken)
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// What has its checksum, and makes no sense, is no State either.
func TestSenselessState(t *testing.T) {
	write := func(records ...saved) []byte {
		var buf bytes.Buffer
		buf.WriteString(saveMagic)
		enc := gob.NewEncoder(&buf)
		for i := range records {
			require.NoError(t, enc.Encode(&records[i]))
		}
		sum := sha256.Sum256(buf.Bytes())
		return append(buf.Bytes(), sum[:]...)
	}
	end := saved{Kind: savedEnd}
	ses := saved{Kind: savedSession, Key: "\x00\x01s"}
	calls := saved{Kind: savedCounter, Key: "k", At: 9, Meter: CountCalls, Window: 1e9, Times: []int64{3, 9}, Calls: []int32{2, 1}}
	amounts := saved{Kind: savedCounter, Key: "a", At: 9, Meter: SumAmounts, Window: 1e9, Times: []int64{9}, Amounts: []string{amountOf("1").Digits()}}
	values := saved{Kind: savedCounter, Key: "v", At: 9, Meter: CountValues, Window: 1e9, Times: []int64{9, 3}, Values: []string{"x", "y"}, Rooms: []string{"", "o"}}
	tally := saved{Kind: savedSessionCounter, Key: "t", Meter: Tally, N: 1}
	event := saved{Kind: savedEvent, Tool: "t", At: 5}
	_, err := ReadState(bytes.NewReader(write(end)), nil)
	require.NoError(t, err)
	_, err = ReadState(bytes.NewReader(write(calls, amounts, values, ses, tally, event, end)), nil)
	require.NoError(t, err)
	but := func(r saved, change func(*saved)) []saved {
		change(&r)
		return []saved{ses, r, end}
	}
	for name, records := range map[string][]saved{
		"no end":                    {},
		"an event of no session":    {{Kind: savedEvent}, end},
		"a counter of no session":   {{Kind: savedSessionCounter, Meter: Tally}, end},
		"an unknown kind":           {{Kind: 99, Meter: Tally}, end},
		"no kind":                   {{Meter: Tally}, end},
		"an unknown meter":          {{Kind: savedCounter, Meter: 99}, end},
		"no window":                 {{Kind: savedCounter, Meter: CountCalls}, end},
		"a negative window":         {{Kind: savedCounter, Meter: SumAmounts, Window: -1}, end},
		"a window of a nanosecond":  {{Kind: savedCounter, Meter: SumAmounts, Window: 1}, end},
		"an amount that is none":    {{Kind: savedCounter, Meter: SumAmounts, Window: 1e9, Times: []int64{1}, Amounts: []string{"1"}}, end},
		"a bucket of nothing":       {{Kind: savedCounter, Meter: TokenBucket, Window: 1e9}, end},
		"a bucket that is too full": {{Kind: savedCounter, Meter: TokenBucket, Window: 1e9, Max: 1, N: -1}, end},
		"something after the end":   {end, end},
		"a session twice":           {ses, ses, end},
		"a counter twice":           {calls, calls, end},
		"a session's counter twice": {ses, tally, tally, end},
		"an event twice":            {ses, event, event, end},
		"events out of order":       {ses, event, {Kind: savedEvent, Tool: "u", At: 4}, end},
		"a session's window":        but(tally, func(r *saved) { r.Meter, r.Window = CountValues, 1e9 }),
		"a window of no end":        but(values, func(r *saved) { r.Window = 0 }),
		"a tally of a window":       but(tally, func(r *saved) { r.Kind = savedCounter }),
		"a tally below zero":        but(tally, func(r *saved) { r.N = -1 }),
		"calls out of order":        but(calls, func(r *saved) { r.Times = []int64{9, 3} }),
		"calls of one time":         but(calls, func(r *saved) { r.Times = []int64{9, 9} }),
		"calls after the last":      but(calls, func(r *saved) { r.At = 8 }),
		"no calls":                  but(calls, func(r *saved) { r.Calls = []int32{0, 1} }),
		"fewer than no calls":       but(calls, func(r *saved) { r.Calls = []int32{-1, 5} }),
		"too many calls":            but(calls, func(r *saved) { r.Calls = []int32{1 << 30, 1 << 30} }),
		"calls without times":       but(calls, func(r *saved) { r.Times = r.Times[:1] }),
		"no amount":                 but(amounts, func(r *saved) { r.Amounts = []string{amountOf("0").Digits()} }),
		"amounts without times":     but(amounts, func(r *saved) { r.Times = nil }),
		"a value twice":             but(values, func(r *saved) { r.Values = []string{"x", "x"} }),
		"values after the last":     but(values, func(r *saved) { r.At = 8 }),
		"values without times":      but(values, func(r *saved) { r.Times = nil }),
	} {
		s, err := ReadState(bytes.NewReader(write(records...)), nil)
		require.ErrorIs(t, err, ErrState, name)
		require.Nil(t, s)
	}
}

// A counter that is made after a restart does not begin before the time of one
// that was dropped before it: a clock that was set back frees nothing.
func TestBeginIsSaved(t *testing.T) {
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60, Per: []string{"param:k"}}}
	}))
	ask := func(s *State, k int, now time.Time) rules.Code {
		var e Evaluation
		p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t0", Parameters: json.RawMessage(fmt.Sprintf(`{"k":%d}`, k))}, now)
		return e.Settle(s).Cause().Code
	}
	s := NewState(nil)
	for k := range 1000 {
		require.Equal(t, rules.CodeAllowed, ask(s, k, wallStart))
	}
	late := s.time(wallStart.Add(time.Hour))
	for i := range s.tables {
		for x := &s.tables[i]; x.count > 0; {
			s.sweep(x, late)
		}
	}
	again := loaded(t, savedBytes(t, s), nil)
	for k := range 1000 {
		require.Equal(t, rules.CodeAllowed, ask(again, k, wallStart))
		require.Equal(t, rules.CodeRateLimited, ask(again, k, wallStart.Add(time.Hour)), "it counts from the later time")
	}
	checkState(t, again)
}

// An error of the writer is that of WriteTo, wherever it comes.
func TestWriteToFails(t *testing.T) {
	data := smallState(t)
	s := loaded(t, data, nil)
	s.Close()
	full := errors.New("no space")
	for n := 0; n < len(data); n += 7 {
		_, err := s.WriteAllTo(&limitedWriter{n, full})
		require.ErrorIs(t, err, full, n)
	}
}

type limitedWriter struct {
	left int
	err  error
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		n := w.left
		w.left = 0
		return n, w.err
	}
	w.left -= len(p)
	return len(p), nil
}

// What is read is all there, also where the bounds are now narrower; they hold
// for what is new.
func TestReadIntoNarrowerBounds(t *testing.T) {
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60, Per: []string{"param:k"}}}
	}))
	ask := func(s *State, k int) rules.Code {
		var e Evaluation
		p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t0", Parameters: json.RawMessage(fmt.Sprintf(`{"k":%d}`, k))}, wallStart)
		return e.Settle(s).Cause().Code
	}
	s := NewState(nil)
	for k := range 100 {
		require.Equal(t, rules.CodeAllowed, ask(s, k))
	}
	again := loaded(t, savedBytes(t, s), &StateOptions{MaxKeys: 10})
	for k := range 100 {
		require.Equal(t, rules.CodeRateLimited, ask(again, k))
	}
	require.Equal(t, rules.CodeLimitsUnavailable, ask(again, 100))
}

// A State can be saved while it is in use, and each time what is saved can be
// read.
func TestSaveDuringAStorm(t *testing.T) {
	p := compiled(t, everyMeter())
	s := NewState(nil)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(g)))
			steps := randomSteps(r, fewer(1500))
			for i := range steps {
				steps[i].do(p, s)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for saving := true; saving; {
		select {
		case <-done:
			saving = false
		default:
		}
		loaded(t, savedBytes(t, s), nil)
	}
}
