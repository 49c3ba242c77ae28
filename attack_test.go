package veto_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/rules"
)

func number(s string) *json.Number { n := json.Number(s); return &n }

func constraint(tools []string, parameters map[string]rules.Constraint) rules.Rule {
	return rules.Rule{Type: rules.ParameterConstraint, Tools: tools, Parameters: parameters}
}

// A limit on an amount holds whatever is put in the amount's place. A peer
// skips a forbid whose condition errs (cedar-policy/cedar#2428), and then a
// missing amount is allowed.
func TestAttack_A1_MissingOrMistypedArgument(t *testing.T) {
	a := newAuthorizer(t, set(
		allowlist("pay"),
		constraint([]string{"pay"}, map[string]rules.Constraint{"amount": {Max: number("100")}}),
	), nil)
	params := func(v any) any { return map[string]any{"amount": v} }
	for name, p := range map[string]any{
		"no parameters": nil, "missing": map[string]any{}, "other case": map[string]any{"Amount": 5},
		"null": params(nil), "text": params("500"), "small text": params("5"), "array": params([]any{500}),
		"small array": params([]any{5}), "object": params(map[string]any{}), "true": params(true),
		"NaN": params(math.NaN()), "+Inf": params(math.Inf(1)), "-Inf": params(math.Inf(-1)),
		"float32 NaN": params(float32(math.NaN())),
		"json.Number": params(json.Number("500")), "json.Number text": params(json.Number("five")),
		"json.Number NaN": params(json.Number("NaN")), "int32": params(int32(500)), "uint64": params(uint64(math.MaxUint64)),
		"big.Int": params(new(big.Int).Exp(big.NewInt(10), big.NewInt(40), nil)), "just over": params(100.00000000000001),
		"raw text": json.RawMessage(`{"amount":"5"}`), "raw over": json.RawMessage(`{"amount":1e400}`),
		"func": params(func() {}), "nil pointer": params((*int)(nil)),
	} {
		r, err := a.Authorize(ctx, "bot", "pay", p)
		require.False(t, r.Allowed, name)
		require.Error(t, err, name)
	}
	for name, p := range map[string]any{
		"int": params(100), "float": params(99.5), "int32": params(int32(5)), "uint8": params(uint8(5)),
		"number": params(json.Number("1e2")), "raw": json.RawMessage(`{"amount":100.0}`), "big": params(big.NewInt(7)),
	} {
		_, err := a.Authorize(ctx, "bot", "pay", p)
		require.NoError(t, err, name)
	}
}

// Numbers keep their digits: a float64 cannot tell 2^53 from 2^53+1.
func TestAttack_A2_ExactNumbers(t *testing.T) {
	a := newAuthorizer(t, set(constraint([]string{"pay"}, map[string]rules.Constraint{"n": {Max: number("9007199254740992")}})), nil)
	for text, want := range map[string]bool{
		"9007199254740992": true, "9007199254740993": false, "9007199254740992.0": true, "9007199254740992.1": false,
		"1e400": false, "-0": true, "1e2": true, "99999999999999999999": false, "-99999999999999999999": true,
	} {
		r, _ := a.Authorize(ctx, "bot", "pay", json.RawMessage(`{"n":`+text+`}`))
		require.Equal(t, want, r.Allowed, text)
	}
	for v, want := range map[any]bool{int64(9007199254740993): false, uint64(9007199254740993): false, int64(9007199254740992): true} {
		r, _ := a.Authorize(ctx, "bot", "pay", map[string]any{"n": v})
		require.Equal(t, want, r.Allowed, v)
	}
}

// A number is the same number in every Go and JSON kind, and never its text.
func TestAttack_A3_EnumAcrossKinds(t *testing.T) {
	a := newAuthorizer(t, set(constraint([]string{"t"}, map[string]rules.Constraint{
		"level": {Enum: []rules.Scalar{{Value: json.Number("1")}, {Value: json.Number("2.50")}}},
	})), nil)
	for _, c := range []struct {
		v    any
		want bool
	}{
		{1, true}, {1.0, true}, {json.Number("1.0"), true}, {uint8(1), true}, {json.Number("25e-1"), true}, {float32(2.5), true},
		{"1", false}, {true, false}, {3, false}, {1.0000001, false},
	} {
		r, _ := a.Authorize(ctx, "bot", "t", map[string]any{"level": c.v})
		require.Equal(t, c.want, r.Allowed, "%T %v", c.v, c.v)
	}
}

