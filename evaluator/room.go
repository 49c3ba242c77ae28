package evaluator

import "slices"

// insert makes the counter of t, and locks it unless it is one of a session:
// nobody else knows it yet, so that its place in the order does not matter. It
// returns noRoom where there is none, and again where somebody else has made
// the counter since it was looked for.
//
// A few counters that have run out make room first, so that the cost of
// clearing up is spread over the insertions.
func (s *State) insert(t *take, ses *session, e *Evaluation, now int64, locked []*counter) ([]*counter, takeResult) {
	if t.inSession() {
		if t.counter = ses.counters[string(t.key)]; t.counter != nil {
			return locked, taken // of another take of the same call
		}
		o := s.ownerOfNew(e, now)
		if o == nil {
			return locked, noRoom
		}
		c := newCounter(t.limit, t.key)
		c.owner, c.latest = o, ses.latest
		ses.keep(c)
		t.counter, t.made = c, true
		return locked, taken
	}
	x := s.table(t.hash)
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := x.find(t.hash, t.key); c != nil {
		if !slices.Contains(locked, c) {
			return locked, again
		}
		t.counter = c
		return locked, taken
	}
	s.sweep(x, now)
	o := s.ownerOfNew(e, now)
	if o == nil {
		return locked, noRoom
	}
	x.enter(t, o)
	return append(locked, t.counter), taken
}

// enter makes the counter of t, which x does not have, and locks it. The caller
// holds x.mu.
func (x *table) enter(t *take, o *owner) {
	c := newCounter(t.limit, t.key)
	c.owner, c.latest, c.hash = o, x.latest, t.hash
	c.mu.Lock()
	x.insert(c)
	t.counter = c
}

// revive makes the counter of t, also where there is no room, and locks it. It
// reports whether there was none yet.
func (s *State) revive(t *take, owner string) bool {
	x := s.table(t.hash)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.find(t.hash, t.key) != nil {
		return false
	}
	s.mu.Lock()
	o := s.ownerOf(owner)
	o.live++
	s.live.Add(1)
	s.mu.Unlock()
	x.enter(t, o)
	return true
}

// owner returns the owner of one counter more, or nil where there is no room.
func (s *State) owner(project, agent string) *owner {
	var stack [2*maxName + 8]byte
	key := appendPart(appendPart(stack[:0], project), agent)
	s.mu.Lock()
	o := s.owners[string(key)]
	if o == nil {
		o = s.ownerOf(string(key))
	}
	ok := s.enterLocked(o)
	if o.live == 0 {
		delete(s.owners, o.key)
	}
	s.mu.Unlock()
	if !ok {
		return nil
	}
	return o
}

// ownerOf returns an owner by its key. The caller holds s.mu.
func (s *State) ownerOf(key string) *owner {
	o := s.owners[key]
	if o == nil {
		o = &owner{key: key}
		s.owners[key] = o
	}
	return o
}

func (s *State) enterLocked(o *owner) bool {
	if o.live >= s.perUser || s.live.Load() >= s.maxKeys {
		return false
	}
	s.live.Add(1)
	o.live++
	return true
}

// ownerOfNew is owner for the agent of a call. Where there is no room, a few
// counters of every table are looked at first: those that have run out may be
// in other tables than the one that somebody wants to come into, or in tables
// that nobody comes into any more. The caller may hold the lock of a table.
func (s *State) ownerOfNew(e *Evaluation, now int64) *owner {
	o := s.owner(e.call.Project, e.call.AgentID)
	if o != nil {
		return o
	}
	for i := range s.tables {
		if x := &s.tables[i]; x.mu.TryLock() { // the one that is held was swept
			s.sweep(x, now)
			x.mu.Unlock()
		}
	}
	return s.owner(e.call.Project, e.call.AgentID)
}

// leave gives up the room of so many counters of o.
func (s *State) leave(o *owner, n int) {
	s.live.Add(-int64(n))
	s.mu.Lock()
	if o.live -= int64(n); o.live <= 0 {
		delete(s.owners, o.key)
	}
	s.mu.Unlock()
}

// sweep looks at four buckets, in which there are two counters, and drops
// those that count nothing any more. The caller holds x.mu. Counters that are
// locked are in use.
func (s *State) sweep(x *table, now int64) {
	for range 4 {
		if x.hand >= x.size.Load() {
			x.hand = 0
		}
		for c := x.bucket(x.hand).Load(); c != nil; c = c.next.Load() {
			if c.mu.TryLock() {
				s.dropIdle(x, c, now)
				c.mu.Unlock()
			}
		}
		x.hand++
	}
}

// discard drops a counter that was made for nothing. The caller has locked it.
func (s *State) discard(c *counter, now int64) {
	x := s.table(c.hash)
	x.mu.Lock()
	defer x.mu.Unlock()
	s.dropIdle(x, c, now)
}

// dropIdle drops a counter that counts nothing any more. The caller holds x.mu
// and c.mu.
func (s *State) dropIdle(x *table, c *counter, now int64) {
	if !c.meter.idle(max(now, c.latest)) {
		return
	}
	x.latest = max(x.latest, now, c.latest)
	x.remove(c)
	s.drop(c)
}

// drop gives up the room of a counter that is no longer kept.
func (s *State) drop(c *counter) {
	if v, ok := c.meter.(*valueMeter); ok {
		s.leaveAll(v.rooms)
		s.leaveAll(v.over)
	}
	s.leave(c.owner, 1)
	c.owner = nil
}

func (s *State) leaveAll(rooms map[*owner]int) {
	for o, n := range rooms {
		s.leave(o, n)
	}
	clear(rooms)
}

// roomFor makes room for the value of t in v.
func (s *State) roomFor(v *valueMeter, e *Evaluation, t *take) bool {
	s.leaveAll(v.over)
	t.room = nil
	if v.within == nil || v.values[string(t.value)] != nil {
		return true
	}
	t.room = s.ownerOfNew(e, s.time(e.now))
	return t.room != nil
}
