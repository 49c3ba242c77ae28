package vetoredis_test

import (
	"math/big"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
	"github.com/useveto/veto-go/evaluator"
)

// The user of the README may do all that the script does, and no more than
// that.
func TestUserOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^ACL SETUSER (.*)$`).FindSubmatch(readme)
	require.Len(t, line, 2)

	var said, used []string
	for _, word := range strings.Fields(string(line[1])) {
		if command, ok := strings.CutPrefix(word, "+"); ok {
			said = append(said, command)
		}
	}
	files, err := os.ReadDir("lua")
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile("lua/" + f.Name())
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`call\('([A-Z]+)'`).FindAllSubmatch(text, -1) {
			used = append(used, strings.ToLower(string(m[1])))
		}
	}
	require.Subset(t, said, used)
	require.Subset(t, append(used, "ping", "info", "config|get", "eval", "evalsha"), said)

	s := start(t, durable...)
	args := []any{"acl", "setuser"}
	for _, word := range strings.Fields(string(line[1])) {
		args = append(args, word)
	}
	require.NoError(t, s.client(t).Do(ctx, args...).Err())
	client := goredis.NewClient(&goredis.Options{Addr: s.addr, Username: "veto", Password: "password", ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	require.Error(t, client.FlushAll(ctx).Err())
	store, err := vetoredis.New(ctx, client, &vetoredis.Options{Timeout: 10 * time.Second})
	require.NoError(t, err)
	a := &asks{t, store}
	a.open("s")
	for range 3 {
		b := a.take("s", each(time.Hour)...)
		require.True(t, b.Taken)
		a.back(b)
		add := a.take("", sum("k", time.Hour, big.NewInt(100), big.NewInt(1)))
		require.True(t, add.Taken)
		a.correct(add, big.NewInt(9))
	}
	a.do(&evaluator.Batch{Op: evaluator.OpEnd, Session: "s"})
}
