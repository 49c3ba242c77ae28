-- The counters of a session know no time.

-- Of a tally its number, and how often it went down.
function make.T()
  local tallies = {}

  function tallies.new(field, numbers)
    local _, most = unpack_at('>I8I8', numbers)
    return {kind = tallies, field = field, most = most, adds = tonumber(numbers:sub(17)), mark = ''}
  end

  function tallies.read(t)
    local x = call('HGET', session, t.field)
    local n, downs = (x or '0 0'):match('^(%d+) (%d+)$')
    t.used, t.downs, t.fresh, t.now = tonumber(n), tonumber(downs), not x, ses.now
  end

  function tallies.look(t) return max(0, t.used + t.adds) <= t.most, 0 end
  function tallies.usage(t) return t.used, 0 end

  local function write_tally(t, n)
    call('HSET', session, t.field, string.format('%.0f %.0f', n, t.downs))
  end

  function tallies.add(t)
    local n = max(0, t.used + t.adds)
    if t.adds < 0 then t.downs = t.downs + 1 end
    write_tally(t, n)
    t.mark = string.format('%.0f %.0f', n - t.used, t.downs) -- what is to be taken back
  end

  -- remove leaves an up that went down since: without it, that might have found
  -- nothing to go down from.
  function tallies.remove(t)
    local by, downs = t.mark:match('^(-?%d+) (%d+)$')
    if by == '1' and tonumber(downs) ~= t.downs then return end
    write_tally(t, max(0, t.used - tonumber(by)))
  end

  return tallies
end
