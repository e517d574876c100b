/**
 * The one script of the run store: a list of steps, each whole or not at all, and none depends on another. One call
 * carries the steps of many runs of a shard, so that a busy worker makes far fewer calls than commits.
 *
 * The log of a run is a list of its commands; a command takes effect at its place in the list, and what it does is said
 * by core's machine to everybody who reads the list in its order. So the script has no rule of a run in it: it stamps
 * the time, appends, and gives back what the caller has not read yet.
 *
 * KEYS[1]     remind of the shard; [2..7] created, ended, notes, flows, letters, gone, unless all steps append or read;
 *             then those that the steps name
 * ARGV[1]     how long an appended command may go without a look at its run, in ms
 * ARGV[2]     PUBLISH or SPUBLISH
 * ARGV[3]     how many lines an answer may have at most
 * ARGV[4]     the steps, one after the other: a line of words, of which the second says how many texts follow (t) and the third
 *             how many bytes those are together, and then those, each as its bytes, ':' and itself. A key is told by its place, 0
 *             for one that is not needed; where there is a log its name says which run it is. Without those bytes:
 *
 *   create t log blobs due  startAtMs(0: now) dueInMs b   flow, note, (digest, value)*b, line
 *             The note is written with the time in place of its `createdAtMs`.
 *             → length of the log, and 0; or -1: purged; or, where there is a log, its length and its first lines
 *   append t log blobs  known stamp b mayEnd(1: told to those who wait for the end)   (digest, value)*b, line*(t-2b)
 *             → length of the log, and its lines from `known` to its own; or 0: there is no log; or -2: the line
 *               before `known` is not of `stamp`: the server has lost lines that the caller knows, and nothing was written
 *   read t log  known stamp most
 *             → length of the log, and up to `most` lines from `known`; or 0, or -2 as above
 *   index t log due  at stamp  due remind ended letters isOver(1: told to those who wait for the end)   note*t
 *             → 1 if the log ends with line `at`, which is of `stamp`, and 0 if somebody has written: then it is for them
 *               to say. A mark is '.' to leave it, '-' to remove it, '<n' to move it to n if it is later or absent, 'n'
 *               to put it there
 *   enlist t waiting                              run
 *             → 1
 *   delist t log waiting  at stamp
 *             → 1 if the log ends with line `at`
 *   purge t log blobs  at tombstoneMs
 *             → 1 if the log still had the length `at`: nothing of the run is left but a tombstone
 *
 * Answer: the time in ms, then one answer per step: a list that begins with a number, or that number where it is all. -3 and a
 * sentence: a key of the step is of another type than those of the store, so somebody else has put it there. The other steps have
 * nothing to do with it; whatever else goes wrong is the server's, and fails the call.
 *
 * What follows a write in a step can only fail on a key that somebody else has put there. So the line of a log comes last:
 * what was refused has not happened, whatever marks it has left, and what is there has all its marks. Marks that a sweep takes away
 * where there is no log come first, so that of a run that was not made nothing else stays. And when a run is
 * purged, the mark by which that is found goes last of all marks.
 */
