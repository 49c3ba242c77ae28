package evaluator

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"time"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/rules"
)

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
	records := bytes.NewReader(data[len(saveMagic):n])
	dec := gob.NewDecoder(records)
	var ses *session
	for {
		var r saved
		if err := dec.Decode(&r); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrState, err)
		}
		if r.Kind == savedEnd && records.Len() == 0 {
			return s, nil
		}
		if !s.restore(&r, &ses) {
			return nil, ErrState
		}
	}
}

// restore adds a record, and reports whether it makes sense; ses is the
// session that it belongs to, if to any.
func (s *State) restore(r *saved, ses **session) bool {
	at := s.since(r.At)
	switch r.Kind {
	case savedBegin:
		// Keys are in other tables than they were.
		for i := range s.tables {
			s.tables[i].latest = max(s.tables[i].latest, at)
		}
		return true
	case savedSession:
		if s.sessions.open[r.Key] != nil {
			return false
		}
		project, ok := projectOfKey(r.Key)
		if !ok {
			return false
		}
		*ses = &session{key: r.Key, latest: at, pot: s.sessions.enter(project), history: history{some: r.Lost, lost: s.since(r.Since)}}
		s.sessions.open[r.Key] = *ses
		s.sessions.all = append(s.sessions.all, *ses)
		return true
	case savedEvent:
		return *ses != nil && s.restoreEvent(r, *ses)
	case savedSessionCounter:
		if *ses == nil || r.Window != 0 || (*ses).counters[r.Key] != nil {
			return false
		}
		c := s.restoreCounter(r)
		if c == nil {
			return false
		}
		(*ses).keep(c)
		return true
	case savedCounter:
		hash := maphash.String(s.seed, r.Key)
		x := s.table(hash)
		if r.Window <= 0 || x.find(hash, []byte(r.Key)) != nil {
			return false
		}
		c := s.restoreCounter(r)
		if c == nil {
			return false
		}
		c.hash = hash
		x.insert(c)
		return true
	default:
		return false
	}
}

func (s *State) restoreEvent(r *saved, ses *session) bool {
	call := pastCall{tool: r.Tool, agent: r.Agent, user: r.User, args: r.Args, context: r.Context}
	call.bare = copy(call.digest[:], r.Digest) > 0
	ev := newEvent(call.pastKey(), s.since(r.At), never)
	if r.Succeeded {
		ev.succeeded = s.since(r.SucceededAt)
	}
	h := &ses.history
	if n := len(h.events); h.byCall[ev.key] != nil || n > 0 && h.events[n-1].at > ev.at {
		return false
	}
	h.put(ev)
	s.sessions.bytes += int64(ev.size())
	ses.pot.bytes += int64(ev.size())
	return true
}

// restoreCounter returns the counter of a record, with the room that it takes;
// nil where it makes no sense.
func (s *State) restoreCounter(r *saved) *counter {
	if r.Window < 0 || r.Window > 0 && r.Window < buckets {
		return nil
	}
	c := &counter{}
	switch r.Meter {
	case CountCalls:
		m := s.restoreCalls(r)
		if m == nil {
			return nil
		}
		beside := &callCounter{calls: *m}
		c, beside.meter = &beside.counter, &beside.calls
	case TokenBucket:
		if r.Max < 1 || r.Max > rules.MaxCalls || r.N < 0 || r.N > rules.MaxCalls || r.Window == 0 {
			return nil
		}
		m := newBucket(r.Max, time.Duration(r.Window))
		m.refill(s.since(r.At), r.Max, r.N)
		c.meter = m
	case SumAmounts:
		m := s.restoreSum(r)
		if m == nil {
			return nil
		}
		c.meter = m
	case CountValues:
		m := s.restoreValues(r)
		if m == nil {
			return nil
		}
		c.meter = m
	case Tally:
		if r.N < 0 {
			return nil
		}
		c.meter = &tallyMeter{n: r.N}
	default:
		return nil
	}
	c.key, c.latest, c.owner = r.Key, s.since(r.At), s.ownerOf(r.Owner)
	c.owner.live++
	s.live.Add(1)
	return c
}

func (s *State) restoreCalls(r *saved) *callMeter {
	if r.Window == 0 || len(r.Times) != len(r.Calls) || !r.inOrder() {
		return nil
	}
	m := &callMeter{window: r.Window}
	used := 0
	var all []callEntry
	for i, calls := range r.Calls {
		if used += int(calls); calls < 1 || used > math.MaxInt32 {
			return nil
		}
		all = append(all, callEntry{s.since(r.Times[i]), calls})
	}
	m.set(all)
	return m
}

func (s *State) restoreSum(r *saved) *sumMeter {
	if len(r.Times) != len(r.Amounts) || !r.inOrder() {
		return nil
	}
	m := &sumMeter{window: r.Window}
	for i, digits := range r.Amounts {
		amount, ok := decimal.AmountOfDigits(digits)
		if !ok || amount.IsZero() {
			return nil
		}
		m.entries = append(m.entries, sumEntry{s.since(r.Times[i]), amount})
		m.plus(amount)
	}
	return m
}

// inOrder reports whether the times of entries are those of one counter.
func (r *saved) inOrder() bool {
	for i, at := range r.Times {
		if at > r.At || i > 0 && at <= r.Times[i-1] {
			return false
		}
	}
	return true
}

func (s *State) restoreValues(r *saved) *valueMeter {
	if len(r.Times) != len(r.Values) || len(r.Times) != len(r.Rooms) {
		return nil
	}
	m := newValueMeter(r.Window)
	for i, value := range r.Values {
		if r.Times[i] > r.At || m.values[value] != nil {
			return nil
		}
		var room *owner
		switch {
		case r.Rooms[i] != "":
			room = s.ownerOf(r.Rooms[i])
			room.live++
			s.live.Add(1)
		case m.within != nil:
			return nil
		}
		m.use(value, useMark{at: s.since(r.Times[i])}, room)
	}
	return m
}

// projectOfKey returns the project in the key of a session.
func projectOfKey(key string) (string, bool) {
	n, size := binary.Uvarint([]byte(key))
	if size <= 0 || n > uint64(len(key)-size) {
		return "", false
	}
	return key[size : size+int(n)], true
}
