-- How counters are stored.

-- The calls of a rolling window (now-window, now], as a string: a head (the
-- latest time it knew; until when it is registered; the calls in all entries;
-- those at the latest time) and the older entries of (time, calls), oldest
-- first. The head is the newest entry, so that a call which joins that changes
-- nothing else.
--
-- A limit of at most 32 has an entry for each call and is exact; above that,
-- calls in one 128th of the window share an entry, with the time of the last.
-- So room returns at most a 128th of the window late, never early, and there
-- are at most 129 entries.
local HEAD, ENTRY = '>I8I8I4I4', '>I8I4'
local HEAD_SIZE, ENTRY_SIZE = 24, 12

-- The amounts of a rolling window, as a list: entries of (time, amount), oldest
-- first, and then a head, which has what most questions are about: the latest
-- time it knew; until when it is registered; until when it may count at least,
-- as its key lives; the sum of all entries; the newest entry; how many there are
-- before that, and the time of the oldest. A time of 0 says that there is no
-- such entry.
--
-- The key is kept for a 128th of the window longer than it has to be, so that
-- this need not be written each time. It is by the server's time, and written
-- anew also where that was set back.
--
-- It is exact while there are at most 32 entries; then an amount joins the
-- entry before it, where that is in the same 128th of the window, and takes it
-- along to the later time. So a sum never falls early, and there are at most
-- 160 entries.
local SUM_HEAD, SUM_ENTRY = '>I8I8I8I6I6I6I8I6I6I6I2I8', '>I8I6I6I6'
-- Of a take of a sum: the window, most, and what it adds.
local SUM_TAKE = '>I8I6I6I6I6I6I6'
