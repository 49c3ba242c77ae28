-- Of a sum in a session its amount; nothing where that is zero.
function make.S()
  local totals = {}

  function totals.new(field, numbers)
    local _, m1, m2, m3, a1, a2, a3 = unpack_at('>I8I6I6I6I6I6I6', numbers)
    return {kind = totals, field = field, m1 = m1, m2 = m2, m3 = m3, a1 = a1, a2 = a2, a3 = a3, s1 = 0, s2 = 0, s3 = 0, mark = ''}
  end

  function totals.read(t)
    local sum = call('HGET', session, t.field)
    if sum then t.s1, t.s2, t.s3 = unpack_at(AMOUNT, sum) end
    t.fresh, t.now = not sum, ses.now
  end

  function totals.look(t)
    local s1, s2, s3 = plus(t.s1, t.s2, t.s3, t.a1, t.a2, t.a3)
    return not is_more(s1, s2, s3, t.m1, t.m2, t.m3), 0
  end

  function totals.usage(t) return pack(AMOUNT, t.s1, t.s2, t.s3), 0 end

  local function write_total(t, s1, s2, s3)
    if is_zero(s1, s2, s3) then
      call('HDEL', session, t.field)
    else
      call('HSET', session, t.field, pack(AMOUNT, s1, s2, s3))
    end
  end

  function totals.add(t)
    write_total(t, plus(t.s1, t.s2, t.s3, t.a1, t.a2, t.a3))
    t.mark = mark(t.now)
  end

  function totals.remove(t) write_total(t, minus(t.s1, t.s2, t.s3, t.a1, t.a2, t.a3)) end

  function totals.correct(t)
    local x1, x2, x3 = unpack_at(AMOUNT, t.actual)
    local s1, s2, s3 = minus(t.s1, t.s2, t.s3, minus(t.a1, t.a2, t.a3, x1, x2, x3))
    write_total(t, plus(s1, s2, s3, minus(x1, x2, x3, t.a1, t.a2, t.a3)))
  end

  return totals
end
