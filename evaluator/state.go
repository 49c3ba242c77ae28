package evaluator

import (
	"errors"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/useveto/veto-go/rules"
)

// StateOptions are the options of NewState. Zero fields have their defaults.
type StateOptions struct {
	// MaxKeys is the most live counters in all; default 1,000,000. There are
	// more only where costs of calls that reserved nothing are said later, of
	// which there are at most as many as such calls are open: what was spent is
	// counted in any case.
	MaxKeys int
	// MaxKeysPerAgent is the most live counters of one agent in one project;
	// default 100,000.
	MaxKeysPerAgent int
	// MaxSessions is the most open sessions; default 100,000.
	MaxSessions int
	// SessionIdle is after how long without a decision about it a session is
	// forgotten; default 24 hours.
	SessionIdle time.Duration
	// MaxHistoryBytes is about the most memory that the histories of all
	// sessions may take; default 256 MiB. One session has at most 256 KiB.
	MaxHistoryBytes int
	// MaxHistoryBytesPerProject is about the most memory that the histories
	// of the sessions of one project may take; default half of
	// MaxHistoryBytes. What there is no room for is unknown to sequences,
	// which deny then.
	MaxHistoryBytesPerProject int
}

const (
	defaultMaxKeys         = 1_000_000
	defaultMaxKeysPerAgent = 100_000
	defaultMaxSessions     = 100_000
	defaultSessionIdle     = 24 * time.Hour
	defaultHistoryBytes    = 256 << 20

	tableBits  = 4
	tableCount = 1 << tableBits // so that few insertions wait for each other
)

// State is the history that limits count: how many calls of each key were
// allowed, and when; and the sessions that are open. It lives outside the
// policies and survives their reload. It is safe for concurrent use, and may
// be shared by several Authorizers of one process. A live counter is never
// dropped: when there is no room, calls that need a new one are denied.
//
// Time is monotonic where the times it is given have a monotonic reading, so
// that a clock that is set back or forward frees nothing early.
type State struct {
	seed    maphash.Seed
	base    time.Time
	maxKeys int64
	perUser int64
	tables  [tableCount]table

	closed atomic.Bool
	live   atomic.Int64 // counters in all tables and sessions
	mu     sync.Mutex
	owners map[string]*owner // by project and agent

	sessions sessions
}

// owner counts the live counters of one agent in one project.
type owner struct {
	key  string
	live int64 // guarded by State.mu
}

// NewState returns an empty State. opts may be nil.
func NewState(opts *StateOptions) *State {
	if opts == nil {
		opts = &StateOptions{}
	}
	s := &State{
		seed: maphash.MakeSeed(), base: time.Now(),
		maxKeys: int64(or(opts.MaxKeys, defaultMaxKeys)),
		perUser: int64(or(opts.MaxKeysPerAgent, defaultMaxKeysPerAgent)),
		owners:  make(map[string]*owner),
	}
	for i := range s.tables {
		s.tables[i].init()
	}
	s.sessions.init(opts)
	return s
}

// made reports whether s is one of NewState: the zero State keeps nothing.
func (s *State) made() bool { return s != nil && s.owners != nil }

// or is the value of an option: that of its default where it is not above
// zero.
func or[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}

// time is a time in nanoseconds from the base. Times that are centuries off,
// so that no window can be added to them, are cut.
func (s *State) time(t time.Time) int64 {
	const most = math.MaxInt64 / 2
	return min(max(int64(t.Sub(s.base)), -most), most)
}

// Close has a State count nothing more, so that what WriteAllTo writes then is
// all that it ever counted. A call that would be counted is denied from then on
// (limits_unavailable), and a cost that is corrected is ErrClosed. Let the calls
// that are being decided come to their end first: one that is counted, and then
// refused because its record cannot be kept, may be saved as one that was made.
func (s *State) Close() { s.closed.Store(true) }

// Closed reports whether the State is closed.
func (s *State) Closed() bool { return s.closed.Load() }

// ErrClosed is the error of a State that is closed.
var ErrClosed = errors.New("evaluator: the State is closed, and counts nothing more")

type takeResult uint8

const (
	noRoom takeResult = iota // the zero value refuses
	taken
	refused // some take says why
	again   // somebody else has made a counter that was not there
)

// take looks at everything that e.takes rests on, and where nothing stands
// against the call and commit is set, counts the call everywhere. Nothing
// changes in between: the session and all counters are locked.
func (s *State) take(e *Evaluation, commit bool) takeResult {
	now := s.time(e.now)
	if commit && len(e.takes) == 1 && e.call.Session == "" {
		if result := s.takeOne(e, now); result != again {
			return result
		}
	}
	ses := s.lockSession(e, now)
	if ses != nil {
		defer ses.mu.Unlock()
	}
	fits := true
	for i := range e.takes {
		t := &e.takes[i]
		t.says = judgement{outcome: passes}
		switch {
		case t.needsSession() && ses == nil:
			t.says = sessionless
		case t.sequence != nil:
			t.lookBack(e, &ses.history, ses.at(now))
		}
		fits = fits && t.says.outcome == passes
	}
	if commit && ses != nil {
		e.addTallies()
	}
	result := again
	for result == again {
		result = s.takeCounters(e, ses, now, fits, commit)
	}
	if result == taken && commit && ses != nil {
		s.remember(ses, e, now)
	}
	return result
}

