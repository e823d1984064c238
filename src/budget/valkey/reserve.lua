-- One bucket of a budget: takes in what a client reports, and grants calls. The rules are those of window.rs.
-- KEYS[1] the bucket, KEYS[2] the clients that asked, KEYS[3] those that want more,
-- KEYS[4] those that wait, and for when. Times are milliseconds of this store's clock.
local HOLDER, GRANT, NEWS, SCOUT, UNNAMED, UNLIMITED = 60000, 1000, 25, 5000, 10000, 60000
local TURNS, QUEUE, LONGEST = 100, 30000, 90000000
local UNLIMITED_CALLS = 10000
-- The version of what this script keeps.
local FORMAT = 1

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local holder, wanted = ARGV[1], tonumber(ARGV[2])
local report = {
  epoch = tonumber(ARGV[3]), answered = tonumber(ARGV[4]), counted_later = tonumber(ARGV[5]), unused = tonumber(ARGV[6]),
  refused = tonumber(ARGV[7]), unlimited = ARGV[8] == '1',
  -- Empty where no answer said anything.
  limit = tonumber(ARGV[9]), remaining = tonumber(ARGV[10]), reset = tonumber(ARGV[11]), resets_in = tonumber(ARGV[12]),
}

redis.call('ZADD', KEYS[2], now, holder)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - HOLDER)
local holders = redis.call('ZCARD', KEYS[2])

local window = { epoch = 0, granted = 0, settled = 0, carried = 0, scout_until = 0, unnamed_until = 0, unlimited_until = 0,
  foreign_epoch = 0 }
local stored = redis.call('HGETALL', KEYS[1])
for at = 1, #stored, 2 do
  window[stored[at]] = tonumber(stored[at + 1])
end

if #stored > 0 and window.format ~= FORMAT then
  return redis.error_reply('FORMAT ' .. tostring(window.format))
end
window.format = FORMAT

-- Begins the next window.
local function turn()
  local on_their_way = window.granted - window.settled
  window.epoch = window.epoch + 1
  window.left = window.limit and math.max(window.limit - on_their_way, 0)
  window.carried = window.limit and math.min(on_their_way, window.limit) or 0
  window.granted, window.settled = 0, 0
  window.over, window.reset, window.ends, window.told = window.reset or window.over, nil, nil, nil
  window.unnamed_until = now + UNNAMED
end

local function name(reset)
  window.reset = reset
  if window.over then window.length = math.min(window.length or math.huge, (reset - window.over) * 1000) end
end

local function learn()
  if report.limit and report.limit > 0 then window.limit = report.limit end
  if report.resets_in == 0 or report.resets_in > LONGEST or window.over and report.reset <= window.over then return end
  window.unlimited_until = 0
  if window.left and window.reset and report.reset < window.reset then return end
  if window.left and (not window.reset or window.reset == report.reset) then
    if report.remaining < window.left then window.foreign_epoch = window.epoch + 1 end
    window.told = math.min(window.told or report.remaining, report.remaining)
    window.left = math.min(window.left, report.remaining)
    window.ends = math.max(window.ends or 0, now + report.resets_in)
  else
    local on_their_way = window.granted - window.settled
    if window.left then turn() end
    window.left = math.max(report.remaining - on_their_way, 0)
    window.told = report.remaining
    window.ends = now + report.resets_in
  end
  name(report.reset)
end

local function settle()
  local known = report.answered + report.unused
  if report.epoch == window.epoch then
    window.settled = math.min(window.settled + known + report.counted_later, window.granted)
    if window.left then window.left = window.left + report.unused end
  elseif report.epoch + 1 == window.epoch then
    local back = math.min(known, window.carried)
    window.carried = window.carried - back
    if window.left then window.left = window.left + back end
  end
  if report.reset then learn() end
  if report.epoch == window.epoch and report.refused >= 1 and report.refused <= LONGEST then
    window.epoch = window.epoch + 1
    window.granted, window.settled, window.carried = 0, 0, 0
    window.left, window.told = 0, nil
    window.ends = math.max(window.ends or 0, now + report.refused)
    window.unlimited_until = 0
  end
  if not window.left then
    if report.unlimited and not report.reset then window.unlimited_until = now + UNLIMITED end
    if known + report.counted_later > 0 then window.scout_until = 0 end
  end
