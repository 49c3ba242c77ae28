-- Calls in a rolling window.
function make.c()
  local calls = {}

  function calls.new(key, numbers)
    local window, most = unpack_at('>I8I8', numbers)
    return {
      kind = calls, key = key, window = window, most = most, now = time, registered = 0, fresh = true, register = true,
      data = '', from = 1, used = 0, latest = time, n = 0,
      mark = '', fits = false, wait = 0, used_now = 0, resets = 0, counts = false, ready = false, joins = false,
    }
  end

  -- read_start reads as much of a long window as is enough where the call fits
  -- and shares the newest entry, and none leaves; and says whether it does. Not
  -- where the key has to be kept anew: of a counter that is ahead of the server's
  -- clock, or was when it was kept, and so is to be registered anew.
  local function read_start(t)
    local data = call('GETRANGE', t.key, '0', '35')
    if #data < HEAD_SIZE then return false end
    local now, registered, used, from, latest, n = open_window(data, t.window)
    if now > time or registered < time + t.window or from > HEAD_SIZE + 1 or n == 0 or used >= t.most
      or not joins_newest(latest, now, t.window, t.most) then return false end
    t.now, t.registered, t.used, t.latest, t.n = now, registered, used, latest, n
    return true
  end

  function calls.read(t)
    t.joins = not returns and t.most > EXACT and read_start(t)
    if not t.joins then
      local data = call('GET', t.key)
      if not data then return end
      t.data, t.now, t.registered, t.used, t.from, t.latest, t.n = data, open_window(data, t.window)
    end
    t.fresh, t.register = t.registered <= time, t.registered < time + t.window
  end

  function calls.look(t)
    if t.used < t.most then return true, 0 end
    return false, wait_window(t.data, t.from, t.now, t.window, t.latest, t.used + 1 - t.most)
  end

  function calls.usage(t)
    return t.used, reset_window(t.data, t.from, t.now, t.window, t.latest, t.n)
  end

  function calls.add(t)
    if t.joins then
      call('SETRANGE', t.key, '0', pack(HEAD, t.now, t.registered, t.used + 1, t.n + 1))
    else
      count_in_window(t.key, t.data, t.from, t.now, t.window, t.most, t.registered, t.used, t.latest, t.n)
    end
    t.mark = mark(t.now)
  end

  -- remove finds the entry of the call, which may since have moved to the time
  -- of a later one. The latest time stays, also where no call is left at it.
  function calls.remove(t)
    local data, from, taken = t.data, t.from, marked(t)
    if t.registered == 0 or taken <= t.now - t.window then return end
    local function holds(at)
      return at == taken or at > taken and t.most > EXACT and part_of(at, t.window) == part_of(taken, t.window)
    end
    local function write(n, older)
      call('SET', t.key, pack(HEAD, t.latest, t.registered, t.used - 1, n) .. older, 'KEEPTTL')
    end
    while from < #data do
      local at, k = unpack_at(ENTRY, data, from)
      if at >= taken then
        if holds(at) then
          local left = k > 1 and pack(ENTRY, at, k - 1) or ''
          write(t.n, data:sub(t.from, from - 1) .. left .. data:sub(from + ENTRY_SIZE))
        end
        return
      end
      from = from + ENTRY_SIZE
    end
    if t.n > 0 and holds(t.latest) then write(t.n - 1, data:sub(t.from)) end
  end

  return calls
end
