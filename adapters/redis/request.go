package vetoredis

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/useveto/veto-go/evaluator"
)

// request is a question as a command of Redis: the arguments of EVALSHA, and
// what the script reads, in that order. See lua/10_head.lua.
type request struct {
	command  []any
	answered bool // the answer says something of each take

	room [12]any // of the command, where that is short
}

// Where the parts of a command are.
const (
	atName = iota
	atScript
	atKeyCount
	atKeys
)

var operations = [...]string{
	evaluator.OpLook: "look", evaluator.OpTake: "take",
	evaluator.OpGiveBack: "back", evaluator.OpCorrect: "correct",
	evaluator.OpOpen: "open", evaluator.OpEnd: "end", evaluator.OpAppend: "append",
}

// newRequest encodes b, or says why it is none that can be answered.
func (s *Store) newRequest(b *evaluator.Batch) (*request, error) {
	if int(b.Op) >= len(operations) {
		return nil, fmt.Errorf("vetoredis: operation %d is unknown", b.Op)
	}
	q := &request{answered: b.Op == evaluator.OpLook || b.Op == evaluator.OpTake}
	takes := b.Takes
	switch b.Op {
	case evaluator.OpOpen, evaluator.OpEnd, evaluator.OpAppend:
		if b.Session == "" {
			return nil, errors.New("vetoredis: a session has no name")
		}
		takes = nil
	}
	if repeats(takes) {
		return nil, errTwice
	}
	var stack [maxSpace]byte
	space := s.space(stack[:0], b.Project)
	q.command = append(q.room[:0], "evalsha", s.sha, nil, key(space, 'a', digest(b.Project, b.Agent)))
	if b.Session != "" {
		q.add(key(space, 'h', digest(b.Project, b.Session)))
	}
	for i := range takes {
		if t := &takes[i]; t.Window > 0 && q.speaksOf(t) {
			q.add(key(space, letter(t.Kind), sha256.Sum256(t.Key)))
		}
	}
	q.command[atKeyCount] = len(q.command) - atKeys
	q.add(operation(b))
	q.add(s.maxKeys)
	if b.Session != "" {
		opening := b.Begun
		if b.Op == evaluator.OpOpen {
			opening = rand.Text()
		}
		q.add(b.Known)
		q.add(opening)
		q.add(s.idle)
		q.add(b.Event)
	}
	for i := range takes {
		if !q.speaksOf(&takes[i]) {
			continue
		}
		if err := q.take(b, &takes[i]); err != nil {
			return nil, err
		}
	}
	return q, nil
}

func (q *request) add(x any) { q.command = append(q.command, x) }

// speaksOf reports whether there is something to be said of t: there is not
// where it was not counted and is to be given back.
func (q *request) speaksOf(t *evaluator.Take) bool { return q.answered || t.Mark != "" }

// operation adds to the name of one a letter for each thing that holds.
func operation(b *evaluator.Batch) any {
	if b.Session == "" && !b.NeedsSession && !b.NeedsHistory {
		return operations[b.Op]
	}
	text := append([]byte(operations[b.Op]), ' ')
	for _, x := range [...]struct {
		holds  bool
		letter byte
	}{
		{b.Session != "", 's'}, {b.NeedsSession, 'n'}, {b.NeedsHistory, 'h'}, {b.Records, 'r'}, {b.Event != nil, 'e'},
	} {
		if x.holds {
			text = append(text, x.letter)
		}
	}
	return text
}

// letter is that of a kind of counter; 0 where it is unknown.
func letter(kind evaluator.MeterKind) byte {
	switch kind {
	case evaluator.CountCalls:
		return 'c'
	case evaluator.TokenBucket:
		return 'b'
	case evaluator.SumAmounts:
		return 's'
	case evaluator.CountValues:
		return 'v'
	case evaluator.Tally:
		return 't'
	default:
		return 0
	}
}

// take adds what is to be said of one take.
func (q *request) take(b *evaluator.Batch, t *evaluator.Take) error {
	if err := checkTake(b, t); err != nil {
		return err
	}
	kind := letter(t.Kind)
	if t.Window == 0 {
		kind &^= 0x20 // in capitals: of the session
	}
	if t.Counts {
		q.add(string(kind) + "+")
	} else {
		q.add(string(kind))
	}
	if t.Window == 0 {
		q.add(field(kind, t))
	}
	q.add(numbers(t))
	if !q.answered {
		q.add(t.Mark)
	}
	if b.Op == evaluator.OpCorrect {
		q.add(appendAmount(nil, t.Actual))
	}
	return nil
}

// numbers are the window, the limit, and what t adds: bytes, which the script
// reads faster than digits.
func numbers(t *evaluator.Take) []byte {
	dst := make([]byte, 0, 8+max(2*amountBytes, 8+sha256.Size))
	dst = binary.BigEndian.AppendUint64(dst, uint64(micros(t.Window)))
	if t.Kind == evaluator.SumAmounts {
		return appendAmount(appendAmount(dst, t.Sum), t.Amount)
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(t.Max))
	switch t.Kind {
	case evaluator.CountValues:
		sum := digestOfValue(t)
		dst = append(dst, sum[:]...)
	case evaluator.Tally:
		dst = strconv.AppendInt(dst, int64(t.By), 10)
	}
	return dst
}

// checkTake reports a take of which the script would make something else.
func checkTake(b *evaluator.Batch, t *evaluator.Take) error {
	paced := t.Kind == evaluator.CountCalls || t.Kind == evaluator.TokenBucket
	sum := t.Kind == evaluator.SumAmounts
	switch {
	case letter(t.Kind) == 0:
		return fmt.Errorf("vetoredis: a limit of kind %d is unknown", t.Kind)
	case t.Window < 0 || t.Window > maxDuration || t.Max < 0 || t.Max > maxKeys:
		return errors.New("vetoredis: a window or a limit is out of range")
	case t.Window == 0 && b.Session == "":
		return errors.New("vetoredis: a counter of a session, and no session")
	case paced && (t.Window == 0 || t.Max < 1):
		return errors.New("vetoredis: a limit of calls has no window, or permits none")
	case t.Kind == evaluator.Tally && (t.Window != 0 || t.By < -1 || t.By > 1):
		return errors.New("vetoredis: a tally has a window, or moves by more than one")
	case sum && !(isAmount(t.Sum) && isAmount(t.Amount)), b.Op == evaluator.OpCorrect && !isAmount(t.Actual) && (sum || t.Actual != ""):
		return fmt.Errorf("vetoredis: an amount is not %d digits", amountDigits)
	default:
		return nil
	}
}

// repeats reports a counter that is taken twice: the second take would not see
// the first.
func repeats(takes []evaluator.Take) bool {
	if len(takes) < 2 {
		return false
	}
	seen := make(map[string]struct{}, len(takes))
	for i := range takes {
		seen[string(takes[i].Key)] = struct{}{}
	}
	return len(seen) < len(takes)
}

var errTwice = errors.New("vetoredis: one counter is asked for twice")

// micros is a duration in microseconds, rounded up.
func micros(d time.Duration) int64 {
	return int64((d + time.Microsecond - 1) / time.Microsecond)
}
