package audit_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/internal/value"
)

func TestZeroParameters(t *testing.T) {
	for _, p := range []audit.Parameters{{}, audit.Capture(new(value.Tree), nil, nil), new(audit.Record).Clone().Parameters} {
		require.True(t, p.IsZero())
		require.Equal(t, "{}", p.String())
		require.Empty(t, p.Digest())
	}
	// What was not read is not said to be nothing.
	unread := audit.Capture(nil, nil, audit.NewDigestKey([]byte("k")))
	require.False(t, unread.IsZero())
	require.Equal(t, "null", unread.String())
	require.Empty(t, unread.Digest())
	p := audit.Capture(tree(t, `{}`), nil, nil)
	require.False(t, p.IsZero())
	require.Equal(t, "{}", p.String())
}

func TestParameters_KeepTextsAndNumbers(t *testing.T) {
	const text = `{"b":1.50,"a":[1e2,null,true,"\"\\\u0001é<&>"],"c":{"d":{}},"":9007199254740993}`
	require.Equal(t, text, render(t, nil, text))
	require.Equal(t, text, render(t, audit.NewRedactor(nil), text))
	require.Equal(t, "x"+text, string(audit.Capture(tree(t, text), nil, nil).AppendJSON([]byte("x"))))
}

// What is over 8 KiB is not kept, not even in the capacity of what is.
func TestParameters_Large(t *testing.T) {
	const frame = len(`{"a":""}`)
	fits := `{"a":"` + strings.Repeat("x", 8<<10-frame) + `"}`
	p := audit.Capture(tree(t, fits), nil, key)
	require.Equal(t, fits, p.String())

	past := `{"a":"` + strings.Repeat("x", 8<<10-frame+1) + `"}`
	p = audit.Capture(tree(t, past), nil, key)
	require.Equal(t, fmt.Sprintf(`{"size":8193,"digest":%q}`, p.Digest()), p.String())
	require.Equal(t, `{"size":8193}`, render(t, nil, past), "without a key")

	var r audit.Record
	r.Parameters = p
	c := r.Clone()
	require.Equal(t, p.String(), c.Parameters.String())
	require.Equal(t, p.Digest(), c.Parameters.Digest())

	// A custom redactor cannot make it larger, and can make it smaller.
	grow := audit.NewRedactor(&audit.RedactOptions{Value: func(_, s string) string { return s + strings.Repeat("y", 9000) }})
	require.Equal(t, `{"size":9009}`, render(t, grow, `{"a":"x"}`))
	shrink := audit.NewRedactor(&audit.RedactOptions{Value: func(_, s string) string { return s[:1] }})
	require.Equal(t, `{"a":"x"}`, render(t, shrink, past))
	require.Equal(t, `{"secret":"[REDACTED]"}`, render(t, nil, `{"secret":"`+strings.Repeat("x", 9000)+`"}`))
}

// The digest is of the value, whatever its form, before redaction.
func TestParameters_Digest(t *testing.T) {
	digest := func(text string) string { return audit.Capture(tree(t, text), nil, key).Digest() }
	want := digest(`{"a":100,"password":"x"}`)
	require.Regexp(t, `^[0-9a-f]{8}:[0-9a-f]{64}$`, want)
	require.Equal(t, want, digest(` { "password" : "\u0078", "a":1e2 } `))
	require.NotEqual(t, want, digest(`{"a":100,"password":"y"}`))
	require.NotEqual(t, want, digest(`{"a":"100","password":"x"}`))

	goTree := new(value.Tree)
	require.Equal(t, value.OK, goTree.SetGo(map[string]any{"password": "x", "a": float32(100)}, value.DefaultLimits))
	require.Equal(t, want, audit.Capture(goTree, nil, key).Digest())

	mac := hmac.New(sha256.New, []byte("a secret of the tests"))
	mac.Write(tree(t, `{"a":100,"password":"x"}`).AppendCanonical(nil, value.Root))
	require.Equal(t, key.ID()+":"+hex.EncodeToString(mac.Sum(nil)), want)

	none := audit.Capture(new(value.Tree), nil, key)
	require.Equal(t, digest(`{}`), none.Digest())
}

func TestDigestKey(t *testing.T) {
	secret := []byte("some secret")
	a := audit.NewDigestKey(secret)
	before := audit.Capture(tree(t, `{}`), nil, a).Digest()
	clear(secret)
	require.Equal(t, before, audit.Capture(tree(t, `{}`), nil, a).Digest(), "the secret is copied")
	require.Equal(t, before, audit.Capture(tree(t, `{}`), nil, audit.NewDigestKey([]byte("some secret"))).Digest())

	b := audit.RandomDigestKey()
	require.NotEqual(t, a.ID(), b.ID())
	require.NotEqual(t, b.ID(), audit.RandomDigestKey().ID())
	require.True(t, strings.HasPrefix(audit.Capture(tree(t, `{}`), nil, b).Digest(), b.ID()+":"))
}

// Printing shows neither what redaction hides nor a key's secret.
func TestPrinting(t *testing.T) {
	k := audit.NewDigestKey([]byte("hunter2"))
	r := audit.Record{Parameters: audit.Capture(tree(t, `{"password":"hunter2","a":1}`), nil, k)}
	for _, v := range []any{r, &r, r.Parameters, r.Clone(), k, *k, struct{ K audit.DigestKey }{*k}} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			text := fmt.Sprintf(format, v)
			require.NotContains(t, text, "hunter2", format)
			require.NotContains(t, text, "68756e74657232", format)
			require.NotContains(t, text, "104 117 110 116", format)
		}
	}
	require.Equal(t, `{"password":"[REDACTED]","a":1}`, fmt.Sprint(r.Parameters))
	require.Contains(t, fmt.Sprintf("%+v", r), `{"password":"[REDACTED]","a":1}`)
	require.Equal(t, "{}", marshal(t, k))
}

// A decision that nobody records pays nothing for its record.
func TestCapture_AllocatesNothing(t *testing.T) {
	params, redactor := tree(t, `{"password":"x","a":[1,2,3]}`), audit.NewRedactor(nil)
	r := new(audit.Record)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		*r = audit.Record{AgentID: "a", Parameters: audit.Capture(params, redactor, key)}
		if err := audit.Discard.Record(ctx, r); err != nil {
			t.Error(err)
		}
	}))
}

// Rendering allocates what it returns and nothing for each key and text.
func TestAppendJSON_AllocatesNothing(t *testing.T) {
	p := audit.Capture(tree(t, `{"path":"/tmp/a","password":"x","X-Api-Key":[1],"list":["a","b",{"c":1.5,"monkey":null}]}`), audit.NewRedactor(nil), key)
	buf := make([]byte, 0, 1<<10)
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = p.AppendJSON(buf[:0]) }))
}
