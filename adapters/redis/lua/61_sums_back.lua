-- What was added to a sum is given back, or corrected, entry by entry.
if returns then
  -- list is the entries that are in the window, as {time, and three limbs}.
  local function list(t)
    local all = {}
    for e, e1, e2, e3 in entries(t.key, t.gone, t.gone + t.older - 1) do all[#all + 1] = {e, e1, e2, e3} end
    if t.at > 0 then all[#all + 1] = {t.at, t.n1, t.n2, t.n3} end
    return all
  end

  -- entry_of is the first entry that may hold the take: that of its time, or of
  -- a later one where it was merged.
  local function entry_of(t, all)
    for i, e in ipairs(all) do
      if e[1] >= marked(t) then return i, e end
    end
  end

  local function add_to(e, x1, x2, x3) e[2], e[3], e[4] = plus(e[2], e[3], e[4], x1, x2, x3) end

  -- write_list writes entries that were changed. The list lives as long as
  -- before, since it is at no time empty; what a server without memory refuses
  -- is written first.
  local function write_list(t, all)
    t.s1, t.s2, t.s3 = 0, 0, 0
    for _, e in ipairs(all) do t.s1, t.s2, t.s3 = plus(t.s1, t.s2, t.s3, e[2], e[3], e[4]) end
    local newest = table.remove(all) or {0, 0, 0, 0}
    t.at, t.n1, t.n2, t.n3 = unpack(newest)
    t.older, t.oldest = #all, all[1] and all[1][1] or 0
    call('LSET', t.key, '-1', head_of(t))
    call('LTRIM', t.key, '-1', '-1')
    if #all == 0 then return end
    local latest_first = {}
    for i, e in ipairs(all) do latest_first[#all + 1 - i] = pack(SUM_ENTRY, unpack(e)) end
    call('LPUSH', t.key, unpack(latest_first))
  end

  -- insert makes an amount count at a time that is later than that of entry i-1
  -- and before that of entry i.
  local function insert(t, all, i, at, x1, x2, x3)
    local before = all[i - 1]
    if before and joins(t, before[1], at, #all) then
      before[1] = at
      add_to(before, x1, x2, x3)
    else
      table.insert(all, i, {at, x1, x2, x3})
    end
  end

  local function remove_amount(t, x1, x2, x3)
    local all = list(t)
    local i, e = entry_of(t, all)
    if not i then return end
    e[2], e[3], e[4] = minus(e[2], e[3], e[4], x1, x2, x3)
    if is_zero(e[2], e[3], e[4]) then table.remove(all, i) end
    write_list(t, all)
  end

  -- counts reports whether the take is still in the window, of a counter that
  -- is there.
  local function counts(t) return t.registered > 0 and marked(t) > t.now - t.window end

  function sums.remove(t)
    if counts(t) then remove_amount(t, t.a1, t.a2, t.a3) end
  end

  function sums.correct(t)
    if not counts(t) then return end
    local a1, a2, a3, x1, x2, x3 = t.a1, t.a2, t.a3, unpack_at(AMOUNT, t.actual)
    if is_more(a1, a2, a3, x1, x2, x3) then return remove_amount(t, minus(a1, a2, a3, x1, x2, x3)) end
    x1, x2, x3 = minus(x1, x2, x3, a1, a2, a3) -- so much more
    if is_zero(x1, x2, x3) then return end
    local all, at = list(t), marked(t)
    local i, e = entry_of(t, all)
    if not i then
      insert(t, all, #all + 1, at, x1, x2, x3)
    elseif is_zero(a1, a2, a3) and part_of(e[1], t.window) ~= part_of(at, t.window) then
      -- It is in no entry. One of its own does not come between amounts and the
      -- entry that they were merged into.
      insert(t, all, i, at, x1, x2, x3)
    else
      add_to(e, x1, x2, x3)
    end
    write_list(t, all)
  end
end
