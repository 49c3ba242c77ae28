package twin

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/useveto/veto-go/rules"
)

// sum bounds a running sum, of a parameter or of a cost.
type sum struct {
	key       string
	keyed     bool // the call has all parts of the key
	parameter string
	cost      *big.Rat // where there is no parameter
	max       string
	window    time.Duration // 0: for the session
}

// budget returns a budget, and whether it speaks of sessions.
func (r *request) budget(s stateRule, b *rules.Budget) (rule stateful, session bool) {
	parts, keyed := r.keyParts(b.Per)
	window := time.Duration(b.WindowSeconds) * time.Second
	of := "sum"
	if b.Distinct != "" {
		of = "distinct"
	}
	in := fmt.Sprint("window ", window)
	if b.PerSession {
		in = fmt.Sprint("session ", r.session())
	}
	key := r.key(s, of, in, parts)
	session = b.PerSession || slices.Contains(b.Per, "session")
	if b.Distinct != "" {
		return distinct{key, keyed, b.Distinct, string(*b.Max), window}, session
	}
	out := sum{key: key, keyed: keyed, parameter: b.Parameter, max: string(*b.Max), window: window}
	if b.Cost != nil {
		out.cost = number(*b.Cost).rat()
	}
	return out, session
}

// bound is above every amount, and an amount is a whole number of its inverse.
var bound = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil))

// amount returns what the call costs; or what the rule says if that is no
// amount.
func (s sum) amount(r *request) (*big.Rat, ruleVerdict) {
	if s.cost != nil {
		return s.cost, ruleVerdict{}
	}
	values, f := r.selectValues(s.parameter)
	if f != holds {
		return nil, about(s.parameter, deny(rules.CodeEvaluationError))
	}
	n, ok := values[0].(number)
	if !ok {
		return nil, about(s.parameter, deny(rules.CodeEvaluationError))
	}
	amount := n.rat()
	units := new(big.Rat).Mul(amount, bound)
	switch {
	case amount.Sign() < 0:
		v := about(s.parameter, deny(rules.CodeBudgetExceeded))
		v.max = s.max
		return nil, v
	case amount.Cmp(bound) < 0 && !units.IsInt():
		return nil, about(s.parameter, deny(rules.CodeEvaluationError))
	}
	return amount, ruleVerdict{}
}

// about says which parameter a verdict is about.
func about(parameter string, v ruleVerdict) ruleVerdict {
	v.parameter = parameter
	return v
}

func (s sum) missing(r *request) ruleVerdict {
	if v := needsKey(s.keyed); v.says != nothing {
		return v
	}
	_, v := s.amount(r)
	return v
}

func (s sum) look(r *request) standing {
	amount, _ := s.amount(r)
	limit := number(s.max).rat()
	fits := func(sum *big.Rat) bool { return new(big.Rat).Add(sum, amount).Cmp(limit) <= 0 }

	entries, now := r.live(s.key, s.window)
	total := new(big.Rat)
	for _, e := range entries {
		total.Add(total, e.amount)
	}
	if fits(total) {
		return standing{}
	}
	found := standing{violated: true, code: rules.CodeBudgetExceeded, max: s.max}
	if s.window == 0 || !fits(new(big.Rat)) {
		return found
	}
	for _, e := range entries {
		total.Sub(total, e.amount)
		if fits(total) {
			found.wait = e.time.Add(s.window).Sub(now)
			break
		}
	}
	return found
}

func (s sum) count(r *request) {
	amount, _ := s.amount(r)
	r.enter(entry{key: s.key, amount: amount})
}

// distinct bounds the number of different values of a parameter.
type distinct struct {
	key       string
	keyed     bool
	parameter string
	max       string
	window    time.Duration // 0: for the session
}

func (d distinct) missing(r *request) ruleVerdict {
	if v := needsKey(d.keyed); v.says != nothing {
		return v
	}
	if _, ok := r.keyValue(d.parameter); !ok {
		return about(d.parameter, deny(rules.CodeEvaluationError))
	}
	return ruleVerdict{}
}

// look counts every value at the time of its last use.
func (d distinct) look(r *request) standing {
	value, _ := r.keyValue(d.parameter)
	entries, now := r.live(d.key, d.window)
	var last []entry // of each value, oldest first
	for i, e := range entries {
		again := func(later entry) bool { return later.value == e.value }
		if !slices.ContainsFunc(entries[i+1:], again) {
			last = append(last, e)
		}
	}
	limit := int(number(d.max).rat().Num().Int64())
	if slices.ContainsFunc(last, func(e entry) bool { return e.value == value }) || len(last) < limit {
		return standing{}
	}
	found := standing{violated: true, code: rules.CodeBudgetExceeded, max: d.max}
	if d.window != 0 {
		found.wait = last[len(last)-limit].time.Add(d.window).Sub(now)
	}
	return found
}

func (d distinct) count(r *request) {
	value, _ := r.keyValue(d.parameter)
	r.enter(entry{key: d.key, value: value})
}
