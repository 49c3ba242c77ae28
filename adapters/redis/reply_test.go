package vetoredis

import (
	"strings"
	"testing"

	"github.com/useveto/veto-go/evaluator"
)

// No answer makes the reader fail, or a look one that has taken.
func FuzzReply(f *testing.F) {
	f.Add("\x00\x06\x5e\x00\x00\x00\x00\x00\x08\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", byte(0))
	f.Add("\x00\x06\x5e\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x02\x01b\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01x", byte(1))
	f.Add(strings.Repeat("\xff", 100), byte(2))
	f.Fuzz(func(t *testing.T, answer string, op byte) {
		b := &evaluator.Batch{
			Op: evaluator.Op(op % 7), Session: "s", NeedsHistory: op&8 != 0,
			Takes: []evaluator.Take{{Kind: evaluator.CountCalls}, {Kind: evaluator.SumAmounts}}[:op>>4&1],
		}
		q := &request{answered: b.Op <= evaluator.OpTake}
		if q.fill(b, answer) != nil {
			if b.Taken || b.Open || b.Stale {
				t.Fatal("something of an answer that is none was kept")
			}
			return
		}
		fits := true
		for i := range b.Takes {
			fits = fits && b.Takes[i].Fits
		}
		if b.Taken && (b.Op != evaluator.OpTake || !fits || b.Stale) || b.Open && b.Begun == "" {
			t.Fatalf("%+v", b)
		}
	})
}
