package evaluator

import (
	"hash/maphash"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// StateOptions are the options of NewState. Zero fields have their defaults.
type StateOptions struct {
	// MaxKeys is the most live counters in all; default 1,000,000.
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
}

const (
	defaultMaxKeys         = 1_000_000
	defaultMaxKeysPerAgent = 100_000
	defaultMaxSessions     = 100_000
	defaultSessionIdle     = 24 * time.Hour
	defaultHistoryBytes    = 256 << 20
	shardCount             = 64 // as many as fit the bits of one word
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
	live    atomic.Int64 // counters in all shards and sessions
	shards  [shardCount]shard

	mu     sync.Mutex
	owners map[string]*owner // by project and agent

	sessions sessions
}

// owner counts the live counters of one agent in one project.
type owner struct {
	key  string
	live int64 // guarded by State.mu
}

// shard is a part of the counters, by the hash of their keys.
type shard struct {
	mu       sync.Mutex
	counters map[string]*counter
	all      []*counter // the same, for sweeping a few at a time
	hand     int
	latest   int64 // no counter that was swept knew a later time
	_        [64]byte
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
	for i := range s.shards {
		s.shards[i].counters = make(map[string]*counter)
		s.shards[i].latest = math.MinInt64
	}
	s.sessions.init(opts)
	return s
}

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

type takeResult uint8

const (
	noRoom takeResult = iota // the zero value refuses
	taken
	refused // some take says why
)

// take looks at everything that e.takes rests on, and where nothing stands
// against the call and commit is set, counts the call everywhere. Nothing
// changes in between: the session and the shards of all counters are locked.
func (s *State) take(e *Evaluation, commit bool) takeResult {
	now := s.time(e.now)
	ses := s.lockSession(e, now)
	if ses != nil {
		defer ses.mu.Unlock()
	}
	result := taken
	for i := range e.takes {
		t := &e.takes[i]
		t.says = judgement{outcome: passes}
		switch {
		case t.needsSession() && ses == nil:
			t.says = sessionless
		case t.sequence != nil:
			t.lookBack(e, &ses.history, ses.at(now))
		}
		if t.says.outcome != passes {
			result = refused
		}
	}
	if commit && ses != nil {
		e.addTallies()
	}
	locked := s.lock(e.takes)
	defer s.unlock(locked)
	for i := range e.takes {
		t := &e.takes[i]
		if t.limit == nil || t.says.outcome != passes {
			continue
		}
		t.counter = s.find(t, ses)
		if c := t.counter; c != nil {
			var fits bool
			if fits, t.retryAfter = c.meter.look(c.at(now), t); !fits {
				t.past()
			}
		} else if !fitsFresh(t) {
			t.past()
		}
		if t.says.outcome != passes {
			result = refused
		}
	}
	if result != taken || !commit {
		return result
	}
	stale := false // making room has dropped counters, maybe one that was found
	for i := range e.takes {
		t := &e.takes[i]
		if t.limit == nil {
			continue
		}
		if stale {
			t.counter = s.find(t, ses)
		}
		stale = stale || t.counter == nil
		if !s.add(t, ses, e, now) {
			s.undo(e.takes[:i], ses, now)
			return noRoom
		}
	}
	if ses != nil {
		s.remember(ses, e, now)
	}
	return taken
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

// find returns the counter of t, or nil. What is locked is that of t.
func (s *State) find(t *take, ses *session) *counter {
	if t.inSession() {
		if ses == nil {
			return nil
		}
		return ses.counters[string(t.key)]
	}
	return s.shards[t.shard].counters[string(t.key)]
}

// add counts t in the counter that was found, or in a new one, and reports
// whether there was room for it.
func (s *State) add(t *take, ses *session, e *Evaluation, now int64) bool {
	c := t.counter
	t.counter = nil
	if c == nil {
		if c = s.insert(t, ses, e, now); c == nil {
			return false
		}
	}
	if v, ok := c.meter.(*valueMeter); ok && !s.roomFor(v, c.owner, t) {
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
		s.sessions.pay(-ses.history.forget(&e.remembered))
	}
	locked := s.lock(e.takes)
	defer s.unlock(locked)
	s.undo(e.takes, ses, now)
}

func (s *State) undo(takes []take, ses *session, now int64) {
	for i := range takes {
		t := &takes[i]
		if t.limit == nil {
			continue
		}
		if c := s.find(t, ses); c != nil {
			c.meter.remove(c.at(now), t)
		}
	}
}

func (s *State) shardOf(key []byte) int {
	return int(maphash.Bytes(s.seed, key) % shardCount)
}

// lock locks the shards of all takes, in one order for everybody.
func (s *State) lock(takes []take) (mask uint64) {
	for i := range takes {
		if t := &takes[i]; t.limit != nil && !t.inSession() {
			t.shard = s.shardOf(t.key)
			mask |= 1 << t.shard
		}
	}
	for m := mask; m != 0; m &= m - 1 {
		s.shards[bits.TrailingZeros64(m)].mu.Lock()
	}
	return mask
}

func (s *State) unlock(mask uint64) {
	for m := mask; m != 0; m &= m - 1 {
		s.shards[bits.TrailingZeros64(m)].mu.Unlock()
	}
}
