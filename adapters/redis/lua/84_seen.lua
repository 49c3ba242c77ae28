-- Of different values in a session their number, and when each was last used.
function make.V()
  local seen = {}

  function seen.new(field, numbers)
    local _, most = unpack_at('>I8I8', numbers)
    local number, value = 'N' .. field:sub(2), field .. numbers:sub(17)
    return {kind = seen, field = field, number = number, value = value, most = most, mark = ''}
  end

  function seen.read(t)
    local x = call('HMGET', session, t.number, t.value)
    t.used, t.before, t.now = tonumber(x[1] or 0), tonumber(x[2] or -1), ses.now
    t.fresh = t.before < 0
  end

  function seen.look(t) return t.before >= 0 or t.used < t.most, 0 end
  function seen.usage(t) return t.used, 0 end

  function seen.add(t)
    local at = max(t.now, t.before + 1) -- as in values.add
    call('HSET', session, t.value, at)
    if t.before < 0 then call('HINCRBY', session, t.number, 1) end
    t.mark = pack('>I8I8', at, t.before + 1)
  end

  function seen.remove(t)
    local at, before = unpack_at('>I8I8', t.mark)
    if t.before ~= at then return end
    if before > 0 then
      call('HSET', session, t.value, before - 1)
    else
      call('HDEL', session, t.value)
      call('HINCRBY', session, t.number, -1)
    end
  end

  return seen
end
