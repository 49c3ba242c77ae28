-- The question, and its answer.
local most_counters = tonumber(ARGV[2])
local next_arg, next_key = 3, 2
local known, opening, idle, event = 0, '', 0, ''

if session then
  known, opening, idle, event = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), ARGV[6]
  next_arg, next_key = 7, 3
  read_session()
end

-- takes reads what is asked about. A kind in capitals is in the session; a +
-- after it says that it restricts nothing, and is counted all the same.
local function takes()
  local all = {}
  while next_arg <= #ARGV do
    local text, place = ARGV[next_arg], nil
    local letter = text:sub(1, 1)
    if letter < 'a' then
      place, next_arg = ARGV[next_arg + 1], next_arg + 2
    else
      place, next_key, next_arg = KEYS[next_key], next_key + 1, next_arg + 1
    end
    local t = kind_of(letter).new(place, ARGV[next_arg])
    t.counts, next_arg = #text > 1, next_arg + 1
    if returns then
      t.mark, next_arg = ARGV[next_arg], next_arg + 1
      if op == 'correct' then t.actual, next_arg = ARGV[next_arg], next_arg + 1 end
    end
    all[#all + 1] = t
  end
  return all
end

-- ours reports whether the session is open, and was not ended and opened again
-- since what is to be taken back or added was taken in it.
local function ours() return ses.open and (opening == '' or ses.begun == opening) end

-- look fills in what is to be said of the takes, and reports whether they all
-- fit.
local function look(all)
  local fit = true
  for _, t in ipairs(all) do
    if t.field and not ses.open then
      -- Of an unknown session nothing is known.
      t.fits, t.wait, t.used_now, t.resets = t.counts, 0, t.kind == made.S and pack(AMOUNT, 0, 0, 0) or 0, 0
    else
      t.kind.read(t)
      t.fits, t.wait = t.kind.look(t)
      t.used_now, t.resets = t.kind.usage(t)
      t.ready = true
      if t.counts then t.fits, t.wait = true, 0 end
    end
    fit = fit and t.fits
  end
  return fit
end

-- take counts all, or raises an error before it has counted anything. Each
-- thing that is written for a take begins with a command that a server without
-- memory refuses: so there it is the first that fails.
local function take(all)
  local fresh_fields = 0
  for _, t in ipairs(all) do
    if t.ready and t.fresh and t.field then fresh_fields = fresh_fields + 2 end
  end
  check_room(KEYS[1], all, most_counters)
  if fresh_fields > 0 then check_session_room(fresh_fields, most_counters) end
  -- The register first: where that is no register, nothing was counted yet.
  for _, t in ipairs(all) do
    if t.ready and t.register then
      t.registered = register_until(t.window)
      enter(KEYS[1], member_of(t), t.registered, t.window)
    end
  end
  for _, t in ipairs(all) do
    if t.ready then t.kind.add(t) end
  end
  if ses.open and has('e') then append(event) end
end

local all, stale, taken = {}, false, false
if op == 'look' or op == 'take' then
  all = takes()
  local seen_up_to = known
  if has('h') and ses.open then
    local other = opening ~= '' and opening ~= ses.begun
    if other then seen_up_to = 0 end
    stale = other or ses.length ~= seen_up_to
  end
  local blocked = stale or has('n') and not ses.open or has('h') and not ses.records
  local fit = look(all)
  if op == 'take' then
    if ses.open then touch(idle) end
    if fit and not blocked then
      take(all)
      taken = true
    end
  end
  known = seen_up_to
elseif returns then
  for _, t in ipairs(takes()) do
    if not t.field or ours() then
      t.kind.read(t)
      if op == 'back' then t.kind.remove(t) elseif t.kind.correct then t.kind.correct(t) end
    end
  end
  -- What was taken before the session was opened is no event of it.
  if op == 'back' and opening ~= '' and ours() and has('e') then append(event) end
elseif op == 'open' then
  if not ses.open then open_session(opening, has('r'), idle) end
elseif op == 'end' then
  call('UNLINK', session)
  ses.open, ses.begun, ses.records, ses.length = false, '', false, 0
elseif op == 'append' then
  if ours() then
    touch(idle)
    append(event)
  end
else
  return redis.error_reply('VETO unknown operation')
end

local holds = (ses.open and 1 or 0) + (ses.records and 2 or 0) + (stale and 4 or 0) + (taken and 8 or 0)
local answer = {pack('>I8B', ses.now, holds)}
if ses.open then answer[2] = pack('>I8B', ses.length, #ses.begun) .. ses.begun end
for _, t in ipairs(all) do
  local used = t.used_now
  if type(used) == 'number' then used = pack('>I8', used) end
  answer[#answer + 1] = (t.fits and pack('>B', 1) or pack('>BI8', 0, t.wait)) .. used ..
    pack('>I8B', t.resets, #t.mark) .. t.mark
end
if stale then add_events(answer, known) end
return table.concat(answer)
