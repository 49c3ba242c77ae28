-- One question of Veto to its shared store, answered atomically: several
-- limits, taken together or not at all, and the history of a session.
--
-- Nothing is taken before it is certain that all of it will be: first every
-- counter is read and looked at, then all of them are written.
--
-- KEYS   the register of the agent's counters; the session, where there is
--        one; then the counter of each take with a window, in their order.
-- ARGV   the operation, and letters for what holds (90_main.lua); the most
--        counters of the agent; where there is a session: known events,
--        opening, idle milliseconds, event;
--        of each take: kind; in a session its field; in one string the window
--        (0 in a session), most, and what it adds, where its kind adds
--        something; to give back or correct also the mark; to correct also
--        the true amount.
--
-- Times are microseconds, and of the server. All numbers are whole and below
-- 2^53, so that a Lua number holds them exactly; amounts are three of them.
--
-- The answer is one string: the time; what holds (1 the session is open, 2 it
-- records, 4 events are missing, 8 it was taken); of an open session the
-- length of the history and the opening; of each take whether it fits, and if
-- not, until when, what is used, until when, and its mark; of each missing
-- event its number, the length of its data, its time and data. Texts whose
-- length may vary have it before them.

-- What this takes is above all
--   calls of Redis, half a microsecond each, more where an argument is a number;
--   the bytes of strings that are made, each a nanosecond and more, since all of
--   a string is hashed: so what grows long is not read as a whole;
--   functions, and locals that functions use, a tenth of a microsecond each,
--   since they are made anew for each question.
-- So what is asked most comes first, is no function, and returns; the rest is in
-- functions of which each makes others when they are used.

local call, pack, unpack_at = redis.call, struct.pack, struct.unpack
local floor = math.floor

local clock = call('TIME')
local time = clock[1] * 1000000 + clock[2]

-- Limits of at most this number are counted exactly; above it, what falls into
-- the same one of so many parts of the window is counted as one.
local EXACT, PARTS = 32, 128

-- A counter is kept for so many milliseconds longer than it counts: the clocks
-- of servers differ a little.
local SLACK = 10000
