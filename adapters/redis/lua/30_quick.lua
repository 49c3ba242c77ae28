-- The question that is asked most, to take one limit of calls without a
-- session, from a counter that is there and registered, is answered here: what
-- follows need not be set up for it. It would give the same answer.
if ARGV[1] == 'take' and ARGV[3] == 'c' and #KEYS == 2 then
  local key, window, most = KEYS[2], tonumber(ARGV[4]), tonumber(ARGV[6])
  local function answer(now, used, resets) return pack('>I8BBI8I8BI8', time, 8, 1, used, resets, 8, now) end

  -- Of a long window, the head and the oldest entry are often enough.
  if most > EXACT then
    local data = call('GETRANGE', key, 0, HEAD_SIZE + ENTRY_SIZE - 1)
    if #data >= HEAD_SIZE then
      local now, registered, used, from, latest, n = open_window(data, window)
      if from == HEAD_SIZE + 1 and n > 0 and used < most and registered >= time + window
        and joins_newest(latest, now, window, most) then
        call('SETRANGE', key, 0, pack(HEAD, now, registered, used + 1, n + 1))
        return answer(now, used, latest + window - now)
      end
    end
  end

  local data = call('GET', key)
  if data then
    local now, registered, used, from, latest, n = open_window(data, window)
    local resets = reset_window(data, from, now, window, latest, n)
    if used >= most then
      return pack('>I8BBI8I8I8B', time, 0, 0, wait_window(data, from, now, window, latest, used + 1 - most), used, resets, 0)
    end
    if registered >= time + window then
      count_in_window(key, ARGV[5], data, from, now, window, most, registered, used, latest, n)
      return answer(now, used, resets)
    end
  end
end
