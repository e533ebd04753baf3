import { SAME_WINDOW } from './window.ts'

/**
 * What both scripts begin with. Replicas tell absolute numbers, so that a reply that never arrived
 * costs nothing: their next words put it right. One that is silent for `lease` has died with what
 * it held.
 */
const COMMON = `
local key, id, channel, message = KEYS[1], 'r:' .. ARGV[1], ARGV[2], ARGV[3]
local now, lease, seen_for = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local fields, flat = {}, redis.call('HGETALL', key)
for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
local function number(field) return tonumber(fields[field] or 0) end
local function lend(free, need, spare, claimants)
  local granted = math.min(need, free)
  return math.max(0, granted + math.min(spare, math.floor((free - granted) / (4 * claimants))))
end
-- Calls each(held, need) for every other replica that lives; answers how many there are.
local function others(each)
  local count = 0
  for field, value in pairs(fields) do
    if string.sub(field, 1, 2) == 'r:' and field ~= id then
      local held, need, at = string.match(value, '^(%d+) (%d+) (%d+)$')
      local silent = now - tonumber(at)
      if silent > seen_for then redis.call('HDEL', key, field)
      else
        count = count + 1
        if silent <= lease then each(tonumber(held), tonumber(need)) end
      end
    end
  end
  return count
end
local function remember(held, need)
  redis.call('HSET', key, id, string.format('%d %d %d', held, need, now))
  redis.call('PEXPIRE', key, 7200000)
end
local before = tonumber(string.match(fields[id] or '0', '^%d+'))
-- Once in a while is enough: who has nothing to give does not answer.
local function want()
  if now - number('asked') < 100 and now >= number('asked') then return end
  redis.call('HSET', key, 'asked', now)
  redis.call('PUBLISH', channel, message)
end
`

/**
 * Lends units of one budget: what GitHub said is left, less what all replicas hold.
 * ARGV from 7: held, need, spare, limit, remaining, reset (0: unknown), units to learn.
 */
export const LEND_UNITS = `${COMMON}
local held, need, spare = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local limit, remaining, reset = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local known = number('reset')
local learnt = known <= now and reset > now
if known > now then
  if reset <= now or reset < known - ${SAME_WINDOW} then
    limit, remaining, reset = number('limit'), number('remaining'), known
  elseif reset <= known + ${SAME_WINDOW} then
    remaining, reset = math.min(remaining, number('remaining')), known
  end
elseif reset <= now then
  reset = 0
end
local away, wanted = 0, false
local replicas = 1 + others(function(theirs, needed)
  away = away + theirs
  wanted = wanted or needed > 0
end)
local granted = 0
if number('closed') <= now then
  local left = reset > 0 and remaining or tonumber(ARGV[13])
  granted = lend(left - away - held, need, spare, replicas)
end
local short = math.max(0, need - granted)
remember(held + granted, short)
if reset > 0 then redis.call('HSET', key, 'limit', limit, 'remaining', remaining, 'reset', reset) end
if wanted and (held + granted < before or learnt) then redis.call('PUBLISH', channel, message)
elseif short > 0 and away > 0 then want() end
return {granted, limit, remaining, reset, number('closed'), replicas, wanted and 1 or 0}`

/**
 * Lends places in flight and points. Where they do not suffice, no replica keeps more places than
 * its even part, and none ahead of need.
 * ARGV from 7: inFlight, waiting, spare, points needed, points spare, points returned, their slot,
 * most places, most points, slot now, slots, milliseconds of a slot.
 */
export const LEND_LOAD = `${COMMON}
local in_flight, waiting, spare = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local need, most, most_points = in_flight + waiting, tonumber(ARGV[14]), tonumber(ARGV[15])
local away, claimants, short = 0, 1, false
local replicas = 1 + others(function(theirs, needed)
  away = away + theirs
  if theirs > 0 or needed > 0 then claimants = claimants + 1 end
  short = short or needed > theirs
end)
local free = most - away
local wish = need + math.min(spare, math.max(0, math.floor((free - need) / (2 * claimants))))
if short then wish = math.min(need, math.max(1, math.floor(most / claimants))) end
local places = math.max(0, math.min(wish, free))
local held = math.max(places, in_flight)
remember(held, need)

local slot, slots, slot_ms = tonumber(ARGV[16]), tonumber(ARGV[17]), tonumber(ARGV[18])
local returned, returned_slot = tonumber(ARGV[12]), tonumber(ARGV[13])
local used, oldest = 0, slot
for field, value in pairs(fields) do
  local at = tonumber(string.match(field, '^s:(%d+)$'))
  if at then
    local count = tonumber(value)
    if at == returned_slot and returned > 0 then
      count = math.max(0, count - returned)
      redis.call('HSET', key, field, count)
      fields[field] = count
    end
    if at <= slot - slots or count == 0 then redis.call('HDEL', key, field)
    else
      used = used + count
      oldest = math.min(oldest, at)
    end
  end
end
local points_need, points_spare = tonumber(ARGV[10]), tonumber(ARGV[11])
local points = 0
if number('closed') <= now then
  points = lend(most_points - used, points_need, points_spare, claimants)
end
if points > 0 then redis.call('HSET', key, 's:' .. slot, number('s:' .. slot) + points) end
local more_at = (oldest + slots) * slot_ms

if short and held < before then redis.call('PUBLISH', channel, message)
elseif need > places and away > 0 then want() end
return {places, points, most_points - used - points, more_at, number('closed'), replicas, short and 1 or 0}`

/** Closes a resource, or everything, until ARGV[1], and says so to all: message ARGV[3] on channel ARGV[2]. */
export const CLOSE = `
if tonumber(redis.call('HGET', KEYS[1], 'closed') or 0) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'closed', ARGV[1])
redis.call('PEXPIRE', KEYS[1], 7200000)
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1`
