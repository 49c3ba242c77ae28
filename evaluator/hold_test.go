package evaluator

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/rules"
)

// Sums whose amounts are corrected, once or more, up and down, by a clock that
// jumps, against the plain log: what a window holds is what the calls have
// cost. Corrected sums may be above the bound; then they deny.
func TestCorrectAgainstPlainLog(t *testing.T) {
	amounts := []string{"0.5", "1", "2.25", "9.000000000000000001"}
	actuals := []string{"0.000000000000000001", "0.5", "3", "8.75", "12"}
	bound := big.NewRat(20, 1)
	for _, seconds := range []int{5, 0} {
		r := rand.New(rand.NewPCG(31, uint64(seconds)))
		p := compiled(t, keyed(1, func(int) rules.Rule {
			return rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("20"), WindowSeconds: seconds, PerSession: seconds == 0}}
		}))
		s := NewState(&StateOptions{SessionIdle: 1e6 * time.Hour})
		clock := &jumpyClock{start: wallStart, step: 15e7, far: 20e9, tick: 1e8}
		log := &plainLog{window: int64(seconds) * 1e9, latest: -1 << 62}
		if seconds == 0 {
			log.window = 1 << 62
		}
		session := 0
		open := func(now time.Time) {
			s.EndSession("", fmt.Sprint(session))
			session++
			require.NoError(t, s.OpenSession("", fmt.Sprint(session), now))
			log.entries = nil
		}
		open(wallStart)
		type held struct {
			h     *Hold
			entry *plainEntry
		}
		var holds []held
		for n := range fewer(5000) {
			now := clock.next(r)
			if seconds == 0 && n%100 == 99 {
				open(now) // what is held of the last one is of no sum any more
			}
			if len(holds) > 0 && r.IntN(3) > 0 {
				i := r.IntN(len(holds))
				x := &holds[i]
				actual := actuals[r.IntN(len(actuals))]
				if r.IntN(4) == 0 {
					actual = "0"
				}
				require.NoError(t, s.Correct(x.h, now, "", "", actual))
				log.latest = max(log.latest, s.time(now))
				if x.entry.at > log.latest-log.window {
					x.entry.amount = rat(actual)
				}
				require.ErrorIs(t, s.Correct(x.h, now, "p", "budget[0]", "0"), ErrSaid)
				require.NoError(t, s.Correct(x.h, now, "", "", "0"), "there is nothing left to say")
				holds = slices.Delete(holds, i, i+1)
				checkState(t, s)
				continue
			}
			amount := amounts[r.IntN(len(amounts))]
			x := &plainEntry{amount: rat(amount)}
			var e Evaluation
			p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t0", Session: fmt.Sprint(session), Parameters: json.RawMessage(`{"amount":` + amount + `}`)}, now)
			allowed := e.Settle(s).Cause().Outcome == rules.Allowed
			log.latest = max(log.latest, s.time(now))
			x.at = log.latest
			sum := new(big.Rat).Set(x.amount)
			live := log.live(log.latest)
			for _, y := range live {
				sum.Add(sum, y.amount)
			}
			if len(live) <= exactEntries/2 { // beyond, amounts may stay longer
				require.Equal(t, sum.Cmp(bound) <= 0, allowed, "call %d: %s", n, sum.FloatString(18))
			} else if allowed {
				require.LessOrEqual(t, sum.Cmp(bound), 0)
			}
			if allowed {
				log.entries = append(log.entries, x)
				holds = append(holds, held{h: e.Hold(), entry: x})
			}
		}
	}
}

