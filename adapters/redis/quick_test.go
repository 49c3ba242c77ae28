package vetoredis_test

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// What the script answers before it has read itself to its end, it would answer
// and write likewise at its end: there the same questions come from a session.
func TestQuickAnswersAreTheOthers(t *testing.T) {
	_, c := withClock(t)
	open := func(name string) *asks {
		store := quickServer(t).open(t, vetoredis.Options{Prefix: c.prefix + name, AcceptThatCountsMayBeForgotten: true})
		store.UseClock(c.key)
		return &asks{t, store}
	}
	quick, other := open("quick:"), open("other:")
	r := rand.New(rand.NewPCG(newSeed(t), 1))
	seen := map[string]int{}
	steps := 4000
	if testing.Short() {
		steps = 2000
	}
	const window = time.Hour
	largest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	var taken [][2]*evaluator.Batch
	for i := range steps {
		if i%1000 == 0 {
			taken = nil
			for _, name := range []string{"quick:", "other:"} {
				for _, k := range c.keys(name + "*") {
					require.NoError(t, c.client.Del(ctx, k).Err())
				}
			}
			other.open("s")
		}
		// Often several come in one part of the window, at times none for long.
		switch r.IntN(40) {
		case 0:
			c.pass(time.Duration(r.Int64N(int64(window))))
		case 1:
			c.pass(-time.Duration(r.Int64N(int64(time.Minute))))
		default:
			c.pass(time.Duration(r.Int64N(int64(window) / 300)))
		}
		if len(taken) > 0 && r.IntN(6) == 0 {
			b := taken[r.IntN(len(taken))]
			quick.back(b[0])
			other.back(b[1])
			continue
		}
		all := []evaluator.Take{
			calls("few", window, 20), calls("many", window, 200),
			sum("small", window, big.NewInt(5000), big.NewInt(r.Int64N(60))),
			sum("tight", window, big.NewInt(100), big.NewInt(r.Int64N(130))),
			sum("top", window, below(r, largest), new(big.Int).Rsh(largest, uint(r.IntN(3)))),
			sum("large", window, below(r, new(big.Int).Lsh(big.NewInt(1), 128)), new(big.Int).Lsh(big.NewInt(1), uint(r.IntN(128)))),
		}
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if all = all[:3]; r.IntN(3) > 0 {
			all = all[:1]
		}
		x, y := quick.take("", append([]evaluator.Take(nil), all...)...), other.take("s", append([]evaluator.Take(nil), all...)...)
		require.Equal(t, y.Takes, x.Takes, "step %d", i)
		require.Equal(t, y.Taken, x.Taken)
		require.Equal(t, contents(t, c.client, c.prefix+"other:"), contents(t, c.client, c.prefix+"quick:"), "step %d: %v", i, all)
		seen[fmt.Sprint(len(all), x.Taken)]++
		if x.Taken {
			taken = append(taken, [2]*evaluator.Batch{x, y})
		}
	}
	for _, what := range []string{"1 true", "1 false", "3 true", "3 false"} {
		require.Positive(t, seen[what], "%s of %v", what, seen)
	}
}

// contents is what the counters are, by what ends their names.
func contents(t *testing.T, c *goredis.Client, prefix string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, kind := range []string{"c", "s"} {
		for _, k := range c.Keys(ctx, prefix+"*:"+kind+":*").Val() {
			what := c.Get(ctx, k).Val()
			if kind == "s" {
				what = strings.Join(c.LRange(ctx, k, 0, -1).Val(), " ")
			}
			all[strings.TrimPrefix(k, prefix)] = what
		}
	}
	return all
}

// The key of a sum lives for as long as it counts after each amount, and a
// 128th of the window longer at most, whether that was written with it or
// before; and by the time of the server, also where that was set back.
func TestSumsAreKeptForLongEnough(t *testing.T) {
	store, c := withClock(t)
	a, r := &asks{t, store}, rand.New(rand.NewPCG(9, 10))
	const window, part, mark = time.Hour, time.Hour / 128, 5 * time.Hour
	limit := sum("k", window, big.NewInt(1_000_000), big.NewInt(1))
	require.True(t, a.take("", limit).Taken)
	keys := c.keys("*:s:*")
	require.Len(t, keys, 1)
	kept := func() time.Time {
		head := c.client.LIndex(ctx, keys[0], -1).Val()
		return time.UnixMicro(int64(binary.BigEndian.Uint64([]byte(head[16:24]))))
	}
	const slack = 10 * time.Second
	before, written, left := kept(), 0, 0
	require.InDelta(t, window+part+slack, c.client.PTTL(ctx, keys[0]).Val(), float64(5*time.Second))
	for i := range 1000 {
		require.NoError(t, c.client.PExpire(ctx, keys[0], mark).Err())
		if i%100 == 99 {
			c.pass(-2 * part)
		} else {
			c.pass(time.Duration(r.Int64N(int64(part))))
		}
		x := []evaluator.Take{limit}
		if i%3 == 0 {
			x = append(x, calls("c", window, 9)) // of which the first is new, and many are refused
		}
		if !a.take("", x...).Taken {
			continue
		}
		now := kept()
		require.False(t, now.Before(c.now.Add(window)), "it dies too early")
		require.False(t, now.After(c.now.Add(window+part+time.Microsecond)), "it lives too long")
		if now.Equal(before) {
			left++
		} else {
			written++
			require.InDelta(t, window+part+slack, c.client.PTTL(ctx, keys[0]).Val(), float64(5*time.Second))
		}
		before = now
	}
	require.Positive(t, written)
	require.Positive(t, left)
}