export const transact = `
local call = redis.call
local remind, created, ended, notes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local flows, letters, gone = KEYS[5], KEYS[6], KEYS[7]
local lookMs, publish, mostLines = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local time = call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local stamp = string.format('%.0f', now)
local soon
local all = ARGV[4]
local at = 1

-- The next text, as it is.
local function text()
  local colon = string.find(all, ':', at, true)
  local from = colon + 1
  at = from + tonumber(string.sub(all, at, colon - 1))
  return string.sub(all, from, at - 1)
end
-- The next word of the step that is being done.
local word
local function key()
  return KEYS[tonumber(word())]
end
local function number()
  return tonumber(word())
end

-- Logs and indexes of a shard differ in what is behind its tag.
local idAt = #remind - #':remind' + #':run:' + 1
local function runOf(log)
  return string.sub(log, idAt)
end

local function isOf(line, stamped)
  return line and string.sub(line, 1, #stamped + 1) == stamped .. '|'
end

-- Whether the caller knows the beginning of this log: 0 for no log, -2 for another one.
local function missing(log, known, stamped)
  if known == 0 then
    if call('EXISTS', log) == 0 then return {0} end
    return nil
  end
  if isOf(call('LINDEX', log, known - 1), stamped) then return nil end
  if call('EXISTS', log) == 0 then return {0} end
  return {-2}
end

local function keepBlobs(blobs, count)
  for _ = 1, count do
    local digest = text()
    call('HSET', blobs, digest, text())
  end
end

local steps = {}

function steps.append(texts)
  local log, blobs = key(), key()
  local known, stamped, count, mayEnd = number(), word(), number(), word()
  local stop = missing(log, known, stamped)
  if stop then return stop end
  keepBlobs(blobs, count)
  texts = texts - 2 * count
  soon = soon or string.format('%.0f', now + lookMs)
  call('ZADD', remind, 'LT', soon, runOf(log))
  local length
  if texts == 1 then
    length = call('RPUSH', log, stamp .. '|' .. text())
  else
    local lines = {}
    for index = 1, texts do
      lines[index] = stamp .. '|' .. text()
    end
    length = call('RPUSH', log, unpack(lines))
  end
  call(publish, log, length)
  if mayEnd == '1' then call(publish, log .. ':end', length) end
  local last = length - texts - 1
  if known > last then return {length} end
  local missed = call('LRANGE', log, known, math.min(last, known + mostLines - 1))
  table.insert(missed, 1, length)
  return missed
end

function steps.read()
  local log, known, stamped, most = key(), number(), word(), number()
  local stop = missing(log, known, stamped)
  if stop then return stop end
  local length = call('LLEN', log)
  if length <= known then return {length} end
  local lines = call('LRANGE', log, known, known + most - 1)
  table.insert(lines, 1, length)
  return lines
end

-- Most calls have no step but those two, and to make the others takes as long as a command.
local function addOthers()
  local function mark(index, run, value)
    if value == '.' then return end
    if value == '-' then
      call('ZREM', index, run)
    elseif string.sub(value, 1, 1) == '<' then
      call('ZADD', index, 'LT', string.sub(value, 2), run)
    else
      call('ZADD', index, value, run)
    end
  end

  -- Whether the caller knows all of it.
  local function endsWith(log, length, stamped)
    if call('LLEN', log) ~= length then return false end
    return length == 0 or isOf(call('LINDEX', log, -1), stamped)
  end

  function steps.create()
    local log, blobs, due = key(), key(), key()
    local run, startAt, dueIn, count = runOf(log), number(), number(), number()
    local flow, note = text(), text()
    local length = call('LLEN', log)
    if length > 0 then
      local lines = call('LRANGE', log, 0, mostLines - 1)
      table.insert(lines, 1, length)
      return lines
    end
    local tombstone = call('ZSCORE', gone, run)
    if tombstone and tonumber(tombstone) > now then return {-1} end
    local later = startAt > now
    call('ZADD', due, later and startAt or string.format('%.0f', now + dueIn), run)
    call('ZADD', remind, later and startAt or string.format('%.0f', now + lookMs), run)
    keepBlobs(blobs, count)
    call('ZADD', created, stamp, run)
    call('HSET', notes, run, (string.gsub(note, '"createdAtMs":0', '"createdAtMs":' .. stamp, 1)))
    call('SADD', flows, flow)
    call('RPUSH', log, stamp .. '|' .. text())
    return {1, 0}
  end

  function steps.index(texts)
    local log, due, length, stamped = key(), key(), number(), word()
    local run = runOf(log)
    local dueAt, remindAt, endedAt, letterAt, isOver = word(), word(), word(), word(), word()
    if not endsWith(log, length, stamped) then return {0} end
    mark(due, run, dueAt)
    mark(remind, run, remindAt)
    mark(ended, run, endedAt)
    mark(letters, run, letterAt)
    if texts == 1 then call('HSET', notes, run, text()) end
    if isOver == '1' then call(publish, log .. ':end', length) end
    return {1}
  end

  function steps.enlist()
    local waiting, run = key(), text()
    call('SADD', waiting, run)
    return {1}
  end

  function steps.delist()
    local log, waiting = key(), key()
    if not endsWith(log, number(), word()) then return {0} end
    call('SREM', waiting, runOf(log))
    return {1}
  end

  function steps.purge()
    local log, blobs, length, tombstone = key(), key(), number(), number()
    local run = runOf(log)
    if length == 0 or call('LLEN', log) ~= length then return {0} end
    call('ZREMRANGEBYSCORE', gone, '-inf', stamp)
    call('ZADD', gone, string.format('%.0f', now + tombstone), run)
    for _, index in ipairs({created, remind, letters}) do
      call('ZREM', index, run)
    end
    call('HDEL', notes, run)
    call('ZREM', ended, run)
    call('UNLINK', log, blobs)
    return {1}
  end
end

local answers = {stamp}
while at <= #all do
  local stop = string.find(all, '\\n', at, true)
  word = string.gmatch(string.sub(all, at, stop - 1), '%S+')
  local name, texts = word(), number()
  at = stop + 1
  local behind = at + number()
  if not steps[name] then addOthers() end
  local isDone, answer = pcall(steps[name], texts)
  if not isDone then
    -- A table from Redis 7 on.
    local reason = type(answer) == 'table' and answer.err or tostring(answer)
    if not string.find(reason, 'WRONGTYPE', 1, true) then error(answer, 0) end
    answer = {-3, reason}
  end
  answers[#answers + 1] = #answer == 1 and answer[1] or answer
  at = behind
end
return answers
`
