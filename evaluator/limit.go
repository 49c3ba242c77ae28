package evaluator

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/useveto/veto-go/internal/constraint"
	"github.com/useveto/veto-go/internal/decimal"
	"github.com/useveto/veto-go/rules"
)

// limit is what a rule that counts bounds: a rate_limit, a budget, or a part
// of the sessionConstraints of a tool policy.
type limit struct {
	identity [16]byte
	meter    MeterKind
	session  bool // it speaks of a session, which must be open
	max      int  // of calls, or of different values
	sum      decimal.Amount
	text     string        // of the bound of a budget, as it is written
	window   time.Duration // 0: as long as the session
	per      []keyPart

	cost      decimal.Amount // of every call, where there is no parameter
	parameter *parameter     // that is summed, or whose values are counted
}

// keyPart is a part of a counter's key.
type keyPart struct {
	kind  keyKind
	param constraint.Selector
}

type keyKind uint8

const (
	ofNothing keyKind = iota // not reached by a valid set: no call has that part
	ofAgent
	ofAll
	ofTool
	ofSession
	ofUser
	ofProject
	ofParameter
)

var keyKinds = map[string]keyKind{
	"agent": ofAgent, "global": ofAll, "tool": ofTool, "session": ofSession, "user": ofUser, "project": ofProject,
}

// parameter is a parameter by its name.
type parameter struct {
	name string
	at   constraint.Selector
}

func newParameter(name string) *parameter {
	return &parameter{name, constraint.NewSelector(name)}
}

// code is that of a violation.
func (l *limit) code() rules.Code {
	if l.text == "" {
		return rules.CodeRateLimited
	}
	return rules.CodeBudgetExceeded
}

// basis fills in what a reason says of the bound.
func (l *limit) basis(b *rules.Basis) {
	if l.text == "" {
		b.MaxCalls, b.Window = l.max, l.window
	} else {
		b.Max = l.text
	}
}

var (
	perAgent = []string{"agent"}
	byAgent  = []keyPart{{kind: ofAgent}}
)

// compileParts returns the parts of a key; nil are those of the default.
func compileParts(per []string) []keyPart {
	if slices.Equal(per, perAgent) {
		return byAgent // shared: most limits are so
	}
	parts := make([]keyPart, len(per))
	for i, text := range per {
		if name, ok := strings.CutPrefix(text, "param:"); ok {
			parts[i] = keyPart{ofParameter, constraint.NewSelector(name)}
		} else {
			parts[i].kind = keyKinds[text]
		}
	}
	return parts
}

