package vetoredis

import (
	"crypto/sha1"
	"encoding/hex"
)

// UseClock makes the time of s what a key of its server says: "seconds
// microseconds". It is to be called before anything else.
func (s *Store) UseClock(key string) {
	s.script.text = `
local redis = {error_reply = redis.error_reply, call = function(name, ...)
  if name == 'TIME' then
    local seconds, micros = redis.call('GET', '` + key + `'):match('^(%d+) (%d+)$')
    return {seconds, micros}
  end
  return redis.call(name, ...)
end}
` + s.script.text
	sum := sha1.Sum([]byte(s.script.text))
	s.script.sha = hex.EncodeToString(sum[:])
	s.sha = s.script.sha
}
