-- A session is one hash, so that it ends all at once:
--   b  a random name of this opening     r  1 where calls are recorded
--   n  events so far                     f  the first event that is kept
--   z  bytes of the events kept          t  the latest time it knew
--   e<number>  an event: its time and data
--   S<counter> a sum    T<counter> a tally    N<counter> a number of values
--   V<counter><value>  when the value was last used
local KEPT, KEPT_BYTES = 1000, 65536
local FIXED = 6

local session = has('s') and KEYS[2] -- its key
local ses = {open = false, begun = '', records = false, length = 0, now = time}
local read_session, open_session, touch, append, add_events, check_session_room

if session then
  function read_session()
    local x = call('HMGET', session, 'b', 'r', 'n', 'f', 'z', 't')
    if not x[1] then return end
    ses.open, ses.begun, ses.records = true, x[1], x[2] == '1'
    ses.length, ses.first, ses.bytes = tonumber(x[3]), tonumber(x[4]), tonumber(x[5])
    ses.now = max(time, tonumber(x[6]))
  end

  function open_session(begun, records, idle)
    call('HSET', session, 'b', begun, 'r', records and 1 or 0, 'n', 0, 'f', 1, 'z', 0, 't', time)
    call('PEXPIRE', session, ceil(idle * 17 / 16))
    ses.open, ses.begun, ses.records, ses.first, ses.bytes = true, begun, records, 1, 0
  end

  -- touch keeps the session for at least idle milliseconds more, and writes that
  -- not at each call.
  function touch(idle)
    if call('PTTL', session) < idle then call('PEXPIRE', session, ceil(idle * 17 / 16)) end
  end

  -- append adds an event. The oldest make room for it, after it is written; it
  -- is itself kept however large it is.
  function append(data)
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
  function add_events(answer, known)
    for i = max(known + 1, ses.first), ses.length do
      local x = call('HGET', session, 'e' .. string.format('%.0f', i))
      -- It begins with its time.
      if x then answer[#answer + 1] = pack('>I8I4', i, #x - 8) .. x end
    end
  end

  -- check_session_room raises an error where so many new fields are too many.
  function check_session_room(fresh, most)
    if fresh > 0 and call('HLEN', session) + fresh > most + KEPT + FIXED then
      error({err = 'VETOFULL too many counters of one session'}, 0)
    end
  end
end
