-- The calls of a rolling window.

local ceil, max, min = math.ceil, math.max, math.min

-- part_of is that part of a window that a time falls into.
local function part_of(at, window) return floor(at / (window / PARTS)) end

-- open_window returns the time for the counter, until when it is registered,
-- the calls that are in the window, where the first of their older entries is,
-- the latest time and the calls at it.
local function open_window(data, window)
  local latest, registered, used, n = unpack_at(HEAD, data)
  local now = latest
  if now < time then now = time end
  local from, size, edge = HEAD_SIZE + 1, #data, now - window
  while from < size do
    local at, k = unpack_at(ENTRY, data, from)
    if at > edge then break end
    used, from = used - k, from + ENTRY_SIZE
  end
  if latest <= edge then used, n = used - n, 0 end
  return now, registered, used, from, latest, n
end

-- reset_window returns how long it is until all calls have left the window.
local function reset_window(data, from, now, window, latest, n)
  if n > 0 then return latest + window - now end
  if from > #data then return 0 end
  return unpack_at(ENTRY, data, #data - ENTRY_SIZE + 1) + window - now
end

-- wait_window returns how long it is until so many calls have left the window.
local function wait_window(data, from, now, window, latest, calls)
  while from < #data do
    local at, k = unpack_at(ENTRY, data, from)
    calls = calls - k
    if calls <= 0 then return at + window - now end
    from = from + ENTRY_SIZE
  end
  return latest + window - now
end

-- joins_newest reports whether a call shares the newest entry.
local function joins_newest(latest, now, window, most)
  return latest == now or most > EXACT and part_of(latest, window) == part_of(now, window)
end

-- count_in_window writes the window with one call more. It is kept from now on
-- by the server's time, and not by that of the counter, which may be ahead: so
-- much time passes in truth. What joins the newest entry later may leave that
-- as it is, for as long it is kept longer: but not where the counter is ahead,
-- since then that entry stands still for longer. So of a counter that is ahead
-- the head says that it is to be registered anew when the clock has caught up:
-- who does that keeps the key anew too.
local function count_in_window(key, data, from, now, window, most, registered, used, latest, n)
  if now > time then registered = min(registered, now + window - 1) end
  local older = data:sub(from)
  if n > 0 and not joins_newest(latest, now, window, most) then
    older, n = older .. pack(ENTRY, latest, n), 0
  end
  call('SET', key, pack(HEAD, now, registered, used + 1, n + 1) .. older,
    'PX', floor(window / 1000) + SLACK + ceil(window / PARTS / 1000))
end
