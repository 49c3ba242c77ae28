package evaluator

import (
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"io"
	"maps"
	"slices"
	"time"
)

// saved is one record of a saved State: a counter, a session or an event of
// the session before it. Times are nanoseconds since 1970 in UTC.
type saved struct {
	Kind  savedKind
	Key   string // of a counter or a session
	Owner string
	At    int64 // the latest time that it knew

	Meter   MeterKind
	Window  int64
	Max, N  int
	Times   []int64 // of entries, or of values
	Calls   []int32
	Amounts []string
	Values  []string
	Rooms   []string // of values: the owners of their rooms, "" for that of the counter

	Lost  bool // of a session: something is missing until Since
	Since int64

	Tool, Agent, User, Args, Context string
	Digest                           []byte
	Succeeded                        bool
	SucceededAt                      int64
}

type savedKind uint8

const (
	savedCounter savedKind = iota + 1
	savedSession
	savedSessionCounter
	savedEvent
	savedEnd
	savedBegin // At is a time before which no counter begins
)

const saveMagic = "veto-state-1\n"

// ErrState is the error of ReadState when what it reads is no saved State, or
// is damaged.
var ErrState = errors.New("evaluator: not a saved state, or a damaged one")

// WriteTo writes the counters to w, with a checksum at the end. Decisions go on
// meanwhile; each counter is saved as it is at one moment, and what is counted
// later is not in it. It implements [io.WriterTo].
//
// Sessions are not in it: one that was read again without its last calls would
// permit what those forbid. In one that was not saved, what rules say of
// sessions denies.
func (s *State) WriteTo(w io.Writer) (int64, error) { return s.write(w, false) }

// WriteAllTo is WriteTo with the sessions, of a State that is closed: so that
// nothing is missing. Nobody may read the sessions twice, for the same reason;
// veto.LoadState sees to that.
func (s *State) WriteAllTo(w io.Writer) (int64, error) {
	if !s.closed.Load() {
		return 0, errors.New("evaluator: the State is not closed, so that its sessions cannot be saved")
	}
	return s.write(w, true)
}

func (s *State) write(w io.Writer, sessions bool) (int64, error) {
	unix := s.wall(time.Now())
	sum := sha256.New()
	out := &countingWriter{w: io.MultiWriter(w, sum)}
	if _, err := io.WriteString(out, saveMagic); err != nil {
		return out.n, err
	}
	enc := gob.NewEncoder(out)
	for i := range s.tables {
		x := &s.tables[i]
		for _, c := range x.all() {
			r, live := s.saveLocked(c, unix)
			if !live {
				continue
			}
			if err := enc.Encode(&r); err != nil {
				return out.n, err
			}
		}
		// At the end, so that it knows of those that were dropped meanwhile.
		if at := x.begin(); at != never {
			if err := enc.Encode(&saved{Kind: savedBegin, At: unix(at)}); err != nil {
				return out.n, err
			}
		}
	}
	var all []*session
	s.sessions.mu.RLock()
	if sessions {
		all = slices.Collect(maps.Values(s.sessions.open))
	}
	s.sessions.mu.RUnlock()
	for _, ses := range all {
		for _, r := range s.saveSession(ses, unix) {
			if err := enc.Encode(&r); err != nil {
				return out.n, err
			}
		}
	}
	if err := enc.Encode(&saved{Kind: savedEnd}); err != nil {
		return out.n, err
	}
	n, err := w.Write(sum.Sum(nil))
	return out.n + int64(n), err
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// saveLocked is saveCounter of a counter in a table, unless it was dropped.
func (s *State) saveLocked(c *counter, unix clock) (r saved, live bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owner == nil {
		return r, false
	}
	return s.saveCounter(c, savedCounter, unix), true
}

func (s *State) saveCounter(c *counter, kind savedKind, unix clock) saved {
	r := saved{Kind: kind, Key: c.key, Owner: c.owner.key, At: unix(c.latest)}
	switch m := c.meter.(type) {
	case *callMeter:
		r.Meter, r.Window = CountCalls, m.window
		for _, e := range m.entries() {
			r.Times, r.Calls = append(r.Times, unix(e.at)), append(r.Calls, e.calls)
		}
	case *bucketMeter:
		r.Meter, r.Window, r.Max, r.N = TokenBucket, int64(m.window), m.max, m.missing(c.latest)
	case *sumMeter:
		r.Meter, r.Window = SumAmounts, m.window
		for _, e := range m.entries {
			r.Times, r.Amounts = append(r.Times, unix(e.at)), append(r.Amounts, e.amount.Digits())
		}
	case *valueMeter:
		r.Meter, r.Window = CountValues, m.window
		for v, use := range m.values {
			r.Values, r.Times = append(r.Values, v), append(r.Times, unix(use.at))
			room := ""
			if use.room != nil {
				room = use.room.key
			}
			r.Rooms = append(r.Rooms, room)
		}
	case *tallyMeter:
		r.Meter, r.N = Tally, m.n
	}
	return r
}

func (s *State) saveSession(ses *session, unix clock) []saved {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if ses.ended {
		return nil
	}
	h := &ses.history
	all := []saved{{Kind: savedSession, Key: ses.key, At: unix(ses.latest), Lost: h.some, Since: unix(h.lost)}}
	for _, ev := range h.events {
		r := saved{
			Kind: savedEvent, Tool: ev.tool, Agent: ev.agent, User: ev.user, Args: ev.args, Context: ev.context,
			At: unix(ev.at), Succeeded: ev.succeeded != never,
		}
		if ev.bare {
			r.Digest = ev.digest[:]
		}
		if r.Succeeded {
			r.SucceededAt = unix(ev.succeeded)
		}
		all = append(all, r)
	}
	for _, c := range ses.counters {
		all = append(all, s.saveCounter(c, savedSessionCounter, unix))
	}
	return all
}

// since is the time of the State of one in a file.
func (s *State) since(unix int64) int64 {
	return s.time(time.Unix(0, unix)) // without the monotonic reading of base
}

// clock makes a time since 1970 of a time of a State.
type clock func(at int64) int64

// wall is the clock as it is now. The machine may have slept since the base of
// the State, or its clock been set, of which a monotonic clock knows nothing.
// Where the two differ, the later is used: that frees nothing early.
func (s *State) wall(now time.Time) clock {
	base := s.base.UnixNano()
	slept := now.UnixNano() - int64(now.Sub(s.base)) - base
	if slept > int64(100*time.Millisecond) { // less is how long it takes to read two clocks
		base += slept
	}
	return func(at int64) int64 { return base + at }
}
