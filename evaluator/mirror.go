package evaluator

import (
	"encoding/json"
	"sync"
	"time"
)

// Mirror is what this process has seen of the sessions of a shared store. The
// store says when it is behind, so it can be dropped at any time. It is safe
// for concurrent use.
type Mirror struct {
	mu       sync.Mutex
	sessions map[string]*mirrored
}

// maxMirrored is the most sessions that are kept; then some are read anew.
const maxMirrored = 2_000

// NewMirror returns an empty Mirror.
func NewMirror() *Mirror { return &Mirror{sessions: make(map[string]*mirrored)} }

// mirrored is one session. Times are nanoseconds since 1970, by the clock of
// the store.
type mirrored struct {
	mu      sync.Mutex
	begun   string
	length  int64
	history history
	numbers map[int64]remembered // of events that may still be undone

	// When it was what time by the store's clock, and by ours.
	theirs, ours time.Time
}

// of returns what is known of a session.
func (m *Mirror) of(project, session string) *mirrored {
	if session == "" {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := string(sessionKey(nil, project, session))
	x := m.sessions[key]
	if x == nil {
		if len(m.sessions) >= maxMirrored {
			for k := range m.sessions { // any: it will be read again
				delete(m.sessions, k)
				break
			}
		}
		x = &mirrored{}
		m.sessions[key] = x
	}
	return x
}

// now is about the time of the store at the time now of ours.
func (x *mirrored) now(now time.Time) int64 { return x.theirs.Add(now.Sub(x.ours)).UnixNano() }

// follow takes in what a store has answered at the time now of ours.
func (x *mirrored) follow(b *Batch, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.theirs, x.ours = b.Now, now
	if !b.Open || b.Begun != x.begun {
		x.history, x.numbers, x.length, x.begun = history{}, nil, 0, b.Begun
	}
	for _, ev := range b.Events {
		x.add(ev)
	}
	if b.Taken && b.Event != nil && b.Length == x.length+1 {
		x.add(Event{Number: b.Length, At: b.Now, Data: b.Event})
	}
}

// add takes in the next event. Where some are missing before it, they are
// forgotten.
func (x *mirrored) add(ev Event) {
	at := ev.At.UnixNano()
	h := &x.history
	if ev.Number <= x.length {
		return
	}
	if ev.Number != x.length+1 {
		h.some, h.lost = true, max(h.lost, at)
	}
	x.length = ev.Number
	delete(x.numbers, ev.Number-maxEvents)
	var w wireEvent
	if json.Unmarshal(ev.Data, &w) != nil || w.Tool == "" && w.Undo == 0 && w.Succeeded == 0 {
		h.some, h.lost = true, max(h.lost, at)
		return
	}
	switch {
	case w.Undo != 0:
		if r, ok := x.numbers[w.Undo]; ok {
			h.forget(&r)
			delete(x.numbers, w.Undo)
		}
		return
	case w.Succeeded != 0:
		if r, ok := x.numbers[w.Succeeded]; ok {
			r.succeed()
		}
		return
	}
	call, done := w.call(), at
	key := call.pastKey()
	if w.Guarded {
		done = never
	}
	var r remembered
	if known := h.byCall[key]; known != nil {
		r = h.touch(known, at, done)
	} else {
		ev := newEvent(key, at, done)
		h.makeRoom(ev.size())
		r = h.put(ev)
	}
	if x.numbers == nil {
		x.numbers = make(map[int64]remembered)
	}
	x.numbers[ev.Number] = r
}

// wireEvent is an event as a store keeps it.
type wireEvent struct {
	Tool    string `json:"t,omitempty"`
	Agent   string `json:"a,omitempty"`
	User    string `json:"u,omitempty"`
	Args    string `json:"p,omitempty"`
	Context string `json:"c,omitempty"`
	Digest  []byte `json:"d,omitempty"`
	Guarded bool   `json:"g,omitempty"`

	Succeeded int64 `json:"ok,omitempty"` // the number of an event
	Undo      int64 `json:"undo,omitempty"`
}

func (w *wireEvent) call() pastCall {
	c := pastCall{tool: w.Tool, agent: w.Agent, user: w.User, args: w.Args, context: w.Context}
	c.bare = copy(c.digest[:], w.Digest) > 0
	return c
}

func (w wireEvent) encode() []byte {
	data, err := json.Marshal(&w)
	if err != nil {
		return []byte("{}") // plain strings: not reached
	}
	return data
}

// wire returns the call as an event.
func (e *Evaluation) wire() []byte {
	c := newEvent(string(e.pastKey()), 0, never)
	w := wireEvent{Tool: c.tool, Agent: c.agent, User: c.user, Args: c.args, Context: c.context, Guarded: e.guarded}
	if c.bare {
		w.Digest = c.digest[:]
	}
	return w.encode()
}
