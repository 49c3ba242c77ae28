package evaluator

import (
	"errors"
	"sync"
	"time"
)

// sessions are the open sessions of a State.
type sessions struct {
	mu   sync.RWMutex
	open map[string]*session
	all  []*session // the same, for sweeping a few at a time
	hand int
	max  int
	idle int64 // nanoseconds

	bytesMu  sync.Mutex
	bytes    int64           // of all histories
	pots     map[string]*pot // by project
	maxBytes int64
	maxOfOne int64 // of the histories of one project
}

// pot is what the histories of a project take; guarded by sessions.bytesMu.
type pot struct {
	project  string
	sessions int
	bytes    int64
}

func (x *sessions) init(opts *StateOptions) {
	x.open = make(map[string]*session)
	x.max = or(opts.MaxSessions, defaultMaxSessions)
	x.idle = int64(or(opts.SessionIdle, defaultSessionIdle))
	x.maxBytes = int64(or(opts.MaxHistoryBytes, defaultHistoryBytes))
	x.maxOfOne = int64(or(opts.MaxHistoryBytesPerProject, int(x.maxBytes/2)))
	x.pots = make(map[string]*pot)
}

// session is one open session of a project: the calls that were allowed in it,
// and the counters that end with it.
type session struct {
	key string
	pot *pot

	mu       sync.Mutex
	ended    bool
	latest   int64 // the time of the last decision about it
	history  history
	counters map[string]*counter
}

// at returns the time that it is for the session, which never goes back.
func (ses *session) at(now int64) int64 {
	ses.latest = max(ses.latest, now)
	return ses.latest
}

// keep adds a counter, which ends with the session.
func (ses *session) keep(c *counter) {
	if ses.counters == nil {
		ses.counters = make(map[string]*counter)
	}
	ses.counters[c.key] = c
}

// ErrTooManySessions is the error of OpenSession when there is no room.
var ErrTooManySessions = errors.New("evaluator: too many sessions are open")

var errNoSession = errors.New("evaluator: a session is 1..255 bytes without control characters, and a project at most 255")

func sessionKey(dst []byte, project, id string) []byte {
	return appendPart(appendPart(dst, project), id)
}

// OpenSession begins a session of a project ("" for none). What rules say of
// sessions holds for those that were opened; in any other, calls that such a
// rule is about are denied. Opening an open session changes nothing. The
// host opens sessions, never the model.
func (s *State) OpenSession(project, id string, now time.Time) error {
	if err := CheckSession(project, id); err != nil {
		return err
	}
	if s.closed.Load() {
		return ErrClosed
	}
	at := s.time(now)
	x := &s.sessions
	x.mu.Lock()
	defer x.mu.Unlock()
	key := string(sessionKey(nil, project, id))
	if ses := x.open[key]; ses != nil && !s.forgotten(ses, at) {
		return nil
	}
	s.sweepSessions(at)
	if len(x.open) >= x.max {
		return ErrTooManySessions
	}
	ses := &session{key: key, latest: at, pot: x.enter(project)}
	x.open[key] = ses
	x.all = append(x.all, ses)
	return nil
}

// Sessions returns how many sessions are open, those that have been idle for too
// long included until their room is needed.
func (s *State) Sessions() int {
	s.sessions.mu.RLock()
	defer s.sessions.mu.RUnlock()
	return len(s.sessions.open)
}

// CheckSession reports whether there can be such a session.
func CheckSession(project, id string) error {
	if id == "" || !validID(id) || !validID(project) {
		return errNoSession
	}
	return nil
}

// EndSession forgets a session. Calls of it that are being decided may still
// be allowed.
func (s *State) EndSession(project, id string) {
	key := string(sessionKey(nil, project, id))
	s.sessions.mu.Lock()
	ses := s.sessions.open[key]
	delete(s.sessions.open, key)
	s.sessions.mu.Unlock()
	if ses != nil {
		s.end(ses)
	}
}

// forgotten reports whether a session has been idle for too long, and then
// forgets it. The caller holds sessions.mu.
func (s *State) forgotten(ses *session, now int64) bool {
	if !ses.mu.TryLock() {
		return false // a decision is about it
	}
	idle := ses.ended || now-ses.latest >= s.sessions.idle
	ses.mu.Unlock()
	if idle {
		delete(s.sessions.open, ses.key)
		s.end(ses)
	}
	return idle
}

// end ends a session that is open no more; it leaves all at a later sweep.
func (s *State) end(ses *session) {
	ses.mu.Lock()
	defer ses.mu.Unlock()
	s.endLocked(ses)
}

func (s *State) endLocked(ses *session) {
	if ses.ended {
		return
	}
	ses.ended = true
	s.sessions.pay(ses.pot, -ses.history.bytes)
	s.sessions.leave(ses.pot)
	ses.history = history{}
	for _, c := range ses.counters {
		s.drop(c)
	}
	ses.counters = nil
}

// sweepSessions looks at two sessions and drops those that have ended. The
// caller holds sessions.mu.
func (s *State) sweepSessions(now int64) {
	x := &s.sessions
	for range 2 {
		if len(x.all) == 0 {
			return
		}
		if x.hand >= len(x.all) {
			x.hand = 0
		}
		ses := x.all[x.hand]
		if x.open[ses.key] == ses && !s.forgotten(ses, now) {
			x.hand++
			continue
		}
		last := len(x.all) - 1
		x.all[x.hand] = x.all[last]
		x.all[last] = nil
		x.all = x.all[:last]
	}
}

// lockSession returns the call's session, locked, or nil where it is not open.
func (s *State) lockSession(e *Evaluation, now int64) *session {
	e.session = nil
	if e.call.Session == "" {
		return nil
	}
	var stack [2*maxName + 8]byte
	key := sessionKey(stack[:0], e.call.Project, e.call.Session)
	s.sessions.mu.RLock()
	ses := s.sessions.open[string(key)]
	s.sessions.mu.RUnlock()
	if ses == nil {
		return nil
	}
	ses.mu.Lock()
	if ses.ended || now-ses.latest >= s.sessions.idle {
		s.endLocked(ses)
		ses.mu.Unlock()
		return nil
	}
	ses.at(now)
	e.session = ses
	return ses
}

// enter returns the pot of a project, for one session more.
func (x *sessions) enter(project string) *pot {
	x.bytesMu.Lock()
	defer x.bytesMu.Unlock()
	p := x.pots[project]
	if p == nil {
		p = &pot{project: project}
		x.pots[project] = p
	}
	p.sessions++
	return p
}

func (x *sessions) leave(p *pot) {
	x.bytesMu.Lock()
	defer x.bytesMu.Unlock()
	if p.sessions--; p.sessions == 0 {
		delete(x.pots, p.project)
	}
}

// pay adds to the bytes of histories, and reports whether they fit.
func (x *sessions) pay(p *pot, bytes int) bool {
	x.bytesMu.Lock()
	defer x.bytesMu.Unlock()
	if bytes > 0 && (x.bytes+int64(bytes) > x.maxBytes || p.bytes+int64(bytes) > x.maxOfOne) {
		return false
	}
	x.bytes += int64(bytes)
	p.bytes += int64(bytes)
	return true
}