// identify gives l its key parts and its identity. The identity of a counter
// is what the limit is about (project, policy, rule, window, key parts, and
// what kind of thing is counted), not how much it permits: a reload that
// changes the number, the tools or the condition keeps what was counted.
func (l *limit) identify(project *string, r *rule, per []string) {
	if per == nil {
		per = perAgent
	}
	var buf []byte
	buf = appendPart(buf, deref(project))
	buf = appendPart(buf, r.policy.id)
	buf = appendPart(buf, r.id)
	for _, part := range per {
		buf = appendPart(buf, part)
	}
	buf = binary.AppendUvarint(buf, uint64(l.window/time.Second))
	buf = append(buf, byte(l.meter))
	sum := sha256.Sum256(buf)
	copy(l.identity[:], sum[:])
	l.per = compileParts(per)
	l.session = l.session || slices.Contains(per, "session")
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// compileLimit compiles a valid rate_limit.
func compileLimit(project *string, r *rule, b *rules.RateLimit) *limit {
	l := &limit{meter: CountCalls, max: b.MaxCalls, window: time.Duration(b.WindowSeconds) * time.Second}
	if b.Algorithm == "token_bucket" {
		l.meter = TokenBucket
	}
	l.identify(project, r, b.Per)
	return l
}

// compileBudget compiles a valid budget.
func compileBudget(project *string, r *rule, b *rules.Budget) *limit {
	l := &limit{
		meter: SumAmounts, session: b.PerSession,
		text: string(*b.Max), window: time.Duration(b.WindowSeconds) * time.Second,
	}
	switch {
	case b.Distinct != "":
		l.meter, l.parameter = CountValues, newParameter(b.Distinct)
		l.max = wholeNumber(*b.Max)
	case b.Cost != nil:
		l.sum, l.cost = amountOf(string(*b.Max)), amountOf(string(*b.Cost))
	default:
		l.sum, l.parameter = amountOf(string(*b.Max)), newParameter(b.Parameter)
	}
	l.identify(project, r, b.Per)
	return l
}

// amountOf returns a number of a valid set as an amount; no amount, which
// permits nothing, where it is none.
func amountOf(text string) decimal.Amount {
	a, fit := decimal.ParseAmount(text)
	if fit != decimal.Fits {
		return decimal.Amount{}
	}
	return a
}

func wholeNumber[T ~string](text T) int {
	n, _, side := decimal.Floor(string(text))
	if side != 0 {
		return 0
	}
	return int(min(n, rules.MaxCalls))
}

func (l *limit) judge(e *Evaluation, r *rule) judgement {
	if l.session && e.call.Session == "" {
		return sessionless
	}
	start, n := len(e.keys), len(e.takes)
	e.takes = append(e.takes, take{}) // and filled in there: it is large
	t := &e.takes[n]
	t.limit, t.rule, t.covered = l, r, r.soft && e.covers(r)
	j := judgement{outcome: passes}
	if e.appendKey(l) {
		t.key = e.keys[start:len(e.keys):len(e.keys)]
		j = e.measure(t)
	} else {
		e.why = "the call lacks a part of the counter's key"
		j = judgement{outcome: failed}
	}
	if j.outcome != passes || r.policy.flags.shadow { // a shadow counts nothing
		e.keys, e.takes = e.keys[:start], e.takes[:n]
	}
	return j
}

// sessionless is what a rule about sessions says of a call without one.
var sessionless = judgement{outcome: denies, code: rules.CodeSessionUnknown}

// measure finds the amount or the value that the call adds.
func (e *Evaluation) measure(t *take) judgement {
	l := t.limit
	switch {
	case l.meter == CountValues:
		start := len(e.keys)
		if !e.appendParameter(&l.parameter.at) {
			e.keys = e.keys[:start]
			return e.noMeasure(l, "is absent, or no string of at most 256 bytes, number or boolean")
		}
		t.value = e.keys[start:len(e.keys):len(e.keys)]
	case l.parameter != nil:
		return e.measureAmount(t)
	case l.meter == Tally:
		t.by = 1
	default:
		t.amount = l.cost
	}
	return judgement{outcome: passes}
}

func (e *Evaluation) measureAmount(t *take) judgement {
	l := t.limit
	var text [512]byte
	number, ok := e.number(&l.parameter.at, text[:0])
	if !ok {
		return e.noMeasure(l, "is absent, or no number")
	}
	amount, fit := decimal.ParseAmount(string(number))
	switch fit {
	case decimal.Fits:
		t.amount = amount
	case decimal.TooLarge:
		t.amount = tooMuch
	case decimal.Negative:
		return judgement{outcome: denies, code: rules.CodeBudgetExceeded, parameter: l.parameter.name}
	default:
		return e.noMeasure(l, "has more than "+strconv.Itoa(decimal.AmountDigits)+" digits after the point")
	}
	return judgement{outcome: passes}
}

// tooMuch stands for every amount that is above all bounds.
var tooMuch = amountOf("999999999999999999.999999999999999999").Plus(amountOf("1"))

func (e *Evaluation) noMeasure(l *limit, why string) judgement {
	e.why = "the parameter that is counted " + why
	return judgement{outcome: failed, parameter: l.parameter.name}
}

func appendPart[T string | []byte](dst []byte, part T) []byte {
	if len(part) < 0x80 {
		dst = append(dst, byte(len(part)))
	} else {
		dst = binary.AppendUvarint(dst, uint64(len(part)))
	}
	return append(dst, part...)
}
