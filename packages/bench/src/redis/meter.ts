/** One sample of a contender on Redis: how fast it is, and what it spends. */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { TurningMeter, TurnTaker } from '../meters/meter.ts'
import { spreadOf } from '../statistics.ts'
import type { Measurement } from '../suite.ts'
import type { OpenContender, RedisContender } from './contender.ts'
import { emptyRedis } from './server.ts'
import { expectedOf, nodesOf, type Shape, shapeOf } from './shape.ts'
import { countCommands, type Spent, spent, spentSince, sumOf } from './spending.ts'

/** A worker is up for days: by then V8 has compiled what matters. As long for every contender. */
const WARM_UP_MS = 5_000
/** What a turn counts. One more comes first: after others had the processors, their caches are full of other things. */
const PASSES = 3
/** What nobody waits for belongs to a run, too: jobs that are finished, indexes that are put right. */
const AFTERWARDS_MS = 100

export function meterOf(load: () => Promise<RedisContender>): TurningMeter {
  return async (workload) => {
    const shape = shapeOf(workload)
    countCommands()
    const contender = await load()
    const { url, redis } = await emptyRedis()
    let onSecondNode = async () => {}
    const open = await contender.open({ url, shape, onSecondNode: () => onSecondNode() })
    if (shape.contextChars === undefined) {
      const untilMs = performance.now() + WARM_UP_MS
      while (performance.now() < untilMs) await runAll(open, shape)
      return new Sample(open, redis, shape)
    }
    const sample = new Sample(open, redis, shape)
    onSecondNode = () => sample.begin()
    return sample
  }
}

class Sample implements TurnTaker {
  readonly #open: OpenContender
  readonly #redis: Redis
  readonly #shape: Shape
  readonly #latencies: number[] = []
  readonly #tookMs: number[] = []
  readonly #spent: Spent[] = []
  #before: Spent | undefined
  #fromMs = 0

  constructor(open: OpenContender, redis: Redis, shape: Shape) {
    this.#open = open
    this.#redis = redis
    this.#shape = shape
  }

  /** From here on it counts. */
  async begin(): Promise<void> {
    this.#before = await spent(this.#redis)
    this.#fromMs = performance.now()
  }

  async turn(): Promise<void> {
    if (this.#shape.contextChars === undefined) {
      await runAll(this.#open, this.#shape)
      await this.begin()
      for (let pass = 0; pass < PASSES; pass++) await this.#pass()
    }
    // Its second node says when it begins.
    else await this.#pass()
    await sleep(AFTERWARDS_MS)
    if (this.#before === undefined) throw new Error('the second node was never called')
    this.#spent.push(spentSince(this.#before, await spent(this.#redis)))
  }

  async #pass(): Promise<void> {
    this.#latencies.push(...(await runAll(this.#open, this.#shape)))
    const nowMs = performance.now()
    this.#tookMs.push(nowMs - this.#fromMs)
    this.#fromMs = nowMs
  }

  async end(): Promise<readonly Measurement[]> {
    await this.#open[Symbol.asyncDispose]()
    this.#redis.disconnect()
    return [...this.#speed(), ...this.#spending()]
  }

  #speed(): readonly Measurement[] {
    const { contextChars, atOnce } = this.#shape
    const tookMs = spreadOf(this.#tookMs).median
    if (contextChars !== undefined) return [{ unit: 'ms/node', value: tookMs / this.#nodes }]
    if (atOnce > 1) return [{ unit: 'nodes/s', value: (this.#nodes / tookMs) * 1_000 }]
    const sorted = [...this.#latencies].sort((left, right) => left - right)
    return [
      { unit: 'ms p50', value: spreadOf(sorted).median },
      { unit: 'ms p99', value: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN },
    ]
  }

  #spending(): readonly Measurement[] {
    const all = sumOf(this.#spent)
    const per = (name: keyof Spent) => all[name] / this.#nodes / this.#tookMs.length
    return [
      { unit: 'commands/node', value: per('commands') },
      { unit: 'calls/node', value: per('calls') },
      { unit: 'B in/node', value: per('bytesIn') },
      { unit: 'B out/node', value: per('bytesOut') },
      { unit: 'µs CPU/node', value: per('ownUs') },
      { unit: 'µs CPU of Redis/node', value: per('serverUs') },
    ]
  }

  /** Of one pass. */
  get #nodes(): number {
    return nodesOf(this.#shape) * this.#shape.runs
  }
}

/** @returns how long each run took, in ms */
async function runAll(open: OpenContender, shape: Shape): Promise<readonly number[]> {
  const latencies: number[] = []
  let started = 0
  const oneAfterTheOther = async () => {
    while (started < shape.runs) {
      started += 1
      const fromMs = performance.now()
      const output = await open.run()
      latencies.push(performance.now() - fromMs)
      if (output !== expectedOf(shape)) throw new Error(`gave ${output}, not ${expectedOf(shape)}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(shape.atOnce, shape.runs) }, oneAfterTheOther))
  return latencies
}
