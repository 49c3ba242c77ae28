package evaluator

// insert makes the counter of t, or returns nil where there is no room. A few
// counters that have run out make room first, so that the cost of clearing up
// is spread over the inserts.
func (s *State) insert(t *take, ses *session, e *Evaluation, now int64) *counter {
	sh := &s.shards[t.shard]
	if !t.inSession() {
		s.sweep(sh, now)
	}
	o := s.owner(e.call.Project, e.call.AgentID)
	if o == nil {
		return nil
	}
	c := newCounter(t.limit)
	c.key, c.owner = string(t.key), o
	if t.inSession() {
		c.latest = ses.latest
		if ses.counters == nil {
			ses.counters = make(map[string]*counter)
		}
		ses.counters[c.key] = c
		return c
	}
	c.latest = sh.latest
	sh.counters[c.key] = c
	sh.all = append(sh.all, c)
	return c
}

// owner returns the owner of one counter more, or nil where there is no room.
func (s *State) owner(project, agent string) *owner {
	var stack [2*maxName + 8]byte
	key := appendPart(appendPart(stack[:0], project), agent)
	s.mu.Lock()
	o := s.owners[string(key)]
	if o == nil {
		o = &owner{key: string(key)}
		s.owners[o.key] = o
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

// enter makes room for one counter more of o.
func (s *State) enter(o *owner) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enterLocked(o)
}

func (s *State) enterLocked(o *owner) bool {
	if o.live >= s.perUser || s.live.Load() >= s.maxKeys {
		return false
	}
	s.live.Add(1)
	o.live++
	return true
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
		if !c.meter.idle(max(now, c.latest)) {
			sh.hand++
			continue
		}
		sh.latest = max(sh.latest, now, c.latest)
		delete(sh.counters, c.key)
		last := len(sh.all) - 1
		sh.all[sh.hand] = sh.all[last]
		sh.all[last] = nil
		sh.all = sh.all[:last]
		s.drop(c)
	}
}

// drop gives up the room of a counter that is no longer kept.
func (s *State) drop(c *counter) {
	n := 1
	if v, ok := c.meter.(*valueMeter); ok {
		n += v.paid
	}
	s.leave(c.owner, n)
}

// roomFor makes room for the value of t in v: each takes the room of a
// counter, and the first that of v itself.
func (s *State) roomFor(v *valueMeter, o *owner, t *take) bool {
	if due := max(0, len(v.values)-1); v.paid > due {
		s.leave(o, v.paid-due)
		v.paid = due
	}
	if _, known := v.values[string(t.value)]; known || len(v.values) == 0 {
		return true
	}
	if !s.enter(o) {
		return false
	}
	v.paid++
	return true
}