end

local function granted(calls, valid_for)
  return { 1, calls, window.epoch, window.reset or -1, valid_for, window.limit or -1, holders }
end

-- Calls that can be granted.
local function free()
  if not window.told or window.epoch > window.foreign_epoch then return window.left end
  return math.min(window.left, math.max(window.told - (window.granted - window.settled), 0))
end

-- When there is a call for this client: at the end of this window, or later where more wait for one than a window has. Who asks again
-- keeps its turn.
local function turn_of()
  local mine = tonumber(redis.call('ZSCORE', KEYS[4], holder) or nil)
  if mine and mine >= window.ends then return mine end
  if not window.limit or not window.length then return window.ends end
  local before = redis.call('ZCOUNT', KEYS[4], window.ends, '+inf')
  local length = window.length
  return window.ends + math.min(math.floor(before / window.limit) * length, math.floor(QUEUE / length) * length)
end

-- The most of what is left: as much as each other who wants more, and half of it while there are others at all. Nothing where all of it is
-- for those whose turn it is.
local function share()
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - GRANT)
  local mine = tonumber(redis.call('ZSCORE', KEYS[4], holder) or nil)
  local turns = redis.call('ZCOUNT', KEYS[4], '-inf', now)
  local has_turn = mine and mine <= now
  if has_turn then turns = turns - 1 end
  if not has_turn and free() <= turns then return nil end
  redis.call('ZREM', KEYS[4], holder)
  redis.call('ZREM', KEYS[3], holder)
  local others = math.max(redis.call('ZCARD', KEYS[3]) + turns, holders > 1 and 1 or 0)
  return math.max(math.floor(free() / (1 + others)), 1)
end

local function grant()
  if window.unlimited_until > now then return granted(math.max(wanted, UNLIMITED_CALLS), GRANT) end
  if not window.left then
    if window.scout_until > now then return { 0, NEWS } end
    window.scout_until = now + SCOUT
    window.granted = window.granted + 1
    return granted(1, SCOUT)
  end
  if window.left == 0 then
    if not window.ends then return { 0, NEWS } end
    local turn = turn_of()
    redis.call('ZADD', KEYS[4], turn, holder)
    return { 0, turn - now }
  end
  if free() == 0 then return { 0, math.min(GRANT, NEWS * holders) } end
  local left_for = (window.ends or window.unnamed_until) - now
  local part = share()
  if not part then return { 0, math.min(TURNS, left_for) } end
  local calls = math.min(wanted, part)
  if calls < wanted then redis.call('ZADD', KEYS[3], now + GRANT, holder) end
  window.left = window.left - calls
  window.granted = window.granted + calls
  -- A part of the window, so that what is not used is back before its end.
  local longest = window.length and math.min(GRANT, math.floor(window.length / 4)) or GRANT
  return granted(calls, math.min(longest, left_for))
end

if window.ends and window.ends <= now then
  turn()
elseif window.left and not window.ends and window.unnamed_until <= now then
  window.epoch = window.epoch + 1
  window.over, window.reset, window.left, window.told = window.reset or window.over, nil, nil, nil
  window.granted, window.settled, window.carried, window.scout_until = 0, 0, 0, 0
end
settle()
local answer = wanted == 0 and { 2 } or grant()

local fields = {}
for name, value in pairs(window) do
  fields[#fields + 1] = name
  fields[#fields + 1] = string.format('%.0f', value)
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(fields))
local kept = math.max(window.ends or 0, window.unlimited_until, window.unnamed_until, now) - now + 3600000
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', kept))
redis.call('PEXPIRE', KEYS[2], HOLDER)
redis.call('PEXPIRE', KEYS[3], GRANT)
redis.call('PEXPIRE', KEYS[4], string.format('%.0f', kept))
return answer
