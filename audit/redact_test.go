package audit_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/internal/value"
)

func TestRedactor_Secret(t *testing.T) {
	secrets := `password Password PASSWORD user_password user-password userPassword dbpassword pass_word pass-word -password- passwords
		secret clientSecret client_secret CLIENT-SECRET topsecret secrets
		token accessToken access_token ACCESSTOKEN authtoken csrf-token refreshToken tokens id_tokens betokens max_tokens
		key Key KEY key_ _key api_key api-key apiKey APIKey APIKEY apikey apiKeys X-Api-Key x.key sshKey SSHKey SSHkey sshKEY
		private_key private/key privateKey keys publicKeys aws.s3key key[] headers[key] 密钥key 密key
		credential credentials awsCredentials CREDENTIAL authorization Authorization Proxy-Authorization headers[authorization]
		` + "api\u212Aey \u212Aey pa\u017F\u017Fword pass\u200Bword"
	others := `monkey Monkey MONKEY turkey hotkey whiskey keyboard keyName passwordHint password_hint tokenizer tokenCount secretary
		keyword keywords credentialType authorizationUrl author path pass word passwor assword ey k eys sskeyed donkeys Monkeys
		to_keyed APIKEYBOARD monkeykeyed` + " s"
	for _, r := range []*audit.Redactor{nil, {}, audit.NewRedactor(nil), audit.NewRedactor(&audit.RedactOptions{})} {
		for key := range strings.FieldsSeq(secrets) {
			require.True(t, r.Secret(key), key)
		}
		for key := range strings.FieldsSeq(others) {
			require.False(t, r.Secret(key), key)
		}
		for _, key := range []string{"api key", "my password ", "password:", "Access Token", "pass\u0301word"} {
			require.True(t, r.Secret(key), key)
		}
		for _, key := range []string{"", " ", "-", "\xff", "\u0301"} {
			require.False(t, r.Secret(key), key)
		}
	}
}

// A secret is replaced whole, at any depth and whatever it is.
func TestRedactor_Values(t *testing.T) {
	for _, v := range []string{`"x"`, `1`, `true`, `null`, `""`, `[]`, `["x",{"a":"x"}]`, `{"a":{"b":"x"}}`} {
		require.Equal(t, `{"password":"[REDACTED]"}`, render(t, nil, `{"password":`+v+`}`))
		require.Equal(t, `{"a":[{"b":{"apiKey":"[REDACTED]","c":1}},2]}`, render(t, nil, `{"a":[{"b":{"apiKey":`+v+`,"c":1}},2]}`))
	}
	require.Equal(t, `{"a":"password"}`, render(t, nil, `{"a":"password"}`), "the key decides, not the value")
	deep := strings.Repeat(`{"a":`, 30) + `{"token":"x"}` + strings.Repeat(`}`, 30)
	require.Equal(t, strings.Replace(deep, `"x"`, `"[REDACTED]"`, 1), render(t, nil, deep))
}

func TestRedactOptions_Keys(t *testing.T) {
	keys := []string{"IBAN", "credit-card", "_", "", "Straße", "notes"}
	r := audit.NewRedactor(&audit.RedactOptions{Keys: keys})
	clear(keys)
	for _, key := range []string{"iban", "customerIban", "IBANs", "creditCard", "credit_card", "CREDITCARD", "credit-cards", "STRAßE", "notes", "password"} {
		require.True(t, r.Secret(key), key)
	}
	for _, key := range []string{"ibanCountry", "credit", "card", "note", "", "_", "x"} {
		require.False(t, r.Secret(key), key)
	}
}

func TestRedactOptions_Value(t *testing.T) {
	var asked []string
	r := audit.NewRedactor(&audit.RedactOptions{Value: func(key, text string) string {
		asked = append(asked, key+"="+text)
		if strings.HasPrefix(text, "4111") {
			return "card\x00\xff"
		}
		return text
	}})
	require.Equal(t, `{"a":"card\u0000�","n":"card\u0000�","m":1.50,"t":true,"z":null,"secret":"[REDACTED]","l":["x",["card\u0000�",{"k2":"y"}]]}`,
		render(t, r, `{"a":"4111 1","n":4111,"m":1.50,"t":true,"z":null,"secret":"4111","l":["x",["4111",{"k2":"y"}]]}`))
	require.Equal(t, []string{"a=4111 1", "n=4111", "m=1.50", "l=x", "l=4111", "k2=y"}, asked, "a secret is shown to nobody")
}

func TestRedactOptions_Name(t *testing.T) {
	r := audit.NewRedactor(&audit.RedactOptions{Name: func(key string) string {
		if strings.Contains(key, "@") {
			return audit.Redacted
		}
		return key
	}})
	require.Equal(t, `{"to":{"[REDACTED]":1,"[REDACTED]":"[REDACTED]"}}`, render(t, r, `{"to":{"ann@example.com":1,"bob@token":2}}`))
}

// A host's function may keep what it is given, though the parameters are in
// memory that the caller uses again.
func TestRedactOptions_FunctionsOwnTheirTexts(t *testing.T) {
	data := []byte(`{"name":"value"}`)
	params := new(value.Tree)
	problem, _ := params.SetJSON(data, value.DefaultLimits)
	require.Equal(t, value.OK, problem)
	var kept []string
	r := audit.NewRedactor(&audit.RedactOptions{
		Value: func(key, text string) string { kept = append(kept, key, text); return text },
		Name:  func(key string) string { kept = append(kept, key); return key },
	})
	_ = audit.Capture(params, r, nil).String()
	for i := range data {
		data[i] = '#'
	}
	require.Equal(t, []string{"name", "name", "value"}, kept)
}

func TestRedactor_Concurrent(t *testing.T) {
	r, params := audit.NewRedactor(&audit.RedactOptions{Keys: []string{"x"}}), tree(t, `{"x":1,"y":[2]}`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if got := audit.Capture(params, r, key).String(); got != `{"x":"[REDACTED]","y":[2]}` {
					t.Error(got)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzRedact: what is recorded is JSON that differs from the input in secrets
// alone.
func FuzzRedact(f *testing.F) {
	for _, text := range []string{`{"a":1,"password":[{"x":"y"}]}`, `{"l":[{"apiKey":null,"monkey":"\u0000"}]}`, `{"\u212Aey":0}`, `{"":{"":[]}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		params := new(value.Tree)
		if problem, _ := params.SetJSON([]byte(text), value.Limits{Bytes: 4 << 10, Depth: 32}); problem != value.OK {
			return
		}
		var r *audit.Redactor
		var in, out any
		require.NoError(t, json.Unmarshal(params.AppendJSON(nil, value.Root), &in))
		recorded := audit.Capture(params, r, nil).AppendJSON(nil)
		require.NoError(t, json.Unmarshal(recorded, &out), "%s", recorded)
		if fmt.Sprint(out) != "map[size:"+fmt.Sprint(len(params.AppendJSON(nil, value.Root)))+"]" {
			require.Equal(t, redact(r, in), out)
		}
	})
}

func redact(r *audit.Redactor, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = redact(r, member)
			if r.Secret(key) {
				v[key] = audit.Redacted
			}
		}
	case []any:
		for i := range v {
			v[i] = redact(r, v[i])
		}
	}
	return v
}
