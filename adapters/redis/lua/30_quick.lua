-- The questions that are asked most are to take limits of calls and budgets of
-- amounts, without a session, from counters that are there and registered, and
-- from which nothing leaves; or a budget alone, which has no room. They are
-- answered here, and would have the same answers from what follows.
if ARGV[1] == 'take' then
  local answer, waiting
  local key, head, entry, keep -- what is to be written; of a sum also for how long, where it is not kept for long enough
  for i = 2, #KEYS do
    if head then -- of one before; that is written when all were looked at
      waiting = waiting or {}
      waiting[#waiting + 1] = {key, head, entry, keep}
    end
    key, head, entry, keep = KEYS[i], nil, nil, nil
    local kind, numbers = ARGV[2 * i - 1], ARGV[2 * i]
    local now, said = time, nil

    if kind == 'c' then
      -- A call that shares the newest entry of a long window: that needs the
      -- head, and the time of the oldest entry. Where the counter is ahead of the
      -- server's clock the key has to be kept anew, which this does not do.
      local window, most = unpack_at('>I8I8', numbers)
      local data = most > EXACT and call('GETRANGE', key, '0', '35') or ''
      if #data < HEAD_SIZE then break end
      local latest, registered, used, n = unpack_at(HEAD, data)
      local oldest, part = #data > HEAD_SIZE and unpack_at('>I8', data, HEAD_SIZE + 1) or latest, window / PARTS
      if n == 0 or latest > time or used >= most or oldest <= now - window or registered < time + window
        or latest < now and floor(latest / part) ~= floor(now / part) then break end
      head = pack(HEAD, now, registered, used + 1, n + 1)
      said = pack('>I8BBI8I8BI8', time, 8, 1, used, latest + window - now, 8, now)

    elseif kind == 's' then
      local data = call('LINDEX', key, '-1')
      if not data then break end
      local window, m1, m2, m3, a1, a2, a3 = unpack_at(SUM_TAKE, numbers)
      local latest, registered, kept, s1, s2, s3, at, n1, n2, n3, older, oldest = unpack_at(SUM_HEAD, data)
      if now < latest then now = latest end
      local edge, part = now - window, window / PARTS
      local x1, x2, x3 = plus(s1, s2, s3, a1, a2, a3)
      if at <= edge or older > 0 and oldest <= edge or registered < time + window
        or a1 + a2 + a3 == 0 then break end
      if is_more(x1, x2, x3, m1, m2, m3) then
        -- It does not fit until so much has left that the rest does, which mostly
        -- one of the oldest does.
        if #KEYS > 2 or x1 == MOST_HIGH then break end
        local wait = 0
        if not is_more(a1, a2, a3, m1, m2, m3) then
          local some = older > 0 and call('LRANGE', key, '0', '1') or {}
          wait = older < 2 and at + window - now or nil
          for k = 1, math.min(older, 2) do
            local e, e1, e2, e3 = unpack_at(SUM_ENTRY, some[k])
            m1, m2, m3 = plus(m1, m2, m3, e1, e2, e3)
            if not is_more(x1, x2, x3, m1, m2, m3) then wait = e + window - now break end
          end
          if not wait then break end
        end
        return pack('>I8BBI8I6I6I6I8B', time, 0, 0, wait, s1, s2, s3, at + window - now, 0)
      end
      if at == now or older + 1 >= EXACT and floor(at / part) == floor(now / part) then
        a1, a2, a3 = plus(n1, n2, n3, a1, a2, a3)
      else
        if older == 0 then oldest = at end
        older, entry = older + 1, pack(SUM_ENTRY, at, n1, n2, n3)
      end
      local left = kept - time - window
      if left < 0 or left > part then kept, keep = time + window + part, math.ceil((window + part) / 1000) + SLACK end
      head = pack(SUM_HEAD, now, registered, kept, x1, x2, x3, now, a1, a2, a3, older, oldest)
      said = pack('>I8BBI6I6I6I8BI8', time, 8, 1, s1, s2, s3, at + window - now, 8, now)

    else
      break
    end
    answer = answer and answer .. said:sub(10) or said -- of which the time and what holds are said once
  end

  if head then -- of the last one, and so there was no break
    local i = 0
    repeat
      if #head == HEAD_SIZE then
        call('SETRANGE', key, '0', head)
      else
        call('LSET', key, '-1', entry or head)
        if entry then call('RPUSH', key, head) end
        if keep then call('PEXPIRE', key, keep) end
      end
      i = i + 1
      local w = waiting and waiting[i]
      if w then key, head, entry, keep = w[1], w[2], w[3], w[4] end
    until not w
    return answer
  end
end
