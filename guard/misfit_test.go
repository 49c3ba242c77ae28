package guard_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/useveto/veto-go"
	"github.com/useveto/veto-go/audit"
	"github.com/useveto/veto-go/guard"
	"github.com/useveto/veto-go/rules"
)

// picky says itself what it reads.
type picky struct{}

func (*picky) UnmarshalJSON(data []byte) error { return errors.New("not " + string(data)) }

type order struct {
	Amount int64           `json:"amount"`
	Rate   float64         `json:"rate"`
	Items  []item          `json:"items"`
	By     map[string]item `json:"by"`
	Slash  item            `json:"a/b"`
	At     time.Time       `json:"at"`
	Picky  *picky          `json:"picky"`
	Bytes  []byte          `json:"bytes"`
	Pairs  [][2]int        `json:"pairs"`
	Exact  json.Number     `json:"exact"`
}

type item struct {
	Count uint8   `json:"count"`
	Price float32 `json:"price"`
}

// The operator is told which parameter is wrong, where and how, in the reason,
// on the record and in the error: by names of the tool's type, and without a
// value or a key of the call. The model is told none of it.
func TestWhatIsWrongWithJSON(t *testing.T) {
	records := audit.NewMemory(nil)
	tool, err := guard.WrapJSON(load(t, everything, &veto.Options{Sink: records}), "t", echo[order], bot[order]())
	require.NoError(t, err)
	for raw, want := range map[string]string{
		`{"Amount":123456}`:                  `have a key that differs from parameter "amount" only in case, at byte 1`,
		`{"rate":1, "AMOUNT":123456}`:        `have a key that differs from parameter "amount" only in case, at byte 11`,
		`{"items":[{},{"COUNT":123456}]}`:    `have a key that differs from parameter "/items/1/count" only in case, at byte 14`,
		`{"by":{"secret":{"Count":123456}}}`: `have a key that differs from parameter "/by/*/count" only in case, at byte 17`,
		`{"a/b":{"Count":123456}}`:           `have a key that differs from parameter "/a~1b/count" only in case, at byte 8`,
		`{"A/B":{}}`:                         `have a key that differs from parameter "/a~1b" only in case, at byte 1`,
		`{"rate":0.12345600000000000000001}`: `have for parameter "rate" a number that is another as a float, at byte 1; let the tool take a json.Number or a json.RawMessage there, in a struct`,
		`{"items":[{"price":123456.7891}]}`:  `have for parameter "/items/0/price" a number that is another as a float, at byte 11; let the tool take a json.Number or a json.RawMessage there, in a struct`,
		`{"amount":"123456"}`:                `are not of the type that the tool takes: have for parameter "amount" a JSON string in the place of int64, before byte 18`,
		`{"amount":123456.5}`:                `are not of the type that the tool takes: have for parameter "amount" a JSON number in the place of int64, before byte 18`,
		`{"items":[{"count":123456}]}`:       `are not of the type that the tool takes: have for parameter "items.count" a JSON number in the place of uint8, before byte 25`,
		`{"items":{"secret":1}}`:             `are not of the type that the tool takes: have for parameter "items" a JSON object in the place of []guard_test.item, before byte 10`,
		`{"by":{"secret":{"count":true}}}`:   `are not of the type that the tool takes: have for parameter "by.count" a JSON bool in the place of uint8, before byte 29`,
		`{"at":"123456"}`:                    `are not of the type that the tool takes`,
		`{"bytes":"MTIzNDU2\n"}`:             `have for parameter "bytes" bytes that are not written as encoding/json writes them, in base64, at byte 1`,
		`{"pairs":[[1,2],[123456]]}`:         `have for parameter "/pairs/1" an array that is not as long as the tool's, at byte 16`,
		`{"exact":"123456"}`:                 `have for parameter "exact" a JSON string that would be read as something else, at byte 1`,
		`{"picky":123456}`:                   `are not of the type that the tool takes`,
	} {
		_, err := tool(t.Context(), json.RawMessage(raw))
		b := blocked(t, err)
		require.Equal(t, rules.CodeInvalidRequest, b.Result.Code)
		require.Equal(t, "Invalid request: parameters "+want, b.Result.Reason.String(), raw)
		require.Equal(t, b.Result.Reason.String(), last(t, records).Reason.String())
		require.EqualError(t, b.Err, `guard: tool "t": veto: call denied: invalid_request: parameters `+want)
		var denied *veto.DeniedError
		require.ErrorAs(t, err, &denied)
		require.ErrorIs(t, err, veto.ErrDenied)
		for _, secret := range []string{"123456", "secret"} {
			require.NotContains(t, b.Err.Error(), secret)
		}
		require.Equal(t, "This call is not valid as it stands.", err.Error())
	}
	// What JSON itself has wrong is said as ever.
	_, err = tool(t.Context(), json.RawMessage(`{"amount":1,"amount":1}`))
	require.Equal(t, "Invalid request: parameters have a duplicate key", blocked(t, err).Result.Reason.String())
}

// So are they of what Wrap is given.
func TestWhatIsWrongWithValues(t *testing.T) {
	reason := func(_ any, err error) string { return blocked(t, err).Result.Reason.String() }
	a := load(t, everything, nil)
	node := &leaf2{}
	node.Next = node
	require.Equal(t, "Invalid request: parameters are nested too deep", reason(wrap(t, a, "t", echo[*leaf2], bot[*leaf2]())(t.Context(), node)))
	wide := make([]struct{}, 1<<24)
	require.Equal(t, "Invalid request: parameters are too large", reason(wrap(t, a, "t", echo[map[string][]struct{}], bot[map[string][]struct{}]())(t.Context(), map[string][]struct{}{"a": wide})))
	many := map[string]int{}
	for i := range 1 << 14 {
		many[strings.Repeat("k", i%7)+time.Duration(i).String()] = i
	}
	require.Equal(t, "Invalid request: parameters are too large", reason(wrap(t, a, "t", echo[map[string]int], bot[map[string]int]())(t.Context(), many)))
	require.Equal(t, "Invalid request: parameters are not valid UTF-8, or have U+FFFD in the place of what is not",
		reason(wrap(t, a, "t", echo[map[string]any], bot[map[string]any]())(t.Context(), map[string]any{"a": []leaf{{"\xff"}}})))
	require.Equal(t, "Invalid request: parameters would not reach the tool as they were decided on: some value is not read as it is written",
		reason(wrap(t, a, "t", echo[sly], bot[sly]())(t.Context(), sly{"/a"})))
	require.Equal(t, "Invalid request: parameters have a value that JSON cannot hold",
		reason(wrap(t, a, "t", echo[map[string]any], bot[map[string]any]())(t.Context(), map[string]any{"a": make(chan int)})))
}

type leaf2 struct {
	Name string
	Next *leaf2 `json:",omitempty"`
}
