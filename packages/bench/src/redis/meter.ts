/** One sample of a contender on Redis: how fast it is, and what it spends. */
import { performance } from 'node:perf_hooks'
import type { Redis } from 'ioredis'
import type { Meter } from '../meters/meter.ts'
import { spreadOf } from '../statistics.ts'
import type { Measurement } from '../suite.ts'
import type { OpenContender, RedisContender } from './contender.ts'
import { emptyRedis } from './server.ts'
import { expectedOf, nodesOf, type Shape, shapeOf } from './shape.ts'
import { countCommands, type Spent, spent } from './spending.ts'

/** A worker is up for days: by then V8 has compiled what matters. As long for every contender. */
const WARM_UP_MS = 5_000
/** Of one sample: their median is less at the mercy of what else the machine does. */
const ROUNDS = 5

export function meterOf(load: () => Promise<RedisContender>): Meter {
  return async (workload) => {
    const shape = shapeOf(workload)
    countCommands()
    const contender = await load()
    const { url, redis } = await emptyRedis()
    let before: Spent | undefined
    let fromMs = 0
    const begin = async () => {
      before = await spent(redis)
      fromMs = performance.now()
    }
    const isLarge = shape.contextChars !== undefined
    const onSecondNode = async () => {
      if (isLarge) await begin()
    }
    const open = await contender.open({ url, shape, onSecondNode })
    if (!isLarge) {
      const untilMs = performance.now() + WARM_UP_MS
      while (performance.now() < untilMs) await runAll(open, shape, shape.runs)
      await begin()
    }
    const latencies: number[] = []
    const tookMs: number[] = []
    for (let round = 0; round < (isLarge ? 1 : ROUNDS); round++) {
      if (!isLarge) fromMs = performance.now()
      latencies.push(...(await runAll(open, shape, shape.runs)))
      tookMs.push(performance.now() - fromMs)
    }
    if (before === undefined) throw new Error('the second node was never called')
    const figures = figuresOf(shape, tookMs, latencies, before, await spentInTheEnd(redis))
    await open[Symbol.asyncDispose]()
    redis.disconnect()
    return figures
  }
}

/** @returns how long each run took, in ms */
async function runAll(open: OpenContender, shape: Shape, runs: number): Promise<readonly number[]> {
  const latencies: number[] = []
  let started = 0
  const oneAfterTheOther = async () => {
    while (started < runs) {
      started += 1
      const fromMs = performance.now()
      const output = await open.run()
      latencies.push(performance.now() - fromMs)
      if (output !== expectedOf(shape)) throw new Error(`gave ${output}, not ${expectedOf(shape)}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(shape.atOnce, runs) }, oneAfterTheOther))
  return latencies
}

/** What nobody waits for belongs to a run, too: jobs that are finished, indexes that are put right. */
async function spentInTheEnd(redis: Redis): Promise<Spent> {
  await new Promise((resolve) => setTimeout(resolve, 100))
  return spent(redis)
}

function figuresOf(
  shape: Shape,
  rounds: readonly number[],
  latencies: readonly number[],
  before: Spent,
  after: Spent,
): readonly Measurement[] {
  const nodes = nodesOf(shape) * shape.runs
  const tookMs = spreadOf(rounds).median
  const per = (name: keyof Spent) => (after[name] - before[name]) / nodes / rounds.length
  const sorted = [...latencies].sort((left, right) => left - right)
  const spentFigures = [
    { unit: 'commands/node', value: per('commands') },
    { unit: 'calls/node', value: per('calls') },
    { unit: 'B in/node', value: per('bytesIn') },
    { unit: 'B out/node', value: per('bytesOut') },
    { unit: 'µs CPU/node', value: per('ownUs') },
    { unit: 'µs CPU of Redis/node', value: per('serverUs') },
  ]
  if (shape.contextChars !== undefined) return [{ unit: 'ms/node', value: tookMs / nodes }, ...spentFigures]
  if (shape.atOnce > 1) return [{ unit: 'nodes/s', value: (nodes / tookMs) * 1_000 }, ...spentFigures]
  return [
    { unit: 'ms p50', value: spreadOf(latencies).median },
    { unit: 'ms p99', value: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN },
    ...spentFigures,
  ]
}
