package rules

import (
	"encoding/json"
	"fmt"

	"github.com/useveto/veto-go/internal/decimal"
)

// number checks a number that is given, and reports whether it is one.
func (v *validator) number(p *path, name string, n *json.Number) bool {
	if n == nil {
		return false
	}
	at := p.Member(name)
	return v.numberText(&at, *n)
}

func (v *validator) numberText(p *path, n json.Number) bool {
	if decimal.Valid(string(n)) {
		return true
	}
	v.fault(p, fmt.Sprintf("%.40q is not a number in range", string(n)), "a JSON number within ±1.8e308, of at most 400 digits")
	return false
}

// amount checks what positive does, and that sums up to n are exact.
func (v *validator) amount(p *path, name string, n *json.Number) bool {
	if !v.positive(p, name, n) {
		return false
	}
	switch _, fit := decimal.ParseAmount(string(*n)); fit {
	case decimal.Fits:
		return true
	case decimal.TooLarge:
		v.wrong(p, name, fmt.Sprintf("%.40s is too large for a sum", *n), "sums are below 10^18")
	default:
		v.wrong(p, name, fmt.Sprintf("%.40s is too fine for a sum", *n), fmt.Sprintf("sums have at most %d digits after the point", decimal.AmountDigits))
	}
	return false
}

// positive checks a number that must be there and above zero.
func (v *validator) positive(p *path, name string, n *json.Number) bool {
	if n == nil {
		v.wrong(p, name, name+" is missing", "give a positive number")
		return false
	}
	if !v.number(p, name, n) {
		return false
	}
	if decimal.Compare(string(*n), "0") <= 0 {
		v.wrong(p, name, fmt.Sprintf("%s is not positive", *n), "")
		return false
	}
	return true
}

func (v *validator) budget(p *path, b *Budget) {
	given := 0
	if b.Parameter != "" {
		given++
		v.single(p, "parameter", b.Parameter)
	}
	if b.Distinct != "" {
		given++
		v.single(p, "distinct", b.Distinct)
	}
	if b.Cost != nil {
		given++
		v.amount(p, "cost", b.Cost)
	}
	if given != 1 {
		v.fault(p, fmt.Sprintf("a budget counts one thing, here %d are given", given), "give exactly one of parameter, cost and distinct")
	}
	if v.amount(p, "max", b.Max) && b.Distinct != "" {
		switch n, exact, _ := decimal.Floor(string(*b.Max)); {
		case !exact:
			v.wrong(p, "max", fmt.Sprintf("%s is no number of values", *b.Max), "give an integer")
		case n > MaxCalls:
			v.wrong(p, "max", fmt.Sprintf("%s values are too many to count", *b.Max), fmt.Sprintf("at most %d", MaxCalls))
		}
	}
	switch {
	case b.WindowSeconds != 0 && b.PerSession, b.WindowSeconds == 0 && !b.PerSession:
		v.fault(p, "a budget lasts for a window or for a session", "give exactly one of windowSeconds and perSession: true")
	case !b.PerSession:
		v.within(p, "windowSeconds", b.WindowSeconds, 1, MaxBudgetSeconds)
	}
	v.per(p, b.Per)
}

// single checks the name of a parameter that selects one value.
func (v *validator) single(p *path, name, parameter string) {
	at := p.Member(name)
	v.parameterName(&at, parameter, true)
}
