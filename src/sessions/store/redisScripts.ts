/**
 * A session is one hash, so that it is read and taken away as a whole, in a Cluster too. It has no TTL
 * of Redis' own, as what has one may be evicted: `EXPIRE` below removes it when its time has come.
 *
 * | field | value |
 * | --- | --- |
 * | `owner`, `created`, `expires` | whose it is; epoch milliseconds |
 * | `turns`, `items`, `bytes`, `seq`, `last` | counts, the last version given out, the last turn's id |
 * | `i:<key>`, `p:<key>`, `b:<key>` | an item's JSON, its `place:version`, what it was before |
 * | `s:<name>`, `n:<number>` | a source, a turn |
 */

/** Every script: KEYS[1] the session, ARGV[1] its owner, ARGV[2] now, ARGV[3] when it will expire. */
const OPEN = `
local key = KEYS[1]
local head = redis.call('HMGET', key, 'owner', 'expires', 'turns', 'items', 'bytes', 'seq', 'last')
if head[1] ~= ARGV[1] or tonumber(head[2]) <= tonumber(ARGV[2]) then return 'missing' end
local turns, items, bytes, seq = tonumber(head[3]), tonumber(head[4]), tonumber(head[5]), tonumber(head[6])
local at = 3
local function arg() at = at + 1; return ARGV[at] end
local function count() return tonumber(arg()) end
local function versionOf(item)
  local place = redis.call('HGET', key, 'p:' .. item)
  return place and string.match(place, ':(%d+)$') or ''
end
local function length(field) return redis.call('HSTRLEN', key, field) end
local function keep(item, json)
  local place = redis.call('HGET', key, 'p:' .. item)
  seq = seq + 1
  place = place and string.match(place, '^%d+') or tostring(seq)
  redis.call('HSET', key, 'i:' .. item, json, 'p:' .. item, place .. ':' .. seq)
end
local function close()
  redis.call('HSET', key, 'expires', ARGV[3], 'turns', turns, 'items', items, 'bytes', bytes, 'seq', seq)
  return 'done'
end`

/** ARGV: created. */
export const CREATE = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 'done' end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'created', ARGV[2], 'expires', ARGV[3],
  'turns', 0, 'items', 0, 'bytes', 0, 'seq', 0, 'last', '')
return 'done'`

/** Answers the whole hash. A full Redis takes no new expiry, and still is read. */
export const READ = `${OPEN}
redis.pcall('HSET', key, 'expires', ARGV[3])
return redis.call('HGETALL', key)`

/** ARGV: items and bytes at most; a count, then key, JSON and `1` for told; a count, then name and JSON. */
export const APPEND = `${OPEN}
local mostItems, mostBytes = count(), count()
local puts, sources = {}, {}
for i = 1, count() do
  local item, json, told = arg(), arg(), arg() == '1'
  local old = length('i:' .. item)
  if not (old == #json and redis.call('HGET', key, 'i:' .. item) == json) then
    local remember = told and turns > 0 and redis.call('HEXISTS', key, 'b:' .. item) == 0
    puts[#puts + 1] = { item, json, remember }
    bytes = bytes + #json - old + (remember and old or 0)
    if old == 0 then items = items + 1 end
  end
end
for i = 1, count() do
  local name, json = arg(), arg()
  bytes = bytes + #json - length('s:' .. name)
  sources[#sources + 1] = { name, json }
end
if items > mostItems then return 'too_many_items' end
if bytes > mostBytes then return 'too_large' end
for _, put in ipairs(puts) do
  if put[3] then
    redis.call('HSET', key, 'b:' .. put[1], redis.call('HGET', key, 'i:' .. put[1]) or '')
  end
  keep(put[1], put[2])
end
for _, source in ipairs(sources) do redis.call('HSET', key, 's:' .. source[1], source[2]) end
return close()`

/**
 * ARGV: items, bytes and turns at most; turn id, turn, turns before; a count, then key, version and
 * JSON of items; likewise key and version of what is removed, of what was told; name and JSON of
 * sources, '' to remove one.
 */
export const COMMIT = `${OPEN}
local mostItems, mostBytes, mostTurns = count(), count(), count()
local id, turn, after = arg(), arg(), count()
if head[7] == id then return 'done' end
if turns ~= after then return 'conflict' end
if turns >= mostTurns then return 'too_many_turns' end
local puts, removed, told, sources = {}, {}, {}, {}
bytes = bytes + #turn
for i = 1, count() do
  local item, version, json = arg(), arg(), arg()
  if versionOf(item) == version then
    puts[#puts + 1] = { item, json }
    bytes = bytes + #json - length('i:' .. item)
    if version == '' then items = items + 1 end
  end
end
for i = 1, count() do
  local item, version = arg(), arg()
  if versionOf(item) == version then
    removed[#removed + 1] = item
    bytes = bytes - length('i:' .. item) - length('b:' .. item)
    items = items - 1
  end
end
for i = 1, count() do
  local item, version = arg(), arg()
  if versionOf(item) == version then
    told[#told + 1] = item
    bytes = bytes - length('b:' .. item)
  end
end
for i = 1, count() do
  local name, json = arg(), arg()
  bytes = bytes + #json - length('s:' .. name)
  sources[#sources + 1] = { name, json }
end
if items > mostItems then return 'too_many_items' end
if bytes > mostBytes then return 'too_large' end
turns = turns + 1
redis.call('HSET', key, 'n:' .. turns, turn, 'last', id)
for _, item in ipairs(told) do redis.call('HDEL', key, 'b:' .. item) end
for _, put in ipairs(puts) do keep(put[1], put[2]) end
for _, item in ipairs(removed) do redis.call('HDEL', key, 'i:' .. item, 'p:' .. item, 'b:' .. item) end
for _, source in ipairs(sources) do
  if source[2] == '' then redis.call('HDEL', key, 's:' .. source[1])
  else redis.call('HSET', key, 's:' .. source[1], source[2]) end
end
return close()`

export const REMOVE = `${OPEN}
redis.call('DEL', key)
return 'done'`

/** KEYS[1]: a session, ARGV[1]: now. Removes it if its time has come; else answers when that will be. */
export const EXPIRE = `
local expires = tonumber(redis.call('HGET', KEYS[1], 'expires'))
if expires and expires > tonumber(ARGV[1]) then return tostring(expires) end
redis.call('DEL', KEYS[1])
return ''`