// What is no amount corrects nothing.
func TestCorrectRefuses(t *testing.T) {
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.Budgeted, Budget: &rules.Budget{Parameter: "amount", Max: num("20"), WindowSeconds: 60}}
	}))
	s := NewState(nil)
	var e Evaluation
	call := &rules.Call{AgentID: "bot", Tool: "t0", Parameters: json.RawMessage(`{"amount":5}`)}
	p.Decide(&e, call, wallStart)
	require.Nil(t, e.Hold(), "nothing is taken yet")
	e.Settle(s)
	h := e.Hold()
	for _, bad := range []string{"-1", "-0.000000000000000001", "NaN", "Infinity", "1e18", "0.0000000000000000001", "five", "0x5", "1_000", " 5", "5 ", "+5", "05", ".5"} {
		require.ErrorIs(t, s.Correct(h, wallStart, "", "", bad), ErrNoAmount, "%q", bad)
	}
	require.ErrorIs(t, s.Correct(h, wallStart, "p", "budget[1]", "1"), ErrNoBudget)
	require.ErrorIs(t, s.Correct(h, wallStart, "q", "budget[0]", "1"), ErrNoBudget)
	require.ErrorIs(t, s.Correct(nil, wallStart, "p", "budget[0]", "1"), ErrNoBudget)
	require.NoError(t, s.Correct(nil, wallStart, "", "", "1"), "it is part of no sum")
	sum := func() string {
		p.Decide(&e, call, wallStart)
		return e.Usage(s)[0].Used
	}
	require.Equal(t, "5", sum())
	require.NoError(t, s.Correct(h, wallStart, "", "", ""))
	require.ErrorIs(t, s.Correct(h, wallStart, "p", "budget[0]", "1"), ErrSaid)
	require.Equal(t, "5", sum())
	for _, good := range []string{"999999999999999999.999999999999999999", "0", "-0", "1e-18", "7.50"} {
		s = NewState(nil)
		p.Decide(&e, call, wallStart)
		e.Settle(s)
		require.NoError(t, s.Correct(e.Hold(), wallStart, "p", "budget[0]", good), good)
		require.Equal(t, amountOf(good).String(), sum())
	}
	s.Succeeded(nil)
}

// A call that is denied, or that nothing was taken for, has no Hold.
func TestHoldOfNothing(t *testing.T) {
	p := compiled(t, keyed(1, func(int) rules.Rule {
		return rules.Rule{Type: rules.RateLimited, RateLimit: &rules.RateLimit{MaxCalls: 1, WindowSeconds: 60}}
	}))
	s := NewState(nil)
	var e Evaluation
	for range 2 { // allowed with no sum in it, and denied
		p.Decide(&e, &rules.Call{AgentID: "bot", Tool: "t0"}, wallStart)
		e.Settle(s)
		require.Nil(t, e.Hold())
	}
}

// More amounts than a meter keeps one by one: a sum is never below what the
// window holds, and never above what it held a bucket of it ago; also where
// amounts were corrected or taken back.
func TestManyAmounts(t *testing.T) {
	const window = 16000
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(41, seed))
		l := &limit{meter: SumAmounts, window: window}
		m := &sumMeter{window: window}
		var takes []*take
		var late []take
		now := int64(-5 * window)
		for range 1000 {
			now += r.Int64N(30 + int64(seed)*10) // fewer and more than there are buckets
			m.expire(now)
			takes = slices.DeleteFunc(takes, func(x *take) bool {
				gone := x.at <= now-window
				if gone {
					late = append(late, *x) // what it costs cannot change any more
				}
				return gone
			})
			switch r.IntN(6) {
			case 0, 1:
				if len(takes) > 0 {
					m.correct(now, takes[r.IntN(len(takes))], decimalOf(r))
				}
			case 2:
				if n := len(takes); n > 0 {
					i := n - 1 - r.IntN(min(n, 5))
					m.remove(now, takes[i])
					takes = slices.Delete(takes, i, i+1)
				}
			default:
				x := &take{limit: l, amount: decimalOf(r)}
				m.add(now, x)
				takes = append(takes, x)
			}
			var least, most decimal.Amount
			for _, x := range takes {
				least, most = least.Plus(x.amount), most.Plus(x.amount)
			}
			for _, x := range late {
				if x.at > now-window-window/buckets {
					most = most.Plus(x.amount)
				}
			}
			var sum decimal.Amount
			for _, e := range m.entries {
				sum = sum.Plus(e.amount)
			}
			require.Equal(t, sum, m.sum)
			require.GreaterOrEqual(t, m.sum.Compare(least), 0, "a sum falls early")
			require.LessOrEqual(t, m.sum.Compare(most), 0, "a sum falls more than a bucket late")
			require.LessOrEqual(t, len(m.entries), maxSumEntries)
		}
	}
}

func decimalOf(r *rand.Rand) decimal.Amount { return amountOf(fmt.Sprint(r.IntN(1000))) }
