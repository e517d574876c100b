/** Baton on Redis: against the queue that it runs on, against flowcraft on that queue, and against a floor. */
import { openRedis } from '../redis/server.ts'
import { W5, W6, W6_WIDE, W7, W8 } from '../redis/shape.ts'
import type { Budget, Case, Comparison, Limit, Suite } from '../suite.ts'

const BATON = 'baton on redis'
const BULLMQ = 'bullmq alone'
const FLOWCRAFT = 'flowcraft on bullmq'
const FLOOR = 'floor-redis'
const BY_QUEUE = 'baton, all by queue'
const all = [BATON, BULLMQ, FLOWCRAFT, FLOOR, BY_QUEUE]
/** A turn takes a second or two, and the machine's good and bad times last for several. */
const turns = 4

const cases: readonly Case[] = [
  { workload: W5, contenders: all, turns },
  { workload: W6, contenders: all, turns },
  { workload: W6_WIDE, contenders: [BATON], turns },
  // BullMQ has nothing that the jobs of a run share.
  { workload: W7, contenders: [BATON, FLOWCRAFT, FLOOR], turns: 1 },
  { workload: W8, contenders: all, turns },
]

const comparisons: readonly Comparison[] = [
  versus(W5, BULLMQ, 'nodes/s', { atLeast: 2 }),
  versus(W5, FLOWCRAFT, 'nodes/s', { atLeast: 5 }),
  versus(W5, FLOOR, 'nodes/s', { atLeast: 0.5 }),
  versus(W6, FLOWCRAFT, 'nodes/s', { atLeast: 5 }),
  versus(W6, BULLMQ, 'nodes/s', { atLeast: 2 }),
  versus(W6, FLOOR, 'nodes/s'),
  wider('commands/node'),
  wider('B in/node'),
  wider('B out/node'),
  versus(W7, FLOWCRAFT, 'ms/node'),
  versus(W7, FLOOR, 'ms/node'),
  versus(W8, FLOWCRAFT, 'ms p50', { atMost: 0.25 }),
  versus(W8, BULLMQ, 'ms p50', { atMost: 0.6 }),
  versus(W8, FLOOR, 'ms p50'),
  byQueue(W5, 'nodes/s'),
  byQueue(W6, 'nodes/s'),
  byQueue(W8, 'ms p50'),
]

const limits: readonly Limit[] = [
  { workload: W5, contender: BATON, unit: 'commands/node', atMost: 1.2 },
  { workload: W5, contender: BATON, unit: 'calls/node', atMost: 12 },
  { workload: W5, contender: BATON, unit: 'B in/node', atMost: 600 },
  { workload: W5, contender: BATON, unit: 'B out/node', atMost: 120 },
  { workload: W7, contender: BATON, unit: 'B in/node', atMost: 1_024 },
  { workload: W7, contender: BATON, unit: 'B out/node', atMost: 1_024 },
]

export const redis: Suite = { name: 'redis', cases, comparisons, limits, open: openRedis }

function versus(workload: string, other: string, unit: string, budget?: Budget): Comparison {
  return {
    name: `${workload}: ${BATON} / ${other}, ${unit}`,
    of: { workload, contender: BATON, unit },
    to: { workload, contender: other, unit },
    ...(budget === undefined ? {} : { budget }),
  }
}

/** What is left where client and worker do not share a process. */
function byQueue(workload: string, unit: string): Comparison {
  return {
    name: `${workload}: ${BY_QUEUE} / ${BULLMQ}, ${unit}`,
    of: { workload, contender: BY_QUEUE, unit },
    to: { workload, contender: BULLMQ, unit },
  }
}

/** A node of a wide run should cost what one of a narrow run costs. */
function wider(unit: string): Comparison {
  return {
    name: `${BATON}: ${W6_WIDE} / ${W6}, ${unit}`,
    of: { workload: W6_WIDE, contender: BATON, unit },
    to: { workload: W6, contender: BATON, unit },
    budget: { atMost: 1.1 },
  }
}
