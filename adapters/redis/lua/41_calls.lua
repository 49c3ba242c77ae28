local max, min = math.max, math.min

-- sixteenth is that of a window that a time falls into.
local function sixteenth(at, window) return floor(at / (window / 16)) end

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
    t.data, t.from, t.used, t.now = '', 1, 0, time
    t.registered, t.fresh, t.register = 0, true, true
    return
  end
  t.now, t.registered, t.used, t.from = open_window(t.data, t.window)
  t.fresh, t.register = t.registered <= time, t.registered < time + t.window
end

function calls.look(t)
  if t.used < t.most then return true, 0 end
  return false, wait_window(t.data, t.from, t.now, t.window, t.used + 1 - t.most)
end

function calls.usage(t)
  local last, n = last_of_window(t.data, t.from)
  return t.used, n > 0 and last + t.window - t.now or 0
end

function calls.add(t)
  local last, n = last_of_window(t.data, t.from)
  count_in_window(t.key, t.keep, t.data, t.from, t.now, t.window, t.most, t.registered, t.used, last, n)
  t.mark = mark(t.now)
end

-- remove finds the entry of the call, which may since have moved to the time
-- of a later one.
function calls.remove(t)
  local data, from, taken = t.data, t.from, marked(t)
  if taken <= t.now - t.window then return end
  while from < #data do
    local at, n = unpack_at(ENTRY, data, from)
    if at >= taken then
      if at > taken and (t.most <= EXACT or sixteenth(at, t.window) ~= sixteenth(taken, t.window)) then
        return
      end
      local left = n > 1 and pack(ENTRY, at, n - 1) or ''
      call('SET', t.key, pack(HEAD, t.now, t.registered, t.used - 1) ..
        data:sub(t.from, from - 1) .. left .. data:sub(from + ENTRY_SIZE), 'KEEPTTL')
      return
    end
    from = from + ENTRY_SIZE
  end
end