// takeOne is take for most calls that are limited: those that rest on one
// counter, which is in a table already. Where it is not as simple as that, it
// does nothing and says again.
func (s *State) takeOne(e *Evaluation, now int64) takeResult {
	t := &e.takes[0]
	if t.limit == nil || t.needsSession() || t.inSession() || t.limit.meter == CountValues {
		return again
	}
	t.hash = maphash.Bytes(s.seed, t.key)
	c := s.table(t.hash).find(t.hash, t.key)
	if c == nil {
		return again
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owner == nil || s.closed.Load() {
		return again
	}
	at := c.at(now)
	t.says = judgement{outcome: passes}
	var room bool
	if room, t.retryAfter = c.meter.look(at, t); !room {
		t.past()
		if t.says.outcome != passes {
			return refused
		}
	}
	t.counter = c
	c.meter.add(at, t)
	return taken
}

// takeCounters looks at all counters, and where they have room, and so far
// fits, counts the call in them.
func (s *State) takeCounters(e *Evaluation, ses *session, now int64, fits, commit bool) takeResult {
	var stack [8]*counter
	locked := s.lock(e.takes, ses, stack[:0])
	defer func() { unlock(locked) }()
	for i := range e.takes {
		t := &e.takes[i]
		if t.limit == nil || t.says.outcome != passes {
			continue
		}
		if c := t.counter; c != nil {
			var room bool
			if room, t.retryAfter = c.meter.look(c.at(now), t); !room {
				t.past()
			}
		} else if !fitsFresh(t) {
			t.past()
		}
		fits = fits && t.says.outcome == passes
	}
	switch {
	case !fits:
		return refused
	case !commit && s.closed.Load() && e.verdict.Cause().Outcome == rules.Allowed: // else it would not be counted
		return noRoom
	case !commit:
		return taken
	}
	found := len(locked)
	for i := range e.takes {
		t := &e.takes[i]
		if t.limit == nil {
			continue
		}
		result := taken
		if t.counter == nil {
			locked, result = s.insert(t, ses, e, now, locked)
		}
		if result == taken && !s.add(t, e, now) {
			result = noRoom
		}
		if result != taken {
			s.takeBack(e.takes, i, ses, locked[found:], now)
			return result
		}
	}
	if s.closed.Load() { // under all locks, those of new counters too
		s.takeBack(e.takes, len(e.takes), ses, locked[found:], now)
		return noRoom
	}
	return taken
}

// takeBack takes the call out of the first n takes, and drops the counters that
// were made for it.
func (s *State) takeBack(takes []take, n int, ses *session, made []*counter, now int64) {
	undo(takes[:n], now)
	for _, c := range made {
		s.discard(c, now)
	}
	for i := range takes {
		if t := &takes[i]; t.made {
			t.made = false
			delete(ses.counters, t.counter.key)
			s.drop(t.counter)
		}
	}
}

// fitsFresh reports whether t fits where nothing was counted yet.
func fitsFresh(t *take) bool {
	switch t.limit.meter {
	case SumAmounts:
		return t.amount.Compare(t.limit.sum) <= 0
	case Tally:
		return t.by <= t.limit.max
	default:
		return t.limit.max >= 1
	}
}

// add counts t in its counter, and reports whether there was room for it.
func (s *State) add(t *take, e *Evaluation, now int64) bool {
	c := t.counter
	if t.limit.meter == CountValues && !s.roomFor(c.meter.(*valueMeter), e, t) {
		return false
	}
	c.meter.add(c.at(now), t)
	return true
}

// giveBack takes the call out of everything that counted it.
func (s *State) giveBack(e *Evaluation) {
	now := s.time(e.now)
	ses := e.session
	if ses != nil {
		ses.mu.Lock()
		defer ses.mu.Unlock()
		s.sessions.pay(ses.pot, -ses.history.forget(&e.remembered))
	}
	defer unlock(s.lock(e.takes, ses, nil))
	undo(e.takes, now)
}

// undo takes what add counted out of the counters, as far as they are there.
func undo(takes []take, now int64) {
	for i := range takes {
		if c := takes[i].counter; c != nil {
			c.meter.remove(c.at(now), &takes[i])
		}
	}
}

// lock finds the counters of takes, as far as there are any, and locks those
// that are in a table: each once, and in one order for everybody. The session
// is locked already, which guards its own. It returns what it locked, in
// locked if that has room.
func (s *State) lock(takes []take, ses *session, locked []*counter) []*counter {
	for {
		locked = locked[:0]
		for i := range takes {
			t := &takes[i]
			t.counter = nil
			switch {
			case t.limit == nil:
			case !t.inSession():
				t.hash = maphash.Bytes(s.seed, t.key)
				if t.counter = s.find(t); t.counter != nil {
					locked = append(locked, t.counter)
				}
			case ses != nil:
				t.counter = ses.counters[string(t.key)]
			}
		}
		if len(locked) > 1 {
			slices.SortFunc(locked, (*counter).before)
			locked = slices.Compact(locked)
		}
		dropped := false
		for _, c := range locked {
			c.mu.Lock()
			dropped = dropped || c.owner == nil
		}
		if !dropped {
			return locked
		}
		unlock(locked) // and look again: it is no longer in the table
	}
}

func unlock(locked []*counter) {
	for _, c := range locked {
		c.mu.Unlock()
	}
}

// table is the one that the counter of t belongs in.
func (s *State) table(hash uint64) *table { return &s.tables[hash>>(64-tableBits)] }

// find returns the counter of t, which is not one of a session; or nil.
func (s *State) find(t *take) *counter {
	x := s.table(t.hash)
	if c := x.find(t.hash, t.key); c != nil {
		return c
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.find(t.hash, t.key)
}
