-- All other questions. What follows is one function, up to the end: then the
-- many functions in it find what is above among what this one has caught, and
-- do not look for it, one after the other, among all locals that are caught.
local function others()

-- minus returns the first amount less the second, or zero where that is more.
local function minus(a, b, c, x, y, z)
  a, b, c = a - x, b - y, c - z
  if c < 0 then b, c = b - 1, c + 1e13 end
  if b < 0 then a, b = a - 1, b + 1e13 end
  if a < 0 then return 0, 0, 0 end
  return a, b, c
end

local function is_zero(a, b, c) return a == 0 and b == 0 and c == 0 end
