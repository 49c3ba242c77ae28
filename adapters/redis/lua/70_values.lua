-- Different values in a rolling window: a sorted set of their digests, each
-- with the time of its last use. Each value takes the room of a counter in
-- the register.
function make.v()
  local values = {}

  function values.new(key, numbers)
    local window, most = unpack_at('>I8I8', numbers)
    return {kind = values, key = key, window = window, most = most, member = numbers:sub(17), register = true, mark = ''}
  end

  local function newest(t)
    local last = call('ZRANGE', t.key, -1, -1, 'WITHSCORES')
    return tonumber(last[2] or 0)
  end

  function values.read(t)
    t.now = max(time, newest(t))
    t.edge = string.format('(%.0f', t.now - t.window)
    t.used = call('ZCOUNT', t.key, t.edge, '+inf')
    local before = tonumber(call('ZSCORE', t.key, t.member) or -1)
    t.before = before > t.now - t.window and before or -1
    t.fresh = t.before < 0
  end

  -- nth returns how long it is until so many values have left the window.
  local function until_gone(t, n)
    local gone = call('ZCARD', t.key) - t.used
    local i = gone + min(n, t.used) - 1
    local at = tonumber(call('ZRANGE', t.key, i, i, 'WITHSCORES')[2] or t.now)
    return max(0, at + t.window - t.now)
  end

  function values.look(t)
    if t.before >= 0 or t.used < t.most then return true, 0 end
    return false, until_gone(t, t.used + 1 - t.most)
  end

  function values.usage(t) return t.used, t.used > 0 and until_gone(t, t.used) or 0 end

  function values.add(t)
    -- No two uses of a value have one time, so that only the last is taken back.
    local at = max(t.now, t.before + 1)
    call('ZADD', t.key, at, t.member)
    -- What has left the window goes, a few at a time: more than come.
    local gone = call('ZRANGEBYSCORE', t.key, '-inf', t.now - t.window, 'LIMIT', 0, 16)
    if #gone > 0 then call('ZREM', t.key, unpack(gone)) end
    call('PEXPIRE', t.key, floor(t.window / 1000) + SLACK)
    t.mark = pack('>I8I8', at, t.before + 1)
  end

  -- remove puts the time before the call back, unless the value was used again.
  function values.remove(t)
    local at, before = unpack_at('>I8I8', t.mark)
    local last = call('ZSCORE', t.key, t.member)
    if not last or tonumber(last) ~= at then return end
    if before > 0 then
      call('ZADD', t.key, before - 1, t.member)
    else
      call('ZREM', t.key, t.member)
      call('ZREM', KEYS[1], t.member)
    end
  end

  return values
end
