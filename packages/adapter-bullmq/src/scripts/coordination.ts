/**
 * What `RedisCoordinationStore` asks that is no command of Redis. Each script has one key, and is true as a whole or
 * changes nothing. Times to live are in milliseconds, '' for none.
 */
import { Script } from './script.ts'

/** KEYS[1] the key; ARGV[1] the value expected, [2] the new one, [3] its time to live. Answers 1 when it was replaced. */
export const compareAndSet = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
`)

/** KEYS[1] the key; ARGV[1] the value expected. Answers 1 when it was removed. */
export const compareAndDelete = new Script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`)

/**
 * KEYS[1] the key; ARGV[1] what to add, a whole number of at most 2^53 - 1; [2] the time to live of a key that is made.
 * Answers the sum as text, or nothing when the value is no number that core's \`checkedSum\` would add to: then it stays.
 *
 * A number of Lua is a double, as in JavaScript. Two safe ones never add up to a safe one that is wrong, and an unsafe
 * sum is refused; but Lua writes large ones with an exponent and cuts what it answers as a number, hence the format.
 */
export const increment = new Script(`
local value = redis.call('GET', KEYS[1])
if not value then
  if ARGV[2] == '' then
    redis.call('SET', KEYS[1], ARGV[1])
  else
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  end
  return ARGV[1]
end
local usual = value == '0' or string.match(value, '^%-?[1-9]%d*$')
if not usual or #value > 17 then return false end
local most = 9007199254740991
local have = tonumber(value)
local sum = have + tonumber(ARGV[1])
if have > most or have < -most or sum > most or sum < -most then return false end
local text = string.format('%.0f', sum)
redis.call('SET', KEYS[1], text, 'KEEPTTL')
return text
`)
