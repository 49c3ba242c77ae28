package vetoredis_test

import (
	"context"
	"log"

	goredis "github.com/redis/go-redis/v9"

	"github.com/useveto/veto-go"
	vetoredis "github.com/useveto/veto-go/adapters/redis"
)

func Example() {
	ctx := context.Background()
	client := goredis.NewClient(&goredis.Options{
		Addr:                  "localhost:6379",
		ContextTimeoutEnabled: true, // else the client would wait longer than it is told to
	})
	defer client.Close()
	store, err := vetoredis.New(ctx, client, nil)
	if err != nil {
		log.Fatal(err) // also where the server could forget what it counts
	}
	policies, err := veto.LoadFile("policies.yaml")
	if err != nil {
		log.Fatal(err)
	}
	authorizer, err := veto.New(policies, &veto.Options{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	// Every process that does the same shares its limits and sessions.
	if _, err := authorizer.Authorize(ctx, "support-bot", "web.search", nil); err != nil {
		log.Print(err)
	}
}
