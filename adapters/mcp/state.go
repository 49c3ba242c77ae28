package vetomcp

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"

	"github.com/useveto/veto-go/guard"
)

const (
	statePrefix   = "veto1."
	maxStateBytes = 1 << 10
	maxTickets    = 8 // policies that may ask a human about one call
)

// sign returns the state with which a call can be made again: the ids of its
// approvals, and a MAC over them and everything that the call is.
func (g *Guard) sign(ids []string, who guard.Identity, t target) string {
	return statePrefix + base64.RawURLEncoding.EncodeToString(g.mac(ids, who, t)) + "." + strings.Join(ids, ",")
}

// verify returns the ids of a state that was signed for this very call. Any
// other state has none, and is as good as absent.
func (g *Guard) verify(state string, who guard.Identity, t target) []string {
	rest, ours := strings.CutPrefix(state, statePrefix)
	if !ours || len(state) > maxStateBytes || len(g.key) == 0 {
		return nil
	}
	text, list, _ := strings.Cut(rest, ".")
	mac, err := base64.RawURLEncoding.Strict().DecodeString(text)
	ids := strings.Split(list, ",")
	if err != nil || len(ids) > maxTickets || slices.Contains(ids, "") || !hmac.Equal(mac, g.mac(ids, who, t)) {
		return nil
	}
	return ids
}

func (g *Guard) mac(ids []string, who guard.Identity, t target) []byte {
	h := hmac.New(sha256.New, g.key)
	write := func(text string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(text)))
		h.Write(n[:])
		h.Write([]byte(text))
	}
	arguments := sha256.Sum256(canonical(t.params))
	for _, text := range []string{
		"vetomcp: state of a call", who.Agent, who.Project, who.Session, who.User, t.tool, string(arguments[:]), t.outer,
	} {
		write(text)
	}
	for _, id := range ids {
		write(id)
	}
	return h.Sum(nil)
}

// canonical is a form that does not depend on how a client writes the same
// arguments down a second time. The approval is bound to them by itself; so a
// difference that is lost here makes no other call run.
func canonical(params json.RawMessage) []byte {
	d := json.NewDecoder(bytes.NewReader(params))
	d.UseNumber()
	var v any
	if none(params) {
		return []byte("{}")
	}
	if d.Decode(&v) != nil {
		return params
	}
	data, err := json.Marshal(v)
	if err != nil {
		return params
	}
	return data
}
