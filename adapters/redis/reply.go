package vetoredis

import (
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/useveto/veto-go/evaluator"
)

// What holds, in an answer.
const (
	holdsOpen = 1 << iota
	holdsRecords
	holdsStale
	holdsTaken
)

// ErrAnswer is the error of a server that answers something else than was
// asked.
var ErrAnswer = errors.New("vetoredis: the server's answer is none to the question")

// reply reads an answer, piece by piece: see lua/10_head.lua. The first piece
// that is not as it must be makes bad true.
type reply struct {
	rest string
	bad  bool
}

func (r *reply) text(n uint64) string {
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

// uint is a number of so many bytes, of which the highest comes first.
func (r *reply) uint(bytes uint64) uint64 {
	n := uint64(0)
	for _, c := range []byte(r.text(bytes)) {
		n = n<<8 | uint64(c)
	}
	return n
}

// number is a whole number that Lua holds exactly.
func (r *reply) number() int64 {
	n := r.uint(8)
	r.bad = r.bad || n > maxNumber
	return int64(n & maxNumber)
}

func (r *reply) time() time.Time { return time.UnixMicro(r.number()).UTC() }

// duration is microseconds.
func (r *reply) duration() time.Duration {
	n := r.number()
	r.bad = r.bad || n > maxMicros
	return time.Duration(n) * time.Microsecond
}

// fill makes an answer that of b. Of an answer that is none to it, b keeps
// nothing.
func (q *request) fill(b *evaluator.Batch, answer string) error {
	r := reply{rest: answer}
	now, holds := r.time(), r.uint(1)
	open, stale, taken := holds&holdsOpen != 0, holds&holdsStale != 0, holds&holdsTaken != 0
	var length int64
	var begun string
	if open {
		length, begun = r.number(), r.text(r.uint(1))
	}
	var takes []evaluator.Take
	var stack [2]evaluator.Take
	if q.answered {
		takes = append(stack[:0], b.Takes...)
	}
	fit := true
	for i := range takes {
		r.take(&takes[i])
		fit = fit && takes[i].Fits
	}
	switch {
	case holds >= holdsTaken<<1, now.UnixMicro() <= 0:
		r.bad = true
	case open && (b.Session == "" || begun == ""), !open && (stale || holds&holdsRecords != 0):
		r.bad = true
	case stale && (!q.answered || !b.NeedsHistory):
		r.bad = true
	case taken && (b.Op != evaluator.OpTake || !fit || stale || b.NeedsSession && !open || b.NeedsHistory && holds&holdsRecords == 0):
		r.bad = true
	}
	events := r.events(stale, length)
	if r.bad || len(r.rest) > 0 {
		return ErrAnswer
	}
	copy(b.Takes, takes)
	b.Now, b.Open, b.Begun, b.Record, b.Length = now, open, begun, holds&holdsRecords != 0, length
	b.Stale, b.Taken, b.Events = stale, taken, events
	return nil
}

func (r *reply) take(t *evaluator.Take) {
	fits := r.uint(1)
	r.bad = r.bad || fits > 1
	t.Fits = fits == 1
	if t.RetryAfter = 0; !t.Fits {
		t.RetryAfter = r.duration()
	}
	if t.Kind == evaluator.SumAmounts {
		t.Used = r.amount()
	} else {
		t.Used = strconv.FormatInt(r.number(), 10)
	}
	t.ResetIn = r.duration()
	t.Mark = r.text(r.uint(1))
}

// events reads those of a stale session: some of the latest, in their order.
func (r *reply) events(stale bool, length int64) []evaluator.Event {
	if !stale {
		return nil
	}
	var all []evaluator.Event
	last := int64(0)
	for len(r.rest) > 0 && !r.bad {
		number, size := r.number(), r.uint(4)
		ev := evaluator.Event{Number: number, At: r.time(), Data: []byte(r.text(size))}
		r.bad = r.bad || number <= last || number > length
		last = number
		all = append(all, ev)
	}
	return all
}

const (
	// maxNumber is what a Lua number holds exactly.
	maxNumber = 1<<53 - 1
	// maxMicros is the longest time.Duration in microseconds.
	maxMicros = math.MaxInt64 / int64(time.Microsecond)
)
