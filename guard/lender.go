package guard

import (
	"encoding/json"
	"sync"
	"unsafe"

	"github.com/useveto/veto-go/internal/value"
)

// lender holds arguments while they are decided on, for one call after another.
type lender[In any] struct {
	in   In
	as   value.Memory
	pool *sync.Pool
}

func (l *lender[In]) giveBack() {
	var none In
	l.in = none
	l.pool.Put(l)
}

// laidCodec is the codec of a type with a layout: a copy is made, and that is
// decided on as it lies there.
func laidCodec[In any](layout *value.Layout) codec[In] {
	pool := new(sync.Pool)
	pool.New = func() any {
		l := &lender[In]{pool: pool}
		l.as = value.Memory{Layout: layout, At: unsafe.Pointer(&l.in)}
		return l
	}
	if !layout.Shares {
		return func(in In, _ *json.RawMessage) (frozen[In], error) {
			l := pool.Get().(*lender[In])
			l.in = in
			return frozen[In]{params: &l.as, value: in, lent: l}, nil
		}
	}
	return func(in In, _ *json.RawMessage) (frozen[In], error) {
		l := pool.Get().(*lender[In])
		l.in = in
		if err := own(layout, unsafe.Pointer(&l.in)); err != nil {
			l.giveBack()
			return frozen[In]{}, err
		}
		return frozen[In]{params: &l.as, value: l.in, lent: l}, nil
	}
}
