package evaluator

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"

	"github.com/useveto/veto-go/internal/value"
)

// history is the calls that were allowed in a session, oldest first. Equal
// calls are one, with the time of the last: nothing asks for more. It is
// bounded: the oldest make room, and then lost says until when something may
// be missing.
type history struct {
	events []*event
	byCall map[string]*event
	calls  uint64 // that were put or touched so far
	bytes  int
	some   bool  // something is missing
	lost   int64 // all that is missing is of this time, or before
}

// event is a call that was allowed.
type event struct {
	pastCall
	key       string // of the call
	at        int64  // when it was allowed, the last time
	succeeded int64  // when it was allowed and then succeeded; or never

	// The numbers of the calls of these times: two may be of one time.
	last, success uint64
	doubtful      bool // a success before the last may have been taken back
}

// pastCall is what conditions read of a call. Parameters and context are
// JSON, or, where they are too large to keep, only their digest.
type pastCall struct {
	tool, agent, user string
	args, context     string
	bare              bool
	digest            [sha256.Size]byte
}

// never is before every time.
const never = math.MinInt64

const (
	// maxEvents and maxEventBytes bound one session.
	maxEvents     = 1000
	maxEventBytes = 256 << 10
	// maxEventText is the most text of parameters and context of one event.
	maxEventText = 16 << 10
	// eventBytes is what an event takes beside its texts.
	eventBytes = 250
)

func (c *pastCall) size() int {
	return eventBytes + len(c.tool) + len(c.agent) + len(c.user) + len(c.args) + len(c.context)
}

// remembered is what remember did, to be undone.
type remembered struct {
	event  *event
	number uint64
	at     int64
	counts bool // as a success, at once

	// What was so before; never, where the event is new.
	before, succeeded int64
	last, success     uint64
}

// remember adds the call to the history of its session.
func (s *State) remember(ses *session, e *Evaluation, now int64) {
	now = ses.at(now)
	done := now
	if e.guarded {
		done = never
	}
	h, key := &ses.history, e.pastKey()
	if ev := h.byCall[string(key)]; ev != nil {
		e.remembered = h.touch(ev, now, done)
		return
	}
	ev := newEvent(string(key), now, done)
	freed := h.makeRoom(ev.size())
	if !s.sessions.pay(ses.pot, ev.size()-freed) {
		s.sessions.pay(ses.pot, -freed)
		h.some, h.lost = true, now
		return
	}
	e.remembered = h.put(ev)
}

// pastKey returns the call as it is remembered, in one text: equal calls, and
// no others, have equal texts, whatever the order of their members and the form
// of their numbers, which no condition tells apart. It is valid until the next
// call.
func (e *Evaluation) pastKey() []byte {
	text := e.pastText[:0]
	if !e.args.Empty() {
		text = e.args.AppendCanonical(text, value.Root)
	}
	n := len(text)
	if !e.context.Empty() {
		text = e.context.AppendCanonical(text, value.Root)
	}
	e.pastText = text
	args, context, digest := text[:n], text[n:], []byte(nil)
	if len(text) > maxEventText {
		sum := sha256.Sum256(appendPart(appendPart(nil, args), context))
		args, context, digest = nil, nil, sum[:]
	}
	e.pastBytes = appendPast(e.pastBytes[:0], e.call.Tool, e.call.AgentID, e.call.User, args, context, digest)
	return e.pastBytes
}

// appendPast appends the key of a call, which newEvent reads.
func appendPast[T string | []byte](dst []byte, tool, agent, user string, args, context T, digest []byte) []byte {
	dst = appendPart(appendPart(appendPart(dst, tool), agent), user)
	return appendPart(appendPart(appendPart(dst, args), context), digest)
}

// newEvent returns the event of a call by its key, whose parts it shares.
func newEvent(key string, at, succeeded int64) *event {
	ev := &event{key: key, at: at, succeeded: succeeded}
	var digest string
	for _, part := range [...]*string{&ev.tool, &ev.agent, &ev.user, &ev.args, &ev.context, &digest} {
		n, size := binary.Uvarint([]byte(key[:min(len(key), binary.MaxVarintLen64)]))
		*part, key = key[size:size+int(n)], key[size+int(n):]
	}
	ev.bare = copy(ev.digest[:], digest) > 0
	return ev
}

// pastKey is Evaluation.pastKey of a call that was read.
func (c *pastCall) pastKey() string {
	var digest []byte
	if c.bare {
		digest = c.digest[:]
	}
	return string(appendPast(nil, c.tool, c.agent, c.user, c.args, c.context, digest))
}

// put adds an event that is later than all others.
func (h *history) put(ev *event) remembered {
	if h.byCall == nil {
		h.byCall = make(map[string]*event)
	}
	h.byCall[ev.key] = ev
	h.events = append(h.events, ev)
	h.bytes += ev.size()
	h.calls++
	r := remembered{event: ev, number: h.calls, at: ev.at, before: never, succeeded: never}
	ev.last = r.number
	if r.counts = ev.succeeded != never; r.counts {
		ev.success = r.number
	}
	return r
}

// touch makes an event one of now.
func (h *history) touch(ev *event, now, succeeded int64) remembered {
	h.calls++
	r := remembered{
		event: ev, number: h.calls, at: now, counts: succeeded != never,
		before: ev.at, succeeded: ev.succeeded, last: ev.last, success: ev.success,
	}
	ev.at, ev.last = now, r.number
	if r.counts {
		r.succeed()
	}
	if i := slices.Index(h.events, ev); i >= 0 {
		copy(h.events[i:], h.events[i+1:])
		h.events[len(h.events)-1] = ev
	}
	return r
}

// succeed says that the call succeeded.
func (r *remembered) succeed() {
	if ev := r.event; ev != nil && r.at >= ev.succeeded {
		ev.succeeded, ev.success = r.at, r.number
	}
}

// makeRoom drops the oldest events until there is room for one of size bytes,
// and returns the bytes of those.
func (h *history) makeRoom(size int) (freed int) {
	n := 0
	for n < len(h.events) && (len(h.events)-n >= maxEvents || h.bytes+size > maxEventBytes) {
		ev := h.events[n]
		freed += ev.size()
		h.bytes -= ev.size()
		delete(h.byCall, ev.key)
		if h.lost = max(h.lost, ev.at); !h.some {
			h.some, h.lost = true, ev.at
		}
		n++
	}
	h.events = slices.Delete(h.events, 0, n)
	return freed
}

// forget takes back what remember did, and returns the bytes that are free
// now. Where there was an equal call since, the event stays.
func (h *history) forget(r *remembered) (freed int) {
	ev := r.event
	r.event = nil
	if ev == nil || h.byCall[ev.key] != ev {
		return 0
	}
	switch {
	case ev.success != r.number:
		ev.doubtful = ev.doubtful || r.counts
	case ev.doubtful:
		ev.succeeded, ev.success = never, 0
	default:
		ev.succeeded, ev.success = r.succeeded, r.success
	}
	if ev.last != r.number {
		return 0
	}
	if r.before == never {
		// A hole in the history denies nothing: the call did not happen.
		h.bytes -= ev.size()
		delete(h.byCall, ev.key)
		h.events = slices.DeleteFunc(h.events, func(x *event) bool { return x == ev })
		return ev.size()
	}
	ev.at, ev.last = r.before, r.last
	slices.SortStableFunc(h.events, func(a, b *event) int { return cmp.Compare(a.at, b.at) })
	return 0
}

// missing reports whether a call later than after may have been forgotten.
func (h *history) missing(after int64) bool { return h.some && h.lost > after }
