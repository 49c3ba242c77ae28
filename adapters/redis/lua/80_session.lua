-- A session is one hash, so that it ends all at once:
--   b  a random name of this opening     r  1 where calls are recorded
--   n  events so far                     f  the first event that is kept
--   z  bytes of the events kept          t  the latest time it knew
--   e<number>  an event: its time and data
--   S<counter> a sum    T<counter> a tally    N<counter> a number of values
--   V<counter><value>  when the value was last used
local KEPT, KEPT_BYTES = 1000, 65536
local FIXED = 6

local session -- its key, or nil
local ses = {open = false, begun = '', records = false, length = 0, now = time}

local function read_session()
  local x = call('HMGET', session, 'b', 'r', 'n', 'f', 'z', 't')
  if not x[1] then return end
  ses.open, ses.begun, ses.records = true, x[1], x[2] == '1'
  ses.length, ses.first, ses.bytes = tonumber(x[3]), tonumber(x[4]), tonumber(x[5])
  ses.now = max(time, tonumber(x[6]))
end

local function open_session(begun, records, idle)
  call('HSET', session, 'b', begun, 'r', records and 1 or 0, 'n', 0, 'f', 1, 'z', 0, 't', time)
  call('PEXPIRE', session, ceil(idle * 17 / 16))
  ses.open, ses.begun, ses.records, ses.first, ses.bytes = true, begun, records, 1, 0
end

-- touch keeps the session for at least idle milliseconds more, and writes that
-- not at each call.
local function touch(idle)
  if call('PTTL', session) < idle then call('PEXPIRE', session, ceil(idle * 17 / 16)) end
end

-- append adds an event. The oldest make room for it, after it is written; it
-- is itself kept however large it is.
local function append(data)
  local n = ses.length + 1
  local bytes, first = ses.bytes + #data, ses.first
  local dropped = {}
  while n - first >= KEPT or bytes > KEPT_BYTES and first < n do
    local field = 'e' .. string.format('%.0f', first)
    bytes = bytes - max(0, call('HSTRLEN', session, field) - 8)
    dropped[#dropped + 1], first = field, first + 1
  end
  call('HSET', session, 'n', n, 'f', first, 'z', bytes, 't', ses.now,
    'e' .. string.format('%.0f', n), pack('>I8', ses.now) .. data)
  if #dropped > 0 then call('HDEL', session, unpack(dropped)) end
  ses.length, ses.first, ses.bytes = n, first, bytes
end

-- add_events adds those after the known ones to an answer.
local function add_events(answer, known)
  for i = max(known + 1, ses.first), ses.length do
    local x = call('HGET', session, 'e' .. string.format('%.0f', i))
    -- It begins with its time.
    if x then answer[#answer + 1] = pack('>I8I4', i, #x - 8) .. x end
  end
end

-- check_session_room raises an error where so many new fields are too many.
local function check_session_room(fresh, most)
  if fresh > 0 and call('HLEN', session) + fresh > most + KEPT + FIXED then
    error({err = 'VETOFULL too many counters of one session'}, 0)
  end
end

-- The counters of a session, which know no time.

-- Of a tally its number, and how often it went down.
local tallies = {}
kinds.T = tallies

function tallies.read(t)
  local x = call('HGET', session, t.field)
  local n, downs = (x or '0 0'):match('^(%d+) (%d+)$')
  t.used, t.downs, t.fresh, t.adds, t.now = tonumber(n), tonumber(downs), not x, tonumber(t.adds), ses.now
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

local totals = {}
kinds.S = totals

function totals.read(t)
  local sum = call('HGET', session, t.field)
  t.sum, t.fresh, t.now = sum and amount(sum) or ZERO, not sum, ses.now
  t.most, t.adds = amount(t.most), amount(t.adds)
end

function totals.look(t) return compare(plus(t.sum, t.adds), t.most) <= 0, 0 end
function totals.usage(t) return digits(t.sum), 0 end

local function write_total(t, a)
  if compare(a, ZERO) == 0 then call('HDEL', session, t.field) else call('HSET', session, t.field, digits(a)) end
end

function totals.add(t)
  write_total(t, plus(t.sum, t.adds))
  t.mark = mark(t.now)
end

function totals.remove(t) write_total(t, minus(t.sum, t.adds)) end

function totals.correct(t)
  local actual = amount(t.actual)
  write_total(t, plus(minus(t.sum, minus(t.adds, actual)), minus(actual, t.adds)))
end

local seen = {}
kinds.V = seen

function seen.read(t)
  t.number, t.value = 'N' .. t.field:sub(2), t.field .. t.adds
  local x = call('HMGET', session, t.number, t.value)
  t.used, t.before, t.now = tonumber(x[1] or 0), tonumber(x[2] or -1), ses.now
  t.fresh = t.before < 0
end

function seen.look(t) return t.before >= 0 or t.used < t.most, 0 end
function seen.usage(t) return t.used, 0 end

function seen.add(t)
  local at = max(t.now, t.before + 1) -- as in values.add
  call('HSET', session, t.value, at)
  if t.before < 0 then call('HINCRBY', session, t.number, 1) end
  t.mark = pack('>I8I8', at, t.before + 1)
end

function seen.remove(t)
  local at, before = unpack_at('>I8I8', t.mark)
  if t.before ~= at then return end
  if before > 0 then
    call('HSET', session, t.value, before - 1)
  else
    call('HDEL', session, t.value)
    call('HINCRBY', session, t.number, -1)
  end
end
