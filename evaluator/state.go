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
}

const (
	defaultMaxKeys         = 1_000_000
	defaultMaxKeysPerAgent = 100_000
	shardCount             = 64 // as many as fit the bits of one word
)

// State is the history that limits count: how many calls of each key were
// allowed, and when. It lives outside the policies and survives their reload.
// It is safe for concurrent use, and may be shared by several Authorizers of
// one process. A live counter is never dropped: when there is no room, calls
// that need a new one are denied.
//
// Time is monotonic where the times it is given have a monotonic reading, so
// that a clock that is set back or forward frees nothing early.
type State struct {
	seed    maphash.Seed
	base    time.Time
	maxKeys int64
	perUser int64
	live    atomic.Int64 // counters in all shards
	shards  [shardCount]shard

	mu     sync.Mutex
	owners map[string]*owner // by project and agent
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
		maxKeys: defaultMaxKeys, perUser: defaultMaxKeysPerAgent,
		owners: make(map[string]*owner),
	}
	if opts.MaxKeys > 0 {
		s.maxKeys = int64(opts.MaxKeys)
	}
	if opts.MaxKeysPerAgent > 0 {
		s.perUser = int64(opts.MaxKeysPerAgent)
	}
	for i := range s.shards {
		s.shards[i].counters = make(map[string]*counter)
		s.shards[i].latest = math.MinInt64
	}
	return s
}

// time is the time of the decision in nanoseconds from the base. Times that
// are centuries off, so that no window can be added to them, are cut.
func (s *State) time(e *Evaluation) int64 {
	const most = math.MaxInt64 / 2
	return min(max(int64(e.now.Sub(s.base)), -most), most)
}

type takeResult uint8

const (
	noRoom takeResult = iota // the zero value refuses
	taken
	exhausted
)

// take looks at every counter of e.takes under one lock each, held together,
// and where none is exhausted and commit is set, counts the call in all of
// them.
func (s *State) take(e *Evaluation, commit bool) takeResult {
	now := s.time(e)
	locked := s.lock(e.takes)
	defer s.unlock(locked)
	result := taken
	for i := range e.takes {
		t := &e.takes[i]
		sh := &s.shards[s.shardOf(t.key)]
		c := sh.counters[string(t.key)]
		if c == nil {
			continue
		}
		if t.retryAfter = c.wait(now, t.limit); t.retryAfter > 0 {
			t.exhausted, result = true, exhausted
		}
	}
	if result != taken || !commit {
		return result
	}
	for i := range e.takes {
		t := &e.takes[i]
		sh := &s.shards[s.shardOf(t.key)]
		c := sh.counters[string(t.key)]
		if c == nil {
			if c = s.insert(sh, t, e, now); c == nil {
				s.undo(e.takes[:i])
				return noRoom
			}
		}
		t.at = c.add(now, t.limit)
	}
	return taken
}

// giveBack takes the call out of the counters again.
func (s *State) giveBack(e *Evaluation) {
	locked := s.lock(e.takes)
	defer s.unlock(locked)
	s.undo(e.takes)
}

func (s *State) undo(takes []take) {
	for i := range takes {
		t := &takes[i]
		if c := s.shards[s.shardOf(t.key)].counters[string(t.key)]; c != nil {
			c.remove(t.at, t.limit)
		}
	}
}

func (s *State) shardOf(key []byte) int {
	return int(maphash.Bytes(s.seed, key) % shardCount)
}

// lock locks the shards of all takes, in one order for everybody.
func (s *State) lock(takes []take) (mask uint64) {
	for i := range takes {
		mask |= 1 << s.shardOf(takes[i].key)
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

// insert makes the counter of t, or returns nil where there is no room. A few
// counters that have run out make room first, so that the cost of clearing up
// is spread over the inserts.
func (s *State) insert(sh *shard, t *take, e *Evaluation, now int64) *counter {
	s.sweep(sh, now)
	if s.live.Add(1) > s.maxKeys {
		s.live.Add(-1)
		return nil
	}
	var stack [2*maxName + 8]byte
	key := appendPart(appendPart(stack[:0], e.call.Project), e.call.AgentID)
	s.mu.Lock()
	o := s.owners[string(key)]
	if o == nil {
		o = &owner{key: string(key)}
		s.owners[o.key] = o
	}
	full := o.live >= s.perUser
	if !full {
		o.live++
	}
	s.mu.Unlock()
	if full {
		s.live.Add(-1)
		return nil
	}
	c := &counter{key: string(t.key), owner: o, window: int64(t.limit.window), latest: sh.latest}
	sh.counters[c.key] = c
	sh.all = append(sh.all, c)
	return c
}

// sweep looks at two counters and drops those that count nothing any more.
func (s *State) sweep(sh *shard, now int64) {
	for range 2 {
		if len(sh.all) == 0 {
			return
		}
		if sh.hand >= len(sh.all) {
			sh.hand = 0
		}
		c := sh.all[sh.hand]
		if c.expire(max(now, c.latest)); len(c.entries) > 0 {
			sh.hand++
			continue
		}
		sh.latest = max(sh.latest, now, c.latest)
		delete(sh.counters, c.key)
		last := len(sh.all) - 1
		sh.all[sh.hand] = sh.all[last]
		sh.all[last] = nil
		sh.all = sh.all[:last]
		s.live.Add(-1)
		s.mu.Lock()
		if c.owner.live--; c.owner.live == 0 {
			delete(s.owners, c.owner.key)
		}
		s.mu.Unlock()
	}
}
