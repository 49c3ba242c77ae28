package value

// Problem is what is wrong with an input. The zero Problem is none. Its
// text completes a sentence about the input, as in "parameters are too
// large"; it is one of a fixed set and never holds text of the input.
type Problem uint8

// The problems.
const (
	OK Problem = iota
	NotObject
	NotJSON
	TooLarge
	TooDeep
	BadUTF8
	DuplicateKey
	FoldedKey
	NumberRange
	NotFinite
	TrailingData
	Unencodable

	// Problems is the number of problems, OK included.
	Problems int = iota
)

var problemTexts = [...]string{
	OK:           "",
	NotObject:    "are not a JSON object",
	NotJSON:      "are not valid JSON",
	TooLarge:     "are too large",
	TooDeep:      "are nested too deep",
	BadUTF8:      "are not valid UTF-8",
	DuplicateKey: "have a duplicate key",
	FoldedKey:    "have two keys that differ only in case",
	NumberRange:  "have a number out of range",
	NotFinite:    "have a number that is not finite",
	TrailingData: "have data after the JSON object",
	Unencodable:  "have a value that JSON cannot hold",
}

// String returns the sentence for the problem.
func (p Problem) String() string { return problemTexts[p] }

// Refused is an input that somebody refused before it came here: a tree that
// is filled with it has the Problem. Detail, if any, says more; it completes
// the same sentence, and holds no text of the input either.
type Refused struct {
	Problem Problem
	Detail  string
}

func (r *Refused) problem() Problem {
	if r == nil || r.Problem == OK {
		return Unencodable
	}
	return r.Problem
}

// String returns the sentence.
func (r *Refused) String() string {
	if r != nil && r.Detail != "" {
		return r.Detail
	}
	return r.problem().String()
}

// Limits bounds an input.
type Limits struct {
	// Bytes is the most that the input may count as compact JSON.
	Bytes int
	// Depth is the most containers on the way down, the root counted.
	Depth int
}

// DefaultLimits are the bounds of a call's parameters: 64 KiB, 32 deep.
var DefaultLimits = Limits{Bytes: 64 << 10, Depth: 32}

const (
	// smallObject is the most members that are searched one by one.
	smallObject = 8
)
