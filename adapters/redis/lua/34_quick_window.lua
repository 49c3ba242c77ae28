-- One limit of calls from a counter that is there and registered, whatever
-- leaves it and whether the call fits, is answered here.
if ARGV[1] == 'take' and ARGV[3] == 'c' and #KEYS == 2 then
  local key, window, most = KEYS[2], unpack_at('>I8I8', ARGV[4])
  local data = call('GET', key)
  if data then
    local now, registered, used, from, latest, n = open_window(data, window)
    local resets = reset_window(data, from, now, window, latest, n)
    if used >= most then
      return pack('>I8BBI8I8I8B', time, 0, 0, wait_window(data, from, now, window, latest, used + 1 - most), used, resets, 0)
    end
    if registered >= time + window then
      count_in_window(key, data, from, now, window, most, registered, used, latest, n)
      return pack('>I8BBI8I8BI8', time, 8, 1, used, resets, 8, now)
    end
  end
end
