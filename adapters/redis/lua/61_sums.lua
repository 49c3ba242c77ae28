-- Sums of amounts in a rolling window.
--
-- The value is a head (the latest time it knew; until when it is registered)
-- and entries of (time, amount), oldest first. It is exact while there are at
-- most 32; then neighbours in one sixteenth of the window merge towards the
-- later. So a sum never falls early.
local SUM_HEAD, SUM_ENTRY = '>I8I8', '>I8I6I6I6'
local SUM_HEAD_SIZE, SUM_ENTRY_SIZE = 16, 26

local sums = {}
kinds.s = sums

function sums.read(t)
  t.most, t.adds = amount(t.most), amount(t.adds)
  t.entries, t.sum, t.now = {}, ZERO, time
  local data = call('GET', t.key)
  if not data then
    t.registered, t.fresh, t.register = 0, true, true
    return
  end
  local latest, registered = unpack_at(SUM_HEAD, data)
  t.now = max(time, latest)
  for from = SUM_HEAD_SIZE + 1, #data, SUM_ENTRY_SIZE do
    local at, high, middle, low = unpack_at(SUM_ENTRY, data, from)
    if at > t.now - t.window then
      local a = {high, middle, low}
      t.entries[#t.entries + 1] = {at = at, amount = a}
      t.sum = plus(t.sum, a)
    end
  end
  t.registered = registered
  t.fresh, t.register = registered <= time, registered < time + t.window
end

function sums.look(t)
  if compare(plus(t.sum, t.adds), t.most) <= 0 then return true, 0 end
  if compare(t.adds, t.most) > 0 then return false, 0 end
  local rest = t.sum
  for _, e in ipairs(t.entries) do
    rest = minus(rest, e.amount)
    if compare(plus(rest, t.adds), t.most) <= 0 then return false, e.at + t.window - t.now end
  end
  return false, 0
end

function sums.usage(t)
  local last = t.entries[#t.entries]
  return digits(t.sum), last and last.at + t.window - t.now or 0
end

local function write_sum(t, ...)
  local parts = {pack(SUM_HEAD, t.now, t.registered)}
  for i, e in ipairs(t.entries) do
    local a = e.amount
    parts[i + 1] = pack(SUM_ENTRY, e.at, a[1], a[2], a[3])
  end
  call('SET', t.key, table.concat(parts), ...)
end

local function merge(t)
  local kept = {t.entries[1]}
  for i = 2, #t.entries do
    local e, last = t.entries[i], kept[#kept]
    if sixteenth(last.at, t.window) == sixteenth(e.at, t.window) then
      last.at, last.amount = e.at, plus(last.amount, e.amount)
    else
      kept[#kept + 1] = e
    end
  end
  t.entries = kept
end

-- insert makes an entry of a time that no entry has.
local function insert(t, i, at, a)
  if compare(a, ZERO) == 0 then return end
  table.insert(t.entries, i, {at = at, amount = a})
  if #t.entries > EXACT then merge(t) end
end

function sums.add(t)
  local last = t.entries[#t.entries]
  if last and last.at == t.now then
    last.amount = plus(last.amount, t.adds)
  else
    insert(t, #t.entries + 1, t.now, t.adds)
  end
  write_sum(t, 'PX', t.keep)
  t.mark = mark(t.now)
end

-- entry_of is the first entry that may hold the take: that of its time, or of
-- a later one where it was merged.
local function entry_of(t)
  for i, e in ipairs(t.entries) do
    if e.at >= marked(t) then return i end
  end
end

local function remove_amount(t, a)
  local i = entry_of(t)
  while i and t.entries[i] and compare(a, ZERO) > 0 do
    local e = t.entries[i]
    local rest = minus(e.amount, a)
    a = minus(a, e.amount)
    if compare(rest, ZERO) == 0 then
      table.remove(t.entries, i)
    else
      e.amount = rest
    end
  end
  write_sum(t, 'KEEPTTL')
end

-- counts reports whether the take is still in the window, of a counter that
-- is there.
local function counts(t) return t.registered > 0 and marked(t) > t.now - t.window end

function sums.remove(t)
  if counts(t) then remove_amount(t, t.adds) end
end

function sums.correct(t)
  local actual = amount(t.actual)
  local less, more = minus(t.adds, actual), minus(actual, t.adds)
  if not counts(t) then return end
  if compare(less, ZERO) > 0 then return remove_amount(t, less) end
  if compare(more, ZERO) == 0 then return end
  local i, at = entry_of(t), marked(t)
  if not i then
    insert(t, #t.entries + 1, at, more)
  elseif compare(t.adds, ZERO) == 0 and sixteenth(t.entries[i].at, t.window) ~= sixteenth(at, t.window) then
    -- It is in no entry. One of its own does not come between amounts and the
    -- entry that they were merged into.
    insert(t, i, at, more)
  else
    t.entries[i].amount = plus(t.entries[i].amount, more)
  end
  write_sum(t, 'KEEPTTL')
end
