-- Amounts are whole numbers of at most 39 digits: three limbs of 13 digits
-- each, the highest first. Each limb and the sum of two fit a Lua number
-- exactly.
local LIMB = 1e13

local function amount(text)
  return {tonumber(text:sub(1, 13)), tonumber(text:sub(14, 26)), tonumber(text:sub(27, 39))}
end

local function digits(a) return string.format('%013.0f%013.0f%013.0f', a[1], a[2], a[3]) end

local function compare(a, b)
  for i = 1, 3 do
    if a[i] ~= b[i] then return a[i] < b[i] and -1 or 1 end
  end
  return 0
end

local ZERO = {0, 0, 0}
-- No sum is more than 2^128-1.
local MOST = amount('340282366920938463463374607431768211455')

local function plus(a, b)
  local c = {a[1] + b[1], a[2] + b[2], a[3] + b[3]}
  if c[3] >= LIMB then c[3], c[2] = c[3] - LIMB, c[2] + 1 end
  if c[2] >= LIMB then c[2], c[1] = c[2] - LIMB, c[1] + 1 end
  if compare(c, MOST) > 0 then return MOST end
  return c
end

-- minus returns a-b, or zero where b is more.
local function minus(a, b)
  if compare(a, b) <= 0 then return ZERO end
  local c = {a[1] - b[1], a[2] - b[2], a[3] - b[3]}
  if c[3] < 0 then c[3], c[2] = c[3] + LIMB, c[2] - 1 end
  if c[2] < 0 then c[2], c[1] = c[2] + LIMB, c[1] - 1 end
  return c
end
