-- Sums of amounts in a rolling window.
--
-- The value is a head (the latest time it knew; until when it is registered;
-- the sum of all entries) and entries of (time, amount), oldest first. It is
-- exact while there are at most 32; then an amount joins the entry before it,
-- where that is in the same 128th of the window, and takes it along to the
-- later time. So a sum never falls early, and there are at most 160 entries.
local SUM_HEAD, SUM_ENTRY = '>I8I8I6I6I6', '>I8I6I6I6'
local SUM_HEAD_SIZE, SUM_ENTRY_SIZE = 34, 26

local sums = {}
kinds.s = sums

-- entry_at returns the time and the amount of one.
local function entry_at(data, from)
  local at, high, middle, low = unpack_at(SUM_ENTRY, data, from)
  return at, {high, middle, low}
end

local function pack_entry(at, a) return pack(SUM_ENTRY, at, a[1], a[2], a[3]) end

-- sum_from is that of all entries from one on.
local function sum_from(data, from)
  local sum = ZERO
  for i = from, #data, SUM_ENTRY_SIZE do
    local _, a = entry_at(data, i)
    sum = plus(sum, a)
  end
  return sum
end

function sums.read(t)
  t.most, t.adds = amount(t.most), amount(t.adds)
  local data = call('GET', t.key)
  if not data then
    t.data, t.from, t.sum, t.now = '', 1, ZERO, time
    t.registered, t.fresh, t.register = 0, true, true
    return
  end
  local latest, registered, high, middle, low = unpack_at(SUM_HEAD, data)
  local sum, from = {high, middle, low}, SUM_HEAD_SIZE + 1
  local full = compare(sum, MOST) == 0 -- it may be more, and is added up again
  t.now = max(time, latest)
  while from < #data do
    local at, a = entry_at(data, from)
    if at > t.now - t.window then break end
    sum, from = minus(sum, a), from + SUM_ENTRY_SIZE
  end
  if full then sum = sum_from(data, from) end
  t.data, t.from, t.sum, t.registered = data, from, sum, registered
  t.fresh, t.register = registered <= time, registered < time + t.window
end

function sums.look(t)
  if compare(plus(t.sum, t.adds), t.most) <= 0 then return true, 0 end
  if compare(t.adds, t.most) > 0 then return false, 0 end
  local rest = t.sum
  for from = t.from, #t.data, SUM_ENTRY_SIZE do
    local at, a = entry_at(t.data, from)
    rest = minus(rest, a)
    if compare(plus(rest, t.adds), t.most) <= 0 then return false, at + t.window - t.now end
  end
  return false, 0
end

-- last_of_sum returns the time and amount of the last entry; nothing where
-- there is none.
local function last_of_sum(t)
  if t.from < #t.data then return entry_at(t.data, #t.data - SUM_ENTRY_SIZE + 1) end
end

function sums.usage(t)
  local last = last_of_sum(t)
  return digits(t.sum), last and last + t.window - t.now or 0
end

local function write_sum(t, sum, entries, ...)
  call('SET', t.key, pack(SUM_HEAD, t.now, t.registered, sum[1], sum[2], sum[3]) .. entries, ...)
end

-- list is the entries as tables.
local function list(t)
  local all = {}
  for from = t.from, #t.data, SUM_ENTRY_SIZE do
    local at, a = entry_at(t.data, from)
    all[#all + 1] = {at = at, amount = a}
  end
  return all
end

-- joins reports whether an amount at a time joins an entry before it, of n
-- entries.
local function joins(t, before, at, n)
  return before == at or n >= EXACT and part_of(before, t.window) == part_of(at, t.window)
end

function sums.add(t)
  t.mark = mark(t.now)
  local data, from, now = t.data, t.from, t.now
  local sum, size, n = plus(t.sum, t.adds), #data, (#data - from + 1) / SUM_ENTRY_SIZE
  local last, a = last_of_sum(t)
  if compare(t.adds, ZERO) == 0 then
    write_sum(t, sum, data:sub(from), 'PX', t.keep)
    return
  elseif last and joins(t, last, now, n) then
    size, a = size - SUM_ENTRY_SIZE, plus(a, t.adds)
  else
    a = t.adds
  end
  write_sum(t, sum, data:sub(from, size) .. pack_entry(now, a), 'PX', t.keep)
end

-- entry_of is the first entry that may hold the take: that of its time, or of
-- a later one where it was merged.
local function entry_of(t, all)
  for i, e in ipairs(all) do
    if e.at >= marked(t) then return i, e end
  end
end

-- write_list writes entries that were changed.
local function write_list(t, all)
  local parts, sum = {}, ZERO
  for i, e in ipairs(all) do
    parts[i], sum = pack_entry(e.at, e.amount), plus(sum, e.amount)
  end
  write_sum(t, sum, table.concat(parts), 'KEEPTTL')
end

-- insert makes an amount count at a time that is later than that of entry i-1
-- and before that of entry i.
local function insert(t, all, i, at, a)
  local before = all[i - 1]
  if before and joins(t, before.at, at, #all) then
    before.at, before.amount = at, plus(before.amount, a)
  else
    table.insert(all, i, {at = at, amount = a})
  end
end

local function remove_amount(t, a)
  local all = list(t)
  local i, e = entry_of(t, all)
  if not i then return end
  e.amount = minus(e.amount, a)
  if compare(e.amount, ZERO) == 0 then table.remove(all, i) end
  write_list(t, all)
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
  local all, at = list(t), marked(t)
  local i, e = entry_of(t, all)
  if not i then
    insert(t, all, #all + 1, at, more)
  elseif compare(t.adds, ZERO) == 0 and part_of(e.at, t.window) ~= part_of(at, t.window) then
    -- It is in no entry. One of its own does not come between amounts and the
    -- entry that they were merged into.
    insert(t, all, i, at, more)
  else
    e.amount = plus(e.amount, more)
  end
  write_list(t, all)
end
