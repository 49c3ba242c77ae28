package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/rules"
)

// sinks returns one of each kind of output, and what all of them hold.
func sinks(t *testing.T) (audit.Sink, func() string) {
	var text, logged, structured bytes.Buffer
	m := audit.NewMemory(nil)
	sink := audit.Multi(
		m, audit.NewZap(zapTo(&structured, zapcore.InfoLevel)),
		audit.NewSlog(slog.New(slog.NewJSONHandler(&logged, nil))), audit.NewSlog(slog.New(slog.NewTextHandler(&text, nil))),
		// What a careless sink does.
		sinkFunc(func(_ context.Context, r *audit.Record) error {
			fmt.Fprintf(&text, "%v %+v %#v %s %q", *r, r, r.Parameters, r.Parameters, r)
			return nil
		}),
	)
	return sink, func() string {
		records, total := m.Query(audit.Query{})
		require.Len(t, records, total)
		var csv bytes.Buffer
		require.NoError(t, audit.WriteCSV(&csv, records))
		return strings.Join([]string{marshal(t, records), fmt.Sprintf("%+v", records[0]), csv.String(), text.String(), logged.String(), structured.String()}, "\n")
	}
}

// A secret that stands under a key that says so is in no record, log or
// export, wherever it is planted.
func TestAttack_G7_SecretsNeverInRecords(t *testing.T) {
	const secret = "hunter2-s3cr3t"
	for name, params := range map[string]string{
		"argument":           `{"password":"%s"}`,
		"among others":       `{"to":"ann","api_key":"%s","n":1}`,
		"nested":             `{"a":{"b":[{"c":{"clientSecret":"%s"}}]}}`,
		"object":             `{"credentials":{"user":"ann","value":"%s"}}`,
		"array":              `{"tokens":["%s",["%s"]]}`,
		"key in a secret":    `{"headers":{"Authorization":{"%s":true}}}`,
		"header":             `{"headers":{"X-Api-Key":"Bearer %s","accept":"*/*"}}`,
		"kelvin sign":        `{"api\u212aey":"%s"}`,
		"long s":             `{"\u017fecret":"%s"}`,
		"separators":         `{"pass-_word":"%s","pass.word":"%s"," password ":"%s","pass\u200bword":"%s"}`,
		"escaped":            `{"pass\u0077ord":"\u0068%s"}`,
		"large":              `{"password":"%s","text":"` + strings.Repeat("x", 9000) + `"}`,
		"large without name": `{"text":"` + strings.Repeat("%[1]s", 1000) + `"}`, // the size and digest only
	} {
		sink, output := sinks(t)
		text := strings.ReplaceAll(strings.ReplaceAll(params, "%[1]s", secret), "%s", secret)
		r := full(t)
		r.Parameters = audit.Capture(tree(t, text), audit.NewRedactor(nil), key)
		require.NoError(t, sink.Record(ctx, r), name)
		require.Contains(t, output(), "send_email", name)
		require.NotContains(t, output(), secret, name)
	}
}

// A key that is itself a secret is the business of the host's functions.
func TestAttack_G7_SecretKeysAndTextsOfTheHost(t *testing.T) {
	const secret = "sk-live-1234"
	hide := func(s string) string { return strings.ReplaceAll(s, secret, audit.Redacted) }
	redactor := audit.NewRedactor(&audit.RedactOptions{Name: hide, Value: func(_, text string) string { return hide(text) }})
	sink, output := sinks(t)
	r := full(t)
	r.Parameters = audit.Capture(tree(t, `{"sk-live-1234":{"x":"curl -H sk-live-1234"}}`), redactor, key)
	require.NoError(t, sink.Record(ctx, r))
	require.NotContains(t, output(), secret)
	require.Contains(t, output(), "curl -H [REDACTED]")
}

// A redactor that panics leaves nothing of the parameters, and everything
// else of the record.
func TestAttack_G8_RedactorPanics(t *testing.T) {
	for name, opts := range map[string]*audit.RedactOptions{
		"value": {Value: func(_, text string) string { panic(text) }},
		"at the end": {Value: func(key, text string) string {
			return map[string]func() string{"a": func() string { return text }}[key]()
		}},
		"name":          {Name: func(key string) string { panic(key) }},
		"error":         {Value: func(string, string) string { panic(fmt.Errorf("hunter2")) }},
		"runtime error": {Value: func(_, text string) string { return text[1000:] }},
		"nil panic":     {Value: func(string, string) string { panic(nil) }},
		"nil function":  {Name: func(key string) string { return map[string]func() string{}[key]() }},
	} {
		sink, output := sinks(t)
		r := full(t)
		r.Parameters = audit.Capture(tree(t, `{"a":"hunter2","hunter2":"hunter2"}`), audit.NewRedactor(opts), key)
		require.NotPanics(t, func() { require.NoError(t, sink.Record(ctx, r), name) }, name)
		require.NotContains(t, output(), "hunter2", name)
		require.Contains(t, output(), `"parameters":"[REDACTED]"`, name)
		require.Contains(t, output(), "agt_1", name)
		require.Equal(t, "x"+`"[REDACTED]"`, string(r.Parameters.AppendJSON([]byte("x"))), name)
	}
}

// A sink of several that panics is an error, and so a refusal.
func TestAttack_G8_SinkPanics(t *testing.T) {
	m := audit.NewMemory(nil)
	s := audit.Multi(sinkFunc(func(context.Context, *audit.Record) error { panic("x") }), m)
	require.Error(t, s.Record(ctx, &audit.Record{Result: rules.Allowed}))
	_, total := m.Query(audit.Query{})
	require.Equal(t, 1, total)
}