// An allow whose constrained argument is absent does not allow; the empty
// string, the missing key and null are three things.
func TestAttack_A4_AbsentIsNotEmpty(t *testing.T) {
	regex := "^[a-z]*$"
	for _, c := range []struct {
		constraint rules.Constraint
		params     string
		want       bool
	}{
		{rules.Constraint{Regex: &regex}, `{}`, false},
		{rules.Constraint{Regex: &regex}, `{"to":null}`, false},
		{rules.Constraint{Regex: &regex}, `{"to":""}`, true},
		{rules.Constraint{Regex: &regex, Optional: true}, `{}`, true},
		{rules.Constraint{Regex: &regex, Optional: true}, `{"to":null}`, false},
		{rules.Constraint{Regex: &regex, Optional: true}, `{"to":5}`, false},
	} {
		a := newAuthorizer(t, set(constraint([]string{"t"}, map[string]rules.Constraint{"to": c.constraint})), nil)
		r, _ := a.Authorize(ctx, "bot", "t", json.RawMessage(c.params))
		require.Equal(t, c.want, r.Allowed, c.params)
	}
}

// Hours and days are those of the rule's zone, whatever the host's; both
// daylight-saving changes and the 29th of February are ordinary days.
func TestAttack_A9_TimeWindows(t *testing.T) {
	for _, c := range []struct {
		name  string
		hours []int
		days  []int
		zone  string
		at    string
		want  bool
	}{
		{"night, before midnight", []int{22, 23, 0, 1}, nil, "", "2026-03-01T23:59:59Z", true},
		{"night, after midnight", []int{22, 23, 0, 1}, nil, "", "2026-03-02T01:59:59Z", true},
		{"night over", []int{22, 23, 0, 1}, nil, "", "2026-03-02T02:00:00Z", false},
		{"host zone does not count", []int{9}, nil, "", "2026-03-02T09:30:00+05:00", false},
		{"zone", []int{9}, nil, "America/New_York", "2026-01-15T14:30:00Z", true},
		{"zone in summer", []int{9}, nil, "America/New_York", "2026-07-15T13:30:00Z", true},
		{"spring forward, before", []int{1}, nil, "America/New_York", "2026-03-08T06:59:59Z", true},
		{"spring forward, the hour that is not", []int{2}, nil, "America/New_York", "2026-03-08T07:00:00Z", false},
		{"spring forward, after", []int{3}, nil, "America/New_York", "2026-03-08T07:00:00Z", true},
		{"fall back, first time", []int{1}, nil, "America/New_York", "2026-11-01T05:30:00Z", true},
		{"fall back, second time", []int{1}, nil, "America/New_York", "2026-11-01T06:30:00Z", true},
		{"leap day", nil, []int{4}, "", "2024-02-29T12:00:00Z", true},
		{"day after leap day", nil, []int{4}, "", "2024-03-01T12:00:00Z", false},
		{"day of the zone", nil, []int{1}, "Asia/Tokyo", "2026-03-01T20:00:00Z", true},
		{"both must hold", []int{9}, []int{1}, "", "2026-03-01T09:00:00Z", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			require.NoError(t, err)
			a := newAuthorizer(t, set(allowlist("t"), rules.Rule{Type: rules.TimeBased, TimeWindow: &rules.TimeWindow{
				AllowedHours: c.hours, AllowedDays: c.days, Timezone: c.zone,
			}}), &veto.Options{Now: func() time.Time { return at }})
			r, _ := a.Authorize(ctx, "bot", "t", nil)
			require.Equal(t, c.want, r.Allowed)
			if !c.want {
				require.Equal(t, rules.CodeOutsideTimeWindow, r.Code)
			}
		})
	}
	_, err := veto.New(set(allowlist("t"), rules.Rule{Type: rules.TimeBased, TimeWindow: &rules.TimeWindow{AllowedHours: []int{9}, Timezone: "Mars/Olympus"}}), nil)
	require.ErrorContains(t, err, "Mars/Olympus")
}

// Under an allowlist of "*", a name that is not plain is refused, and a name
// in another case still meets the rules on it.
func TestAttack_C1_ToolNames(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("*"), denylist("wire_transfer")), nil)
	for _, name := range []string{
		"Wire_Transfer", "WIRE_TRANSFER", "wire_transfer ", " wire_transfer", "wire_transfer\u200b", "wire\u00a0transfer",
		"wіre_transfer" /* Cyrillic i */, "ｗire_transfer", "wire_transfe\u0301r", "wire_transfer\x00", "wire_transfer\n",
		"", strings.Repeat("a", 256), "wire_transfer\xff", "wire transfer", "wire\ttransfer", "\ufeffwire_transfer",
	} {
		r, err := a.Authorize(ctx, "bot", name, nil)
		require.Error(t, err, "%q", name)
		require.False(t, r.Allowed, "%q", name)
	}
	// What looks like a pattern or a path in a call is only a name.
	for _, name := range []string{"wire_*", "*", "a/b/wire_transfer", strings.Repeat("a", 255)} {
		_, err := a.Authorize(ctx, "bot", name, nil)
		require.NoError(t, err, "%q", name)
	}
	narrow := newAuthorizer(t, set(allowlist("wire_transfer", "file.*")), nil)
	for _, name := range []string{"wire_*", "*", "file", "FILE.read", "Wire_transfer", "file*"} {
		_, err := narrow.Authorize(ctx, "bot", name, nil)
		require.Error(t, err, "%q", name)
	}
}

