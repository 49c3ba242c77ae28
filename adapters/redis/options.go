package vetoredis

import (
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Options are the options of [New]. The zero value of each field is its
// default.
type Options struct {
	// Prefix begins every key; default "veto:". At most 64 printable ASCII
	// characters without braces and spaces. Processes that share their counts
	// have the same.
	Prefix string
	// Timeout is how long a decision waits for the server at most; default
	// 50 milliseconds. A deadline of the caller that is earlier holds too.
	Timeout time.Duration
	// MaxKeysPerAgent is the most live counters of one agent in one project,
	// and likewise of one session; each different value that a budget counts
	// is one. Default 100,000. Calls that need another are denied.
	MaxKeysPerAgent int
	// SessionIdle is how long a session is kept at least after the last
	// decision about it; default 24 hours. It may be kept for a sixteenth
	// longer.
	SessionIdle time.Duration

	// AcceptThatCountsMayBeForgotten takes a server that does not write every
	// count to its disk before it answers, that may evict keys, or that does
	// not let itself be asked. When such a server restarts, or is full, limits
	// may begin anew, and sessions end.
	AcceptThatCountsMayBeForgotten bool
	// AllowStoreThatIsDownAtStart makes New succeed while no server answers.
	// Calls that need it are denied until it does and has been checked.
	AllowStoreThatIsDownAtStart bool
}

const (
	defaultPrefix          = "veto:"
	defaultTimeout         = 50 * time.Millisecond
	defaultMaxKeysPerAgent = 100_000
	defaultSessionIdle     = 24 * time.Hour

	maxPrefix = 64
	// The longest that a time in microseconds and a number in Lua carry with
	// room to spare.
	maxDuration = 366 * 24 * time.Hour
	maxKeys     = 1 << 31
)

// filled returns o with its defaults, or what is wrong with it.
func (o *Options) filled() (Options, error) {
	if o == nil {
		o = &Options{}
	}
	f := *o
	if f.Prefix == "" {
		f.Prefix = defaultPrefix
	}
	if f.Timeout == 0 {
		f.Timeout = defaultTimeout
	}
	if f.MaxKeysPerAgent == 0 {
		f.MaxKeysPerAgent = defaultMaxKeysPerAgent
	}
	if f.SessionIdle == 0 {
		f.SessionIdle = defaultSessionIdle
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '{' || r == '}' }
	switch {
	case len(f.Prefix) > maxPrefix || strings.ContainsFunc(f.Prefix, odd):
		return f, fmt.Errorf("vetoredis: Options.Prefix is not at most %d printable ASCII characters without braces and spaces", maxPrefix)
	case f.Timeout < 0 || f.Timeout > time.Minute:
		return f, fmt.Errorf("vetoredis: Options.Timeout is %v; it is at most a minute", f.Timeout)
	case f.MaxKeysPerAgent < 0 || f.MaxKeysPerAgent > maxKeys:
		return f, fmt.Errorf("vetoredis: Options.MaxKeysPerAgent is %d; it is 1 to %d", f.MaxKeysPerAgent, maxKeys)
	case f.SessionIdle < time.Millisecond || f.SessionIdle > maxDuration:
		return f, fmt.Errorf("vetoredis: Options.SessionIdle is %v; it is a millisecond to a year", f.SessionIdle)
	}
	return f, nil
}

// checkClient reports a client that would wait longer than it is told to, or
// that would count in several places.
func checkClient(client goredis.UniversalClient) error {
	obeys := false
	switch c := client.(type) {
	case *goredis.Client:
		if c == nil {
			return errors.New("vetoredis: the client is nil")
		}
		obeys = c.Options().ContextTimeoutEnabled
	case *goredis.ClusterClient:
		if c == nil {
			return errors.New("vetoredis: the client is nil")
		}
		obeys = c.Options().ContextTimeoutEnabled
	case *goredis.Ring:
		return errors.New("vetoredis: a Ring counts on another server while one is down, and so forgets; use a Client or a ClusterClient")
	default:
		return fmt.Errorf("vetoredis: the client is a %T; use a *redis.Client or a *redis.ClusterClient", client)
	}
	if !obeys {
		return errors.New("vetoredis: the client does not obey deadlines; set ContextTimeoutEnabled in its options")
	}
	return nil
}
