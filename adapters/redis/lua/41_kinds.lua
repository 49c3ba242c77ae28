-- From here on are questions of every sort. After the operation come letters:
-- s there is a session, n nothing is taken unless it is open, h nothing is
-- taken unless it is this opening of it and its whole history is known, r it is
-- to record its calls, e there is an event.
local op, flags = ARGV[1]:match('^(%l+) ?(%l*)$')
local function has(flag) return flags:find(flag, 1, true) end
local returns = op == 'back' or op == 'correct'

-- Marks say when a take was counted.
local function mark(at) return pack('>I8', at) end
local function marked(t) return unpack_at('>I8', t.mark) end

-- Each kind of counter is a table of functions, which is made when the first
-- take of it comes:
--   new      makes a take, of a key or of the field of a session
--   read     gets what is counted, and the time that it is for the counter;
--            says in t.register whether it must be entered in the register,
--            and in t.fresh whether it would be new there
--   look     returns whether the take fits, and if not, how long it does not;
--            0 where waiting does not help
--   usage    returns what is used (a number, or the bytes of an amount), and
--            for how long some of it is
--   add      counts the take, which fits, and sets its mark
--   remove   takes it back, as far as it still counts
--   correct  makes t.actual what it counts, instead of what it added
local made, make = {s = sums}, {}
sums.new = new_sum

local function kind_of(letter)
  local kind = made[letter]
  if not kind then
    kind = make[letter]()
    made[letter] = kind
  end
  return kind
end
