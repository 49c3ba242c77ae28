package evaluator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A call with a value that is known takes no memory, however many there are.
func TestKnownValueTakesNoMemory(t *testing.T) {
	l := &limit{meter: CountValues, max: 10_000, window: time.Minute}
	m := newMeter(l)
	calls := make([]take, l.max)
	now := int64(0)
	use := func(x *take) {
		now += int64(time.Millisecond)
		fits, _ := m.look(now, x)
		require.True(t, fits)
		m.add(now, x)
	}
	for i := range calls {
		calls[i] = take{limit: l, value: fmt.Append(nil, i)}
		use(&calls[i])
	}
	i := 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		use(&calls[i*7919%len(calls)])
		i++
	}))
	usage := m.usage(now)
	require.Equal(t, "10000", usage.Used)
	require.Equal(t, time.Minute, usage.ResetIn)
	fits, wait := m.look(now, &take{limit: l, value: []byte("new")})
	require.False(t, fits)
	require.Positive(t, wait)
	fits, _ = m.look(now+int64(wait), &take{limit: l, value: []byte("new")})
	require.True(t, fits, "one has left")
	require.False(t, m.idle(now+int64(time.Minute)-1))
	require.True(t, m.idle(now+int64(time.Minute)))
}
