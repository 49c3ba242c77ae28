-- Sums of amounts in a rolling window: what is asked of them is in 41_kinds.lua.
local sums = {}

-- new_sum is a take of a sum. Until it is read it is of a counter that is not
-- there. Limbs of amounts are numbered.
local function new_sum(key, numbers)
  local window, m1, m2, m3, a1, a2, a3 = unpack_at(SUM_TAKE, numbers)
  return {
    kind = sums, key = key, window = window, m1 = m1, m2 = m2, m3 = m3, a1 = a1, a2 = a2, a3 = a3,
    now = time, registered = 0, kept = 0, fresh = true, register = true, there = false,
    s1 = 0, s2 = 0, s3 = 0, -- the sum of what is in the window
    at = 0, n1 = 0, n2 = 0, n3 = 0, -- the newest entry
    gone = 0, older = 0, oldest = 0, -- entries that have left the window, and those before the newest that have not
    mark = '', fits = false, wait = 0, used_now = '', resets = 0, counts = false, ready = false,
  }
end

-- entries goes through those that are stored before the newest, from one to
-- another, and reads more of them at a time the further it goes.
local function entries(key, from, to)
  local some, i, size = {}, 0, 1
  return function()
    if i == #some then
      if from > to then return end
      size = size * 2
      some, i = call('LRANGE', key, from, min(from + size - 1, to)), 0
      from = from + size
    end
    i = i + 1
    return unpack_at(SUM_ENTRY, some[i])
  end
end

function sums.read(t)
  local head = call('LINDEX', t.key, '-1')
  if not head then return end
  local now, registered, kept, s1, s2, s3, at, n1, n2, n3, older, oldest = unpack_at(SUM_HEAD, head)
  if now < time then now = time end
  local edge, gone = now - t.window, 0
  if at <= edge then
    s1, s2, s3, at, n1, n2, n3, gone, older, oldest = 0, 0, 0, 0, 0, 0, 0, older, 0, 0
  elseif oldest <= edge and older > 0 then
    local full = s1 == MOST_HIGH -- it may be more, and is added up again
    oldest = 0
    for e, e1, e2, e3 in entries(t.key, 0, older - 1) do
      if e > edge then oldest = e break end
      gone, s1, s2, s3 = gone + 1, minus(s1, s2, s3, e1, e2, e3)
    end
    if full then
      s1, s2, s3 = plus(n1, n2, n3, 0, 0, 0)
      for _, e1, e2, e3 in entries(t.key, gone, older - 1) do s1, s2, s3 = plus(s1, s2, s3, e1, e2, e3) end
    end
    older = older - gone
  end
  t.now, t.registered, t.kept, t.there, t.gone, t.older, t.oldest = now, registered, kept, true, gone, older, oldest
  t.s1, t.s2, t.s3, t.at, t.n1, t.n2, t.n3 = s1, s2, s3, at, n1, n2, n3
  t.fresh, t.register = registered <= time, registered < time + t.window
end

function sums.look(t)
  local a1, a2, a3, m1, m2, m3 = t.a1, t.a2, t.a3, t.m1, t.m2, t.m3
  local function fits(s1, s2, s3)
    s1, s2, s3 = plus(s1, s2, s3, a1, a2, a3)
    return not is_more(s1, s2, s3, m1, m2, m3)
  end
  local s1, s2, s3 = t.s1, t.s2, t.s3
  if fits(s1, s2, s3) then return true, 0 end
  if is_more(a1, a2, a3, m1, m2, m3) then return false, 0 end
  for e, e1, e2, e3 in entries(t.key, t.gone, t.gone + t.older - 1) do
    s1, s2, s3 = minus(s1, s2, s3, e1, e2, e3)
    if fits(s1, s2, s3) then return false, e + t.window - t.now end
  end
  return false, t.at > 0 and t.at + t.window - t.now or 0
end

function sums.usage(t)
  return pack(AMOUNT, t.s1, t.s2, t.s3), t.at > 0 and t.at + t.window - t.now or 0
end

-- joins reports whether an amount at a time joins an entry before it, of n
-- entries.
local function joins(t, before, at, n)
  return before == at or n >= EXACT and part_of(before, t.window) == part_of(at, t.window)
end

-- head_of is that of a take.
local function head_of(t)
  return pack(SUM_HEAD, t.now, t.registered, t.kept, t.s1, t.s2, t.s3, t.at, t.n1, t.n2, t.n3, t.older, t.oldest)
end

-- add writes first what a server without memory refuses.
function sums.add(t)
  local key, now, at, a1, a2, a3 = t.key, t.now, t.at, t.a1, t.a2, t.a3
  local before
  t.s1, t.s2, t.s3 = plus(t.s1, t.s2, t.s3, a1, a2, a3)
  if is_zero(a1, a2, a3) then
    -- The time that it knows is later, and no entry is.
  elseif at > 0 and joins(t, at, now, t.older + 1) then
    t.at, t.n1, t.n2, t.n3 = now, plus(t.n1, t.n2, t.n3, a1, a2, a3)
  else
    if at > 0 then
      before = pack(SUM_ENTRY, at, t.n1, t.n2, t.n3)
      if t.older == 0 then t.oldest = at end
      t.older = t.older + 1
    end
    t.at, t.n1, t.n2, t.n3 = now, a1, a2, a3
  end
  local part, keep = t.window / PARTS, nil
  local left = t.kept - time - t.window
  if left < 0 or left > part then t.kept, keep = time + t.window + part, ceil((t.window + part) / 1000) + SLACK end
  if before then
    call('LSET', key, '-1', before)
    call('RPUSH', key, head_of(t))
  elseif t.there then
    call('LSET', key, '-1', head_of(t))
  else
    call('RPUSH', key, head_of(t))
  end
  if t.gone > 0 then call('LTRIM', key, t.gone, '-1') end
  if keep then call('PEXPIRE', key, keep) end
  t.mark = pack('>I8', now)
end

-- Also these are asked often.
if ARGV[1] == 'take' and ARGV[3] == 's' and #KEYS == 2 then
  local t = new_sum(KEYS[2], ARGV[4])
  sums.read(t)
  local used, resets = sums.usage(t)
  local fits, wait = sums.look(t)
  if not fits then return pack('>I8BBI8', time, 0, 0, wait) .. used .. pack('>I8B', resets, 0) end
  if not t.register then
    sums.add(t)
    return pack('>I8BB', time, 8, 1) .. used .. pack('>I8BI8', resets, 8, t.now)
  end
end
