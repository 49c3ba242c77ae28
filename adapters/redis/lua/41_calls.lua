local max, min = math.max, math.min

-- Marks say when a take was counted.
local function mark(at) return pack('>I8', at) end
local function marked(t) return unpack_at('>I8', t.mark) end

-- Each kind of counter is a table of functions of a take:
--   read     gets what is counted, and the time that it is for the counter;
--            says in t.register whether it must be entered in the register,
--            and in t.fresh whether it would be new there
--   look     returns whether the take fits, and if not, how long it does not;
--            0 where waiting does not help
--   usage    returns what is used (a number, or the digits of an amount), and
--            for how long some of it is
--   add      counts the take, which fits, and sets its mark
--   remove   takes it back, as far as it still counts
--   correct  makes t.actual what it counts, instead of t.adds
local kinds = {}

-- Calls in a rolling window.
local calls = {}
kinds.c = calls

function calls.read(t)
  t.data = call('GET', t.key)
  if not t.data then
    t.data, t.from, t.used, t.now, t.latest, t.n = '', 1, 0, time, time, 0
    t.registered, t.fresh, t.register = 0, true, true
    return
  end
  t.now, t.registered, t.used, t.from, t.latest, t.n = open_window(t.data, t.window)
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
  count_in_window(t.key, t.keep, t.data, t.from, t.now, t.window, t.most, t.registered, t.used, t.latest, t.n)
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
