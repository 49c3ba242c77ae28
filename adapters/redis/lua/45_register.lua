-- The register holds the live counters of an agent, each with the time until
-- which it may count something, so that their number is bounded: past it, new
-- ones are refused, and none is ever dropped for another.

-- A counter is entered for an eighth of its window longer than it needs, so
-- that one in steady use is entered anew eight times in a window and not at
-- each call.
local function register_until(window) return time + ceil(window * 9 / 8) end

-- check_room raises an error where so many new counters are too many.
local function check_room(register, fresh, most)
  if fresh == 0 then return end
  local live = call('ZCOUNT', register, string.format('(%.0f', time), '+inf')
  if live + fresh > most then
    error({err = 'VETOFULL too many counters of one agent'}, 0)
  end
end

local function enter(register, member, expires, window)
  call('ZADD', register, 'GT', expires, member)
  -- What has run out leaves, a few at a time.
  local dead = call('ZRANGEBYSCORE', register, '-inf', time, 'LIMIT', 0, 16)
  if #dead > 0 then call('ZREM', register, unpack(dead)) end
  local keep = ceil(window / 1000 * 9 / 8) + SLACK
  if call('PTTL', register) < keep then call('PEXPIRE', register, keep) end
end
