package constraint

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// dfa answers whether a regular expression matches an ASCII text, with one
// table look-up for each byte. It is the subset construction (Rabin and
// Scott, 1959) over the instructions of the compiled expression, done whole
// when the policy is loaded, and only where it stays small. It says the same
// as package regexp, which matches what is not ASCII; a test compares them.
type dfa struct {
	class [utf8.RuneSelf]uint8 // bytes that no instruction tells apart
	next  []uint16             // by state and class: where the next state's row begins
	width int                  // number of classes
	start uint16               // where the first state's row begins
	atEnd []bool               // by state: the text matches if it ends here
}

// Two states mean the same in every dfa.
const (
	dead    uint8 = 0 // no match, whatever follows
	settled uint8 = 1 // a match, whatever follows
)

const (
	maxDFAStates       = 250
	maxDFAInstructions = 250
	// maxTables bounds the work on the tables of one load, in instructions
	// looked at; it is about a second. Expressions after that have none.
	maxTables = 8_000_000
)

// newDFA returns the dfa of a program, or nil where it would be large or where
// the program looks around a place in the text, other than for its ends. It
// adds to work, and returns nil where that is spent.
func newDFA(prog *syntax.Prog, work *int) *dfa {
	if len(prog.Inst) > maxDFAInstructions || *work > maxTables {
		return nil
	}
	for i := range prog.Inst {
		in := &prog.Inst[i]
		if in.Op == syntax.InstEmptyWidth && syntax.EmptyOp(in.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
			return nil
		}
	}
	b := dfaBuilder{prog: prog, dfa: &dfa{}, ids: make(map[string]uint8), work: work}
	b.classify()
	// The states dead and settled.
	b.dfa.next = make([]uint16, 2*b.dfa.width)
	b.dfa.atEnd = []bool{false, true}
	b.sets = [][]uint32{nil, nil}
	for i := range b.dfa.width {
		b.dfa.next[b.dfa.width+i] = b.row(settled)
	}
	// A match may begin anywhere, so every later state holds the beginning.
	b.again = b.closure(nil, []uint32{uint32(prog.Start)}, 0)
	first := b.closure(nil, []uint32{uint32(prog.Start)}, syntax.EmptyBeginText)
	start, ok := b.state(first, syntax.EmptyBeginText)
	if !ok {
		return nil
	}
	b.dfa.start = b.row(start)
	for s := 2; s < len(b.sets); s++ {
		for c := range b.dfa.width {
			to, ok := b.step(b.sets[s], b.sample[c])
			if !ok {
				return nil
			}
			b.dfa.next[s*b.dfa.width+c] = b.row(to)
		}
	}
	return b.dfa
}

// match reports whether the text matches. ok is false where it is not ASCII,
// and then there is no answer.
func (d *dfa) match(s string) (matches, ok bool) {
	row, last := d.start, uint16(d.width)*uint16(settled)
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return false, false
		}
		row = d.next[row+uint16(d.class[c])]
		if row <= last {
			// The rest does not matter, but an answer is for ASCII only, so
			// that it does not depend on where the text was given up.
			return row == last, isASCII(s[i:])
		}
	}
	return d.atEnd[int(row)/d.width], true
}

type dfaBuilder struct {
	prog   *syntax.Prog
	dfa    *dfa
	sample []rune // a byte of each class
	sets   [][]uint32
	ids    map[string]uint8 // of states, by their sets
	again  []uint32
	work   *int
}

// classify puts the ASCII bytes into classes.
func (b *dfaBuilder) classify() {
	ids := make(map[string]uint8)
	for c := rune(0); c < utf8.RuneSelf; c++ {
		var look []byte
		for i := range b.prog.Inst {
			if in := &b.prog.Inst[i]; isRune(in) {
				look = append(look, '0')
				if in.MatchRune(c) {
					look[len(look)-1] = '1'
				}
			}
		}
		id, known := ids[string(look)]
		if !known {
			id = uint8(len(ids))
			ids[string(look)] = id
			b.sample = append(b.sample, c)
		}
		b.dfa.class[c] = id
	}
	b.dfa.width = len(ids)
}

// row is where the row of a state begins: at most 250 times 128.
func (b *dfaBuilder) row(state uint8) uint16 { return uint16(state) * uint16(b.dfa.width) }

func isRune(in *syntax.Inst) bool {
	switch in.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	default:
		return false
	}
}

// closure adds to set what can be reached from pcs without reading, where
// the conditions in at hold, and returns it sorted. Of the instructions it
// keeps those that read, match, or wait for the end of the text.
func (b *dfaBuilder) closure(set, pcs []uint32, at syntax.EmptyOp) []uint32 {
	seen := make(map[uint32]bool)
	for len(pcs) > 0 {
		pc := pcs[len(pcs)-1]
		pcs = pcs[:len(pcs)-1]
		*b.work++
		if seen[pc] {
			continue
		}
		seen[pc] = true
		switch in := &b.prog.Inst[pc]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			pcs = append(pcs, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			pcs = append(pcs, in.Out)
		case syntax.InstEmptyWidth:
			need := syntax.EmptyOp(in.Arg)
			if need&^at == 0 {
				pcs = append(pcs, in.Out)
			} else if need&^at&^syntax.EmptyEndText == 0 {
				set = append(set, pc)
			}
		case syntax.InstFail:
		default:
			set = append(set, pc)
		}
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// state returns the state of a set, which is at a place where the conditions
// in at hold; false where there are too many.
func (b *dfaBuilder) state(set []uint32, at syntax.EmptyOp) (uint8, bool) {
	if len(set) == 0 {
		return dead, true
	}
	for _, pc := range set {
		if b.prog.Inst[pc].Op == syntax.InstMatch {
			return settled, true
		}
	}
	key := make([]byte, 0, 2*len(set)+1)
	for _, pc := range set {
		key = append(key, byte(pc), byte(pc>>8))
	}
	key = append(key, byte(at))
	if id, known := b.ids[string(key)]; known {
		return id, true
	}
	if len(b.sets) >= maxDFAStates {
		return 0, false
	}
	id := uint8(len(b.sets))
	b.ids[string(key)] = id
	b.sets = append(b.sets, set)
	b.dfa.next = append(b.dfa.next, make([]uint16, b.dfa.width)...)
	end := b.closure(nil, slices.Clone(set), at|syntax.EmptyEndText)
	b.dfa.atEnd = append(b.dfa.atEnd, slices.ContainsFunc(end, func(pc uint32) bool {
		return b.prog.Inst[pc].Op == syntax.InstMatch
	}))
	return id, true
}

// step reads one character.
func (b *dfaBuilder) step(set []uint32, c rune) (uint8, bool) {
	var out []uint32
	*b.work += len(set)
	for _, pc := range set {
		if in := &b.prog.Inst[pc]; isRune(in) && in.MatchRune(c) {
			out = append(out, in.Out)
		}
	}
	return b.state(b.closure(slices.Clone(b.again), out, 0), 0)
}
