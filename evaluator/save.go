package evaluator

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/useveto/veto-go/internal/decimal"
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
)

const saveMagic = "veto-state-1\n"

// ErrState is the error of ReadState when what it reads is no saved State, or
// is damaged.
var ErrState = errors.New("evaluator: not a saved state, or a damaged one")

// WriteTo writes the counters and sessions to w, with a checksum at the end.
// Decisions go on meanwhile; each counter is saved as it is at one moment. It
// implements [io.WriterTo].
func (s *State) WriteTo(w io.Writer) (int64, error) {
	sum := sha256.New()
	out := &countingWriter{w: io.MultiWriter(w, sum)}
	if _, err := io.WriteString(out, saveMagic); err != nil {
		return out.n, err
	}
	enc := gob.NewEncoder(out)
	for i := range s.shards {
		for _, r := range s.saveShard(&s.shards[i]) {
			if err := enc.Encode(&r); err != nil {
				return out.n, err
			}
		}
	}
	s.sessions.mu.RLock()
	all := make([]*session, 0, len(s.sessions.open))
	for _, ses := range s.sessions.open {
		all = append(all, ses)
	}
	s.sessions.mu.RUnlock()
	for _, ses := range all {
		for _, r := range s.saveSession(ses) {
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

func (s *State) saveShard(sh *shard) []saved {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	all := make([]saved, len(sh.all))
	for i, c := range sh.all {
		all[i] = s.saveCounter(c, savedCounter)
	}
	return all
}

func (s *State) saveCounter(c *counter, kind savedKind) saved {
	r := saved{Kind: kind, Key: c.key, Owner: c.owner.key, At: s.unix(c.latest)}
	switch m := c.meter.(type) {
	case *callMeter:
		r.Meter, r.Window = CountCalls, m.window
		for _, e := range m.entries {
			r.Times, r.Calls = append(r.Times, s.unix(e.at)), append(r.Calls, e.calls)
		}
	case *bucketMeter:
		r.Meter, r.Window, r.Max, r.N = TokenBucket, int64(m.window), m.max, m.missing(c.latest)
	case *sumMeter:
		r.Meter, r.Window = SumAmounts, m.window
		for _, e := range m.entries {
			r.Times, r.Amounts = append(r.Times, s.unix(e.at)), append(r.Amounts, e.amount.Digits())
		}
	case *valueMeter:
		r.Meter, r.Window = CountValues, m.window
		for v, use := range m.values {
			r.Values, r.Times = append(r.Values, v), append(r.Times, s.unix(use.at))
		}
	case *tallyMeter:
		r.Meter, r.N = Tally, m.n
	}
	return r
}

func (s *State) saveSession(ses *session) []saved {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	if ses.ended {
		return nil
	}
	h := &ses.history
	all := []saved{{Kind: savedSession, Key: ses.key, At: s.unix(ses.latest), Lost: h.some, Since: s.unix(h.lost)}}
	for _, ev := range h.events {
		r := saved{
			Kind: savedEvent, Tool: ev.tool, Agent: ev.agent, User: ev.user, Args: ev.args, Context: ev.context,
			At: s.unix(ev.at), Succeeded: ev.succeeded != never,
		}
		if ev.bare {
			r.Digest = ev.digest[:]
		}
		if r.Succeeded {
			r.SucceededAt = s.unix(ev.succeeded)
		}
		all = append(all, r)
	}
	for _, c := range ses.counters {
		all = append(all, s.saveCounter(c, savedSessionCounter))
	}
	return all
}

// unix and since convert between times of the State and those of a file.
func (s *State) unix(at int64) int64 { return s.base.UnixNano() + at }
func (s *State) since(unix int64) int64 {
	return s.time(time.Unix(0, unix)) // without the monotonic reading of base
}

// ReadState reads what WriteTo wrote. opts may be nil; they are the bounds of
// what is added later, and do not drop what is read. What is damaged, cut or
// of another version is ErrState, and then there is no State: a limit is not
// to begin anew because a file is broken.
func ReadState(r io.Reader, opts *StateOptions) (*State, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	n := len(data) - sha256.Size
	if n < len(saveMagic) || string(data[:len(saveMagic)]) != saveMagic {
		return nil, ErrState
	}
	if sum := sha256.Sum256(data[:n]); !bytes.Equal(sum[:], data[n:]) {
		return nil, ErrState
	}
	s := NewState(opts)
	dec := gob.NewDecoder(bytes.NewReader(data[len(saveMagic):n]))
	var ses *session
	for {
		var r saved
		if err := dec.Decode(&r); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrState, err)
		}
		if r.Kind == savedEnd {
			return s, nil
		}
		if !s.restore(&r, &ses) {
			return nil, ErrState
		}
	}
}

// restore adds a record; ses is the session that it belongs to, if to any.
func (s *State) restore(r *saved, ses **session) bool {
	at := s.since(r.At)
	switch r.Kind {
	case savedSession:
		*ses = &session{key: r.Key, latest: at, history: history{some: r.Lost, lost: s.since(r.Since)}}
		s.sessions.open[r.Key] = *ses
		s.sessions.all = append(s.sessions.all, *ses)
		return true
	case savedEvent:
		if *ses == nil {
			return false
		}
		call := pastCall{tool: r.Tool, agent: r.Agent, user: r.User, args: r.Args, context: r.Context}
		call.bare = copy(call.digest[:], r.Digest) > 0
		ev := newEvent(call.pastKey(), at, never)
		if r.Succeeded {
			ev.succeeded = s.since(r.SucceededAt)
		}
		(*ses).history.put(ev)
		s.sessions.bytes += int64(ev.size())
		return true
	}
	m := s.restoreMeter(r, at)
	if m == nil {
		return false
	}
	c := &counter{key: r.Key, latest: at, meter: m, owner: s.owners[r.Owner]}
	if c.owner == nil {
		c.owner = &owner{key: r.Owner}
		s.owners[r.Owner] = c.owner
	}
	units := int64(1)
	if v, ok := m.(*valueMeter); ok {
		v.paid = max(0, len(v.values)-1)
		units += int64(v.paid)
	}
	c.owner.live += units
	s.live.Add(units)
	if r.Kind == savedCounter {
		sh := &s.shards[s.shardOf([]byte(c.key))]
		sh.counters[c.key] = c
		sh.all = append(sh.all, c)
		return true
	}
	if r.Kind != savedSessionCounter || *ses == nil {
		return false
	}
	if (*ses).counters == nil {
		(*ses).counters = make(map[string]*counter)
	}
	(*ses).counters[c.key] = c
	return true
}

func (s *State) restoreMeter(r *saved, at int64) meter {
	if r.Window < buckets && (r.Window != 0 || r.Meter == CountCalls) {
		return nil
	}
	switch r.Meter {
	case CountCalls:
		m := &callMeter{window: r.Window}
		for i := range min(len(r.Times), len(r.Calls)) {
			m.entries = append(m.entries, callEntry{s.since(r.Times[i]), r.Calls[i]})
			m.used += int(r.Calls[i])
		}
		return m
	case TokenBucket:
		if r.Max < 1 || r.Window == 0 {
			return nil
		}
		m := newBucket(r.Max, time.Duration(r.Window))
		m.refill(at, r.Max, r.N)
		return m
	case SumAmounts:
		m := &sumMeter{window: r.Window}
		for i := range min(len(r.Times), len(r.Amounts)) {
			amount, ok := decimal.AmountOfDigits(r.Amounts[i])
			if !ok {
				return nil
			}
			m.entries = append(m.entries, sumEntry{s.since(r.Times[i]), amount})
			m.sum = m.sum.Plus(amount)
		}
		return m
	case CountValues:
		m := &valueMeter{window: r.Window, values: make(map[string]valueUse), oldest: at}
		for i := range min(len(r.Times), len(r.Values)) {
			use := valueUse{at: s.since(r.Times[i])}
			m.values[r.Values[i]] = use
			m.oldest = min(m.oldest, use.at)
		}
		return m
	case Tally:
		return &tallyMeter{n: r.N}
	default:
		return nil
	}
}
