import { createHash } from 'node:crypto';

/** A Lua script with the hash under which Redis keeps it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

// Keys 1 to 3 and arguments 1 and 2 are the same for every script. Revisions are a hybrid logical clock
// in microseconds, so that they rise after a loss of data as well; doubles hold them exactly until the
// year 2255 (2^53 µs). The feed's first entry, `e`, marks the start of an epoch.
const PRELUDE = `
local last_key, epoch_key, feed_key = KEYS[1], KEYS[2], KEYS[3]
local new_epoch, feed_length = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now = math.floor(now_us / 1000)
local format, sub = string.format, string.sub
local kept = redis.call('MGET', last_key, epoch_key)
local last, epoch = tonumber(kept[1] or 0), kept[2]
local before = last
local function append(type, member)
  if last < now_us then last = now_us else last = last + 1 end
  local digits = format('%016.0f', last)
  redis.call('XADD', feed_key, digits .. '-0', type, member)
  return last, digits
end
local function close()
  if last == before then return end
  redis.call('SET', last_key, format('%.0f', last))
  redis.call('XTRIM', feed_key, 'MAXLEN', '~', feed_length)
end
if not epoch then
  append('e', new_epoch)
  redis.call('SET', epoch_key, new_epoch)
  epoch = new_epoch
end
`;

// Keys 4 and 5 are the indexes, the rest values; argument 3 is the length of what precedes the item's
// key in the name of its value.
const ITEMS = `
local index_key, expiry_key = KEYS[4], KEYS[5]
local member_at = ARGV[3] + 1
local first, results = 5, {}
local never = '000000000000000'
local function live_revision(key)
  local head = redis.call('GETRANGE', key, 0, 16)
  if sub(head, 1, 1) == 'L' then return sub(head, 2) end
end
-- Whether it is as expected; if not, what is live there.
local function as_expected(key, expected)
  local length = sub(expected, 1, 1) == '$' and #expected - 1
  if length then
    -- With as much as comes before a value, so that none of that counts as its end.
    local tail = redis.call('GETRANGE', key, -length - 32, -1)
    if tail == '' or (#tail == length + 32 and sub(tail, 1 - #expected) == sub(expected, 2)) then return true end
  end
  local actual = live_revision(key)
  if length then return not actual or length == 0, actual end
  return (actual or '-') == expected, actual
end
local function refused(actual) return actual and -tonumber(actual) or 0 end
local function bury(type, letter, key, member, retention)
  local revision, digits = append(type, member)
  redis.call('SET', key, letter .. digits .. never, 'PX', retention)
  return revision
end
local function unindex(members)
  if #members == 0 then return end
  redis.call('ZREM', index_key, unpack(members))
  redis.call('ZREM', expiry_key, unpack(members))
end
`;

// Argument 4 is the guard, if any; its key is the last one then. When it does not hold, nothing is written,
// and the answer is nil.
const GUARDED = `
local items = #KEYS - first
if ARGV[4] ~= '' then
  local key, wanted, ok = KEYS[#KEYS], ARGV[4], nil
  items = items - 1
  if wanted == '-' then
    ok = not live_revision(key)
  else
    local text = redis.call('GETRANGE', key, 0, 30 + #wanted)
    ok = sub(text, 1, 1) == 'L' and sub(text, 33) == sub(wanted, 2)
  end
  if not ok then
    close()
    return false
  end
end
`;

/**
 * Puts items. Arguments from 5 on, three for each: value, TTL in ms or empty, and what is expected: see
 * `expectation`. Returns for each item its revision, or when it was not written the live revision negated,
 * or 0.
 */
export const PUT = script(`${PRELUDE}${ITEMS}${GUARDED}
local index, expiry = {}, {}
for i = 1, items do
  local key, at = KEYS[first + i], i * 3 + 2
  local ttl, expected = ARGV[at + 1], ARGV[at + 2]
  local actual, ok = nil, true
  if expected ~= '' then
    ok, actual = as_expected(key, expected)
  end
  if ok then
    local member = sub(key, member_at)
    local revision, digits = append('p', member)
    local n = #index
    index[n + 1], index[n + 2], expiry[n + 2] = '0', member, member
    if ttl == '' then
      redis.call('SET', key, 'L' .. digits .. never .. ARGV[at])
      expiry[n + 1] = '+inf'
    else
      local due = format('%.0f', now + ttl)
      redis.call('SET', key, 'L' .. digits .. sub(never .. due, -15) .. ARGV[at], 'PXAT', due)
      expiry[n + 1] = due
    end
    results[i] = revision
  else
    results[i] = refused(actual)
  end
end
if #index > 0 then
  redis.call('ZADD', index_key, unpack(index))
  redis.call('ZADD', expiry_key, unpack(expiry))
end
close()
return results
`);

/**
 * Deletes items. Argument 5 is how long a tombstone is kept, in ms; from 6 on, what is expected of each item.
 * Returns as PUT does.
 */
export const DELETE = script(`${PRELUDE}${ITEMS}${GUARDED}
local members = {}
for i = 1, items do
  local key, expected = KEYS[first + i], ARGV[5 + i]
  local actual = live_revision(key)
  if actual and (expected == '' or as_expected(key, expected)) then
    local member = sub(key, member_at)
    members[#members + 1] = member
    results[i] = bury('d', 'D', key, member, ARGV[5])
  else
    results[i] = refused(actual)
  end
end
unindex(members)
close()
return results
`);

/**
 * Turns those of the items whose time has come into tombstones; another process may have been faster,
 * or the item renewed. Argument 4 is how long a tombstone is kept, in ms.
 */
export const EXPIRE = script(`${PRELUDE}${ITEMS}
local members = {}
for i = 1, #KEYS - first do
  local key = KEYS[first + i]
  local member = sub(key, member_at)
  local due = redis.call('ZSCORE', expiry_key, member)
  if due and tonumber(due) <= now then
    members[#members + 1] = member
    bury('x', 'X', key, member, ARGV[4])
  end
end
unindex(members)
close()
return #members
`);

/** Members of the expiry index (key 4) whose time has come, at most as many as argument 3 says. */
export const DUE = script(`${PRELUDE}
close()
return redis.call('ZRANGE', KEYS[4], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[3])
`);

/**
 * Where the feed ends, and whether it still holds a reader's position: argument 3 is its revision (or
 * empty), 4 its epoch. Returns epoch, last revision, and 1 or 0.
 */
export const POSITION = script(`${PRELUDE}
close()
local held = 0
if ARGV[4] == epoch and ARGV[3] ~= '' then
  local id = ARGV[3] .. '-0'
  held = #redis.call('XRANGE', feed_key, id, id)
end
return {epoch, last, held}
`);

function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}
