-- The question that is asked most, to take one limit of calls without a
-- session, from a counter that is there and registered, is answered here: what
-- follows need not be set up for it. It would give the same answer.
if ARGV[1] == 'take' and ARGV[3] == 'c' and #KEYS == 2 then
  local key, window, most = KEYS[2], tonumber(ARGV[4]), tonumber(ARGV[6])
  local data = call('GET', key)
  if data then
    local now, registered, used, from = open_window(data, window)
    local last, n = last_of_window(data, from)
    local resets = n > 0 and last + window - now or 0
    if used >= most then
      return pack('>I8BBI8I8I8B', time, 0, 0, wait_window(data, from, now, window, used + 1 - most), used, resets, 0)
    end
    if registered >= time + window then
      count_in_window(key, ARGV[5], data, from, now, window, most, registered, used, last, n)
      return pack('>I8BBI8I8BI8', time, 8, 1, used, resets, 8, now)
    end
  end
end
