package vetoredis_test

import (
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	vetoredis "github.com/useveto/veto-go/adapters/redis"
)

// A server that refuses the password is not one that is down.
func TestRefusedAtStart(t *testing.T) {
	s := start(t, durable...)
	require.NoError(t, s.client(t).ConfigSet(ctx, "requirepass", "right").Err())
	for _, password := range []string{"wrong", ""} {
		client := goredis.NewClient(&goredis.Options{Addr: s.addr, Password: password, ContextTimeoutEnabled: true})
		t.Cleanup(func() { client.Close() })
		for _, allow := range []bool{false, true} {
			_, err := vetoredis.New(ctx, client, &vetoredis.Options{AllowStoreThatIsDownAtStart: allow})
			require.ErrorContains(t, err, "refuses the client", "%q %v", password, allow)
		}
	}
}
