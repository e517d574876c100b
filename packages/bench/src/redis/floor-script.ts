/**
 * KEYS[1] ready (list), [2] leases (zset); ARGV[1] lease until, [2] most to claim, [3] 1 when a node is done, then of it: run,
 * node, output, changed key, its value, n of successors, (successor, how many it waits for)*n.
 * Answers how many jobs are left for others, and 'run node input' for each that was claimed; nothing where the lease was lost.
 */
export const transition = `
local at = 3
local function arg() at = at + 1; return ARGV[at] end
if ARGV[3] == '1' then
  local run, node, output, key, value = arg(), arg(), arg(), arg(), arg()
  if redis.call('ZREM', KEYS[2], run .. ' ' .. node) == 0 then return {} end
  local state = 'floor:' .. run
  redis.call('HSET', state, node, output)
  if key ~= '' then redis.call('HSET', state, 'c:' .. key, value) end
  local successors = tonumber(arg())
  for _ = 1, successors do
    local successor, of = arg(), tonumber(arg())
    if of == 1 then
      redis.call('LPUSH', KEYS[1], run .. ' ' .. successor .. ' ' .. output)
    else
      local sum = redis.call('HINCRBY', state, 's:' .. successor, output)
      if redis.call('HINCRBY', state, 'j:' .. successor, 1) == of then
        redis.call('LPUSH', KEYS[1], run .. ' ' .. successor .. ' ' .. sum)
      end
    end
  end
end
local answer = {0}
for _ = 1, tonumber(ARGV[2]) do
  local job = redis.call('RPOP', KEYS[1])
  if not job then break end
  redis.call('ZADD', KEYS[2], ARGV[1], string.match(job, '^%S+ %S+'))
  answer[#answer + 1] = job
end
answer[1] = redis.call('LLEN', KEYS[1])
return answer
`

/** KEYS[1] ready; ARGV[1] the job of a run's first node. */
export const start = `
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('PUBLISH', 'floor:ready', '1')
`
