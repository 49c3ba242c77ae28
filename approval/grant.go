package approval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/useveto/veto-go/rules"
)

// The bounds of grants.
const (
	MaxGrants     = 100 // live ones of a Book
	MaxGrantTimes = 1_000
	MaxGrantTime  = 24 * time.Hour
)

// maxGrantBytes bounds the constraints of a grant, as JSON.
const maxGrantBytes = 64 << 10

// Grant approves further calls than the one that was asked about: those whose
// binding differs from that of the ticket in nothing but the arguments, and
// whose arguments keep the constraints.
type Grant struct {
	// Parameters constrain the arguments, which may have no others: an empty
	// map covers calls without arguments only. At most 64 parameters, and
	// 64 KiB as JSON, without lists and expressions. A Book checks their form,
	// stores and returns them; whoever uses the grant evaluates them.
	Parameters map[string]rules.Constraint `json:"parameters"`
	// Until is when the grant ends, at most 24 hours after the answer.
	Until time.Time `json:"until"`
	// Times is how many calls the grant covers besides the one of the
	// ticket: 1..1,000.
	Times int `json:"times"`
	// AnySession lets calls of other sessions use the grant too.
	AnySession bool `json:"anySession,omitempty"`
}

// LiveGrant is a grant that can be used.
type LiveGrant struct {
	// ID is that of the ticket with whose answer the grant was given.
	ID      string
	Binding Binding // of the ticket
	By      string
	Grant   Grant
	// Left is how many uses are left, as far as this process knows: at most
	// that many.
	Left int
}

// check checks a grant that was given at a time.
func (g *Grant) check(at time.Time) error {
	switch {
	case g.Times < 1 || g.Times > MaxGrantTimes:
		return fmt.Errorf("%w grant: %d times, 1..%d are possible", ErrInvalid, g.Times, MaxGrantTimes)
	case !g.Until.After(at) || g.Until.Sub(at) > MaxGrantTime:
		return fmt.Errorf("%w grant: the end is not within %v of the answer", ErrInvalid, MaxGrantTime)
	}
	// The rules have their bounds already; a grant is one of them.
	set := rules.PolicySet{Policies: []rules.Policy{{
		ID: "grant", AgentID: "*", Rules: []rules.Rule{{Type: rules.ParameterConstraint, Parameters: g.Parameters}},
	}}}
	for name, c := range g.Parameters {
		if c.InList != "" || c.NotInList != "" || c.Expression != "" {
			return fmt.Errorf("%w grant: the constraint of %q names a list or has an expression; a grant is of fixed values (enum, match, min, max and the like)", ErrInvalid, name)
		}
	}
	if len(g.Parameters) == 0 {
		return nil // as a rule it would constrain nothing
	}
	if faults := rules.Validate(&set); len(faults) > 0 {
		return fmt.Errorf("%w grant: %w", ErrInvalid, rules.Faults(faults))
	}
	return nil
}

// encode appends the grant.
func (g *Grant) encode(e encoder) (encoder, error) {
	parameters, err := json.Marshal(g.Parameters)
	if err != nil {
		return nil, fmt.Errorf("%w grant: %w", ErrInvalid, err)
	}
	if len(parameters) > maxGrantBytes {
		return nil, fmt.Errorf("%w grant: the constraints have over %d bytes", ErrInvalid, maxGrantBytes)
	}
	return e.bytes(parameters).time(g.Until).number(uint64(g.Times)).bool(g.AnySession), nil
}

// covers reports whether a call with binding c can be one of the grant that
// came with a ticket of binding b: whether the two are equal but for the
// arguments, and for the session where any is good.
func (g *Grant) covers(b, c Binding) bool {
	b.Arguments = c.Arguments
	if g.AnySession {
		b.Session = c.Session
	}
	return b == c
}

// clone returns a copy that shares nothing with g.
func (g *Grant) clone() (c Grant) {
	text, err := json.Marshal(g)
	if err != nil || json.Unmarshal(text, &c) != nil {
		return Grant{} // covers nothing
	}
	return c
}

// sameGrant reports whether a and b are equal, or both nil.
func sameGrant(a, b *Grant) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, errX := a.encode(nil)
	y, errY := b.encode(nil)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// UnmarshalJSON reads a grant. The scalars of its constraints can be written
// by encoding/json, but not read.
func (g *Grant) UnmarshalJSON(data []byte) error {
	type plainGrant Grant // without this method
	in := struct {
		Parameters map[string]constraint `json:"parameters"`
		*plainGrant
	}{plainGrant: new(plainGrant)}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*g = Grant(*in.plainGrant)
	if in.Parameters == nil {
		return nil
	}
	g.Parameters = make(map[string]rules.Constraint, len(in.Parameters))
	for name, c := range in.Parameters {
		c.Constraint.Enum, c.Constraint.NotEnum = c.Enum.scalars(), c.NotEnum.scalars()
		g.Parameters[name] = c.Constraint
	}
	return nil
}

// constraint is a rules.Constraint that can be read.
type constraint struct {
	rules.Constraint
	Enum    scalars `json:"enum"`
	NotEnum scalars `json:"notEnum"`
}

// scalars are strings, numbers and booleans.
type scalars []any

// UnmarshalJSON keeps the text of numbers.
func (s *scalars) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode((*[]any)(s))
}

func (s scalars) scalars() []rules.Scalar {
	if s == nil {
		return nil
	}
	out := make([]rules.Scalar, len(s))
	for i, v := range s {
		out[i].Value = v
	}
	return out
}
