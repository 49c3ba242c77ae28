-- The calls of a rolling window (now-window, now], as a string: a head (the
-- latest time it knew; until when it is registered; the calls in all entries)
-- and entries of (time, calls), oldest first.
--
-- A limit of at most 32 has an entry for each call and is exact; above that,
-- calls in one sixteenth of the window share an entry, with the time of the
-- last. So room returns at most a sixteenth of the window late, never early.
local HEAD, ENTRY = '>I8I8I4', '>I8I4'
local HEAD_SIZE, ENTRY_SIZE = 20, 12

-- open_window returns the time for the counter, until when it is registered,
-- the calls that are in the window, and where the first of their entries is.
local function open_window(data, window)
  local now, registered, used = unpack_at(HEAD, data)
  if now < time then now = time end
  local from, size, edge = HEAD_SIZE + 1, #data, now - window
  while from < size do
    local at, n = unpack_at(ENTRY, data, from)
    if at > edge then break end
    used, from = used - n, from + ENTRY_SIZE
  end
  return now, registered, used, from
end

-- last_of_window returns the time of the last entry in the window and its
-- calls, which are 0 where there is none.
local function last_of_window(data, from)
  if from > #data then return 0, 0 end
  return unpack_at(ENTRY, data, #data - ENTRY_SIZE + 1)
end

-- wait_window returns how long it is until so many calls have left the window.
local function wait_window(data, from, now, window, n)
  while from < #data do
    local at, k = unpack_at(ENTRY, data, from)
    n = n - k
    if n <= 0 then return at + window - now end
    from = from + ENTRY_SIZE
  end
  return 0
end

-- count_in_window writes the window with one call more, after a last entry of
-- n calls at last. It is kept from now on by the server's time, and not by that
-- of the counter, which may be ahead: so much time passes in truth.
local function count_in_window(key, keep, data, from, now, window, most, registered, used, last, n)
  local size = #data
  if n > 0 then
    local sixteenth = window / 16
    if last == now or most > EXACT and floor(last / sixteenth) == floor(now / sixteenth) then
      size = size - ENTRY_SIZE
    else
      n = 0
    end
  end
  call('SET', key, pack(HEAD, now, registered, used + 1) .. data:sub(from, size) .. pack(ENTRY, now, n + 1),
    'PX', keep)
end
