package guard_test

import (
	"testing"

	"github.com/useveto/veto-go/guard"
)

// Structs of text, numbers and booleans are decided on without a detour by
// their JSON, and as that would be.
func TestPlainStructs(t *testing.T) {
	type kinds struct {
		S string `json:"s"`
		E string `json:"e,omitempty"`
		B bool
		I int8
		U uint64
		F float32
		O float64 `json:",omitempty"`
	}
	passes(t, kinds{}, `{"s":"","B":false,"I":0,"U":0,"F":0}`)
	passes(t, kinds{"é\n", "x", true, -8, 1 << 63, 0.1, -0.5}, `{"s":"é\n","e":"x","B":true,"I":-8,"U":9223372036854775808,"F":0.1,"O":-0.5}`)
	refuses(t, kinds{S: "\xff"})
	refuses(t, kinds{O: inf()})
	// What is not so plain goes by its JSON.
	passes(t, struct {
		C int `json:",string"`
	}{3}, `{"C":"3"}`)
	passes(t, struct {
		leaf
		N int `json:"n,omitzero"`
	}{leaf: leaf{"x"}}, `{"name":"x"}`)
}

// What a struct is lent to for a decision holds nothing of it for the next.
func TestPlainStructsOneAfterAnother(t *testing.T) {
	a := authorizer(t, nil)
	tool := wrap(t, a, "send_email", echo[letterTo], bot[letterTo]())
	for range 10 {
		_, err := tool(t.Context(), letterTo{To: "ann@example.com", Subject: "x", Copies: 3})
		if err != nil {
			t.Fatal(err)
		}
		_, err = tool(guard.WithAgent(t.Context(), "bot"), letterTo{To: "ann@evil.com"})
		blocked(t, err)
		_, err = tool(t.Context(), letterTo{To: "ann@example.com", Copies: 4})
		blocked(t, err)
	}
}
