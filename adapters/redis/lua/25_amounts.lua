-- Amounts are whole numbers of at most 39 digits: three limbs of 13 digits
-- each, the highest first. Each limb and the sum of two fit a Lua number
-- exactly. Functions take and return limbs, so that no tables are made.
local AMOUNT = '>I6I6I6'

-- is_more reports whether the first amount is more than the second.
local function is_more(a, b, c, x, y, z)
  if a ~= x then return a > x end
  if b ~= y then return b > y end
  return c > z
end

-- No sum is more than 2^128-1, of which this is the highest limb.
local MOST_HIGH = 3402823669209

local function plus(a, b, c, x, y, z)
  a, b, c = a + x, b + y, c + z
  if c >= 1e13 then b, c = b + 1, c - 1e13 end
  if b >= 1e13 then a, b = a + 1, b - 1e13 end
  if a > 3402823669209 or a == 3402823669209 and (b > 3846346337460 or b == 3846346337460 and c > 7431768211455) then
    return 3402823669209, 3846346337460, 7431768211455
  end
  return a, b, c
end
