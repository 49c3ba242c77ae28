-- Token bucket: as many calls at once as the limit says, and then one each
-- window/limit. The value is the time it was written, until when it is
-- registered, the limit then, and the tokens then. What is not there is full.
local BUCKET = '>I8I8I4d'

function make.b()
  local bucket = {}

  function bucket.new(key, numbers)
    local window, most = unpack_at('>I8I8', numbers)
    return {
      kind = bucket, key = key, window = window, most = most, now = time, registered = 0, fresh = true, register = true,
      tokens = most, mark = '',
    }
  end

  function bucket.read(t)
    local data = call('GET', t.key)
    if not data then return end
    local at, registered, most, tokens = unpack_at(BUCKET, data)
    local now = max(time, at)
    tokens = min(most, tokens + (now - at) * most / t.window)
    if most ~= t.most then
      -- The limit was changed: what is missing stays so, also where that is more
      -- than it holds now.
      tokens = t.most - ceil(most - tokens)
    end
    t.tokens, t.now, t.registered = tokens, now, registered
    t.fresh, t.register = registered <= time, registered < time + t.window
  end

  -- until_there are returns how long it is until there are so many tokens.
  local function until_there_are(t, tokens)
    return max(0, ceil((tokens - t.tokens) * t.window / t.most))
  end

  function bucket.look(t)
    if t.tokens >= 1 then return true, 0 end
    return false, until_there_are(t, 1)
  end

  function bucket.usage(t) return ceil(t.most - t.tokens), until_there_are(t, t.most) end

  local function write_bucket(t, tokens)
    local full = ceil((t.most - tokens) * t.window / t.most / 1000) + SLACK
    call('SET', t.key, pack(BUCKET, t.now, t.registered, t.most, tokens), 'PX', max(floor(t.window / 1000) + SLACK, full))
  end

  function bucket.add(t)
    local taken = max(0, min(1, t.tokens))
    write_bucket(t, t.tokens - taken)
    t.mark = pack('>I8d', t.now, taken)
  end

  -- remove gives back what the call took, but for what has come in since: that
  -- might have found the bucket full, had there been no call.
  function bucket.remove(t)
    local at, taken = unpack_at('>I8d', t.mark)
    local rest = taken - max(0, t.now - at) * t.most / t.window
    if t.registered > 0 and rest > 0 then write_bucket(t, min(t.most, t.tokens + rest)) end
  end

  return bucket
end
