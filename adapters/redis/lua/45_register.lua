-- The register holds the live counters of an agent, each with the time until
-- which it may count something, so that their number is bounded: past it, new
-- ones are refused, and none is ever dropped for another.

-- A counter is entered for an eighth of its window longer than it needs, so
-- that one in steady use is entered anew eight times in a window and not at
-- each call.
local function register_until(window) return time + ceil(window * 9 / 8) end

-- member_of is what stands for a counter there.
local function member_of(t) return t.member or t.key:sub(-43) end

-- check_room raises an error where so many new counters are too many. One that
-- has died and has its place still takes that; which is looked at only where
-- there is no other.
local function check_room(register, all, most)
  local fresh = {}
  for _, t in ipairs(all) do
    if t.ready and t.fresh and not t.field then fresh[#fresh + 1] = member_of(t) end
  end
  if #fresh == 0 then return end
  local over = call('ZCOUNT', register, string.format('(%.0f', time), '+inf') + #fresh - most
  for i = 1, over > 0 and #fresh or 0 do
    local expires = call('ZSCORE', register, fresh[i])
    if expires and tonumber(expires) > time then over = over - 1 end
  end
  if over > 0 then error({err = 'VETOFULL too many counters of one agent'}, 0) end
end

local function enter(register, member, expires, window)
  call('ZADD', register, 'GT', expires, member)
  -- What has run out leaves, a few at a time.
  local dead = call('ZRANGEBYSCORE', register, '-inf', time, 'LIMIT', 0, 16)
  if #dead > 0 then call('ZREM', register, unpack(dead)) end
  local keep = ceil(window / 1000 * 9 / 8) + SLACK
  if call('PTTL', register) < keep then call('PEXPIRE', register, keep) end
end