// Identity is what the host says. An agent id among the arguments chooses no
// policy and no counter.
func TestAttack_C3_IdentityFromArguments(t *testing.T) {
	policies := &veto.PolicySet{Policies: []rules.Policy{
		{ID: "admin", AgentID: "admin", Rules: []rules.Rule{allowlist("*")}},
		{ID: "bot", AgentID: "bot", Rules: []rules.Rule{allowlist("read"), limit(1, 60)}},
	}}
	a := newAuthorizer(t, policies, nil)
	claim := map[string]any{"agent_id": "admin", "agentId": "admin", "agent": "admin", "project": "x"}
	_, err := a.Authorize(ctx, "bot", "delete", claim)
	require.ErrorIs(t, err, veto.ErrDenied)
	_, err = a.Authorize(ctx, "bot", "read", claim)
	require.NoError(t, err)
	claim["agent_id"] = "other"
	_, err = a.Authorize(ctx, "bot", "read", claim)
	require.ErrorIs(t, err, veto.ErrDenied)
}

// Counters are keyed by parts with their lengths, so no two identities can be
// written to share one. (OpenFGA CVE-2026-48096, SpiceDB CVE-2026-46668)
func TestAttack_C4_CompositeKeys(t *testing.T) {
	per := limit(1, 60)
	per.RateLimit.Per = []string{"agent", "user", "param:k"}
	a := newAuthorizer(t, set(allowlist("t"), per), nil)
	for _, c := range []veto.Call{
		{AgentID: "a", User: "bc", Parameters: map[string]any{"k": "d"}},
		{AgentID: "ab", User: "c", Parameters: map[string]any{"k": "d"}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": "cd"}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": 1}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": "1"}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": true}},
		{AgentID: "a", User: "b", Parameters: map[string]any{"k": "true"}},
		{AgentID: "a", User: "b", Project: "p", Parameters: map[string]any{"k": "1"}},
		{AgentID: "a", User: "b", Project: "p1", Parameters: map[string]any{"k": "1"}},
	} {
		c.Tool = "t"
		_, err := a.Decide(ctx, c)
		require.NoError(t, err, "%+v", c)
		_, err = a.Decide(ctx, c)
		require.ErrorIs(t, err, veto.ErrDenied, "%+v", c)
	}
	// One number, one counter, however it is written.
	_, err := a.Decide(ctx, veto.Call{AgentID: "a", User: "b", Tool: "t", Parameters: json.RawMessage(`{"k":1.0}`)})
	require.ErrorIs(t, err, veto.ErrDenied)
}

// An identity that a rule or the host needs, and that is empty, denies.
func TestAttack_C5_EmptyIdentity(t *testing.T) {
	a := newAuthorizer(t, set(allowlist("*")), nil)
	for _, agent := range []string{"", "*", "a\x00", "a\n", "\u0085", strings.Repeat("a", 256), "\xff"} {
		r, _ := a.Authorize(ctx, agent, "t", nil)
		require.Equal(t, rules.CodeInvalidRequest, r.Code, "%q", agent)
	}
	a = newAuthorizer(t, set(allowlist("*")), &veto.Options{RequireSession: true, RequireProject: true})
	for _, c := range []veto.Call{{}, {Session: "s"}, {Project: "p"}} {
		c.AgentID, c.Tool = "bot", "t"
		r, _ := a.Decide(ctx, c)
		require.Equal(t, rules.CodeInvalidRequest, r.Code)
	}
	_, err := a.Decide(ctx, veto.Call{AgentID: "bot", Tool: "t", Session: "s", Project: "p"})
	require.NoError(t, err)
	perUser := limit(1, 60)
	perUser.RateLimit.Per = []string{"user"}
	a = newAuthorizer(t, set(allowlist("*"), perUser), nil)
	r, _ := a.Authorize(ctx, "bot", "t", nil)
	require.Equal(t, rules.CodeEvaluationError, r.Code)
}
