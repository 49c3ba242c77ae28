package approval

import (
	"container/heap"
	"time"
)

// index is what a Book remembers of the tickets that it has seen, so that a
// call does not read all of them: the bindings, to find a ticket, and the
// numbers, for the bounds. It only ever makes an answer stricter: that a ticket
// is approved is read from the store each time. The Book's mutex guards it.
type index struct {
	byID      map[string]*entry
	byBinding map[Binding][]*entry // whose time has not passed
	pending   map[owner]int
	total     int                 // of pending
	live      int                 // neither used nor over, whether pending or not
	granted   map[*entry]struct{} // that came with a grant that is not over
	refused   map[string]bool     // ids whose ticket cannot be read, true: ever
	waiting   queue               // by when they expire
	unused    queue               // by when they are to be removed
	used      queue               // the same, apart, since there can be many unused
}

// owner is whose pending tickets are counted together.
type owner struct{ project, agent string }

// entry is one ticket.
type entry struct {
	id      string
	binding Binding
	expires time.Time
	state   State // Pending, Approved, Denied or Used; only ever goes up
	over    bool  // expires has passed; stays so if the clock goes back
	seen    parts // the parts that state follows from

	by    string
	grant *Grant // nil where there is none, or no longer
	until time.Time
	uses  int // of the grant: the highest number that was seen

	due time.Time // the key in a queue
}

// rank orders the states that are kept: a later reading of the store may know
// less than an earlier one, if a reader was slow or somebody deleted a file.
var rank = [...]int{Pending: 0, Expired: 0, Approved: 1, Denied: 2, Used: 3}

func newIndex() *index {
	return &index{
		byID: make(map[string]*entry), byBinding: make(map[Binding][]*entry),
		pending: make(map[owner]int), granted: make(map[*entry]struct{}), refused: make(map[string]bool),
	}
}

// note enters what was read of a ticket, and makes t no more than what is
// known already.
func (x *index) note(t *Ticket, seen parts, now time.Time, keep time.Duration) *entry {
	e := x.byID[t.ID]
	if e == nil {
		e = &entry{id: t.ID, binding: t.Binding, expires: t.Expires, due: t.Expires}
		x.byID[e.id] = e
		x.byBinding[e.binding] = append(x.byBinding[e.binding], e)
		x.count(e, 1)
		heap.Push(&x.waiting, e)
	}
	e.seen |= seen
	if rank[t.State] > rank[e.state] {
		x.count(e, -1)
		e.state = t.State
		x.count(e, 1)
	}
	if e.final() {
		t.State = e.state
	}
	switch {
	case e.state == Denied, t.Revoked:
		if x.endGrant(e); t.Grant != nil {
			e.until = t.Grant.Until // it has been one
		}
	case t.Grant != nil && e.until.IsZero():
		g := t.Grant.clone() // t is the caller's
		e.by, e.grant, e.until = t.By, &g, g.Until
		x.granted[e] = struct{}{}
	}
	x.advance(now, keep)
	if e.over && (t.State == Pending || t.State == Approved) {
		t.State = Expired
	}
	return e
}

// count adds n to the live tickets, and to the pending ones, if e is one.
func (x *index) count(e *entry, n int) {
	if e.state == Used || e.over {
		return
	}
	x.live += n
	if e.state != Pending {
		return
	}
	o := owner{e.binding.Project, e.binding.Agent}
	x.total += n
	if x.pending[o] += n; x.pending[o] == 0 {
		delete(x.pending, o)
	}
}

// advance puts aside the tickets whose time has passed, and then the grants.
func (x *index) advance(now time.Time, keep time.Duration) {
	for len(x.waiting) > 0 && !now.Before(x.waiting[0].due) {
		e := heap.Pop(&x.waiting).(*entry)
		if x.byID[e.id] != e {
			continue // forgotten
		}
		x.count(e, -1)
		e.over = true
		x.unbind(e)
		x.shelve(e, keep)
	}
	for e := range x.granted { // at most a hundred or so
		if !now.Before(e.until) {
			x.endGrant(e)
		}
	}
}

// shelve puts a ticket whose time has passed where it waits to be removed.
func (x *index) shelve(e *entry, keep time.Duration) {
	e.due = e.end().Add(keep)
	if e.inUse() {
		heap.Push(&x.used, e)
	} else {
		heap.Push(&x.unused, e)
	}
}

// end returns when the ticket has expired, and its grant too.
func (e *entry) end() time.Time {
	if e.until.After(e.expires) {
		return e.until
	}
	return e.expires
}

// final reports whether what is known of the ticket holds, whatever is found
// in the store later: somebody may have deleted a mark.
func (e *entry) final() bool { return e.state == Used || e.state == Denied }

// inUse reports whether somebody used the ticket, or can use its grant.
func (e *entry) inUse() bool { return e.state == Used || !e.until.IsZero() }

func (x *index) endGrant(e *entry) {
	e.grant = nil
	delete(x.granted, e)
}

// unbind takes e out of what find looks at.
func (x *index) unbind(e *entry) {
	same := x.byBinding[e.binding]
	for i := range same {
		if same[i] == e {
			same = append(same[:i:i], same[i+1:]...)
			break
		}
	}
	if len(same) == 0 {
		delete(x.byBinding, e.binding)
		return
	}
	x.byBinding[e.binding] = same
}

// find returns the ids of the tickets with this binding that are neither used
// nor over, as far as is known.
func (x *index) find(b Binding) (ids []string) {
	for _, e := range x.byBinding[b] {
		if e.state != Used {
			ids = append(ids, e.id)
		}
	}
	return ids
}

// forget drops a ticket that is no longer there; but not a use, nor a denial,
// that could then be undone by putting the ticket back.
func (x *index) forget(id string) {
	e := x.byID[id]
	if e == nil || e.final() && !e.over {
		return
	}
	if !e.over {
		x.count(e, -1)
		x.unbind(e)
	}
	x.endGrant(e)
	delete(x.byID, id)
}

// maxUnused is how many tickets are kept that nobody used: of those that are
// over, the oldest go before their time beyond that, and of others there can be
// no more. What a runaway agent asked is not worth a disk.
const maxUnused = 10_000

// removable takes out at most n tickets that need not be kept any longer.
func (x *index) removable(now time.Time, keep time.Duration, n int) (gone []*entry) {
	for _, q := range []*queue{&x.unused, &x.used} {
		for len(*q) > 0 && len(gone) < n && (!now.Before((*q)[0].due) || q == &x.unused && len(*q) > maxUnused) {
			e := heap.Pop(q).(*entry)
			switch {
			case x.byID[e.id] != e: // forgotten
			case q == &x.unused && e.inUse(): // as was found out later
				x.shelve(e, keep)
			default:
				x.forget(e.id)
				gone = append(gone, e)
			}
		}
	}
	return gone
}

// queue is a heap by due.
type queue []*entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(e any)        { *q = append(*q, e.(*entry)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}
