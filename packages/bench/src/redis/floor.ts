/**
 * The least that can be called a durable engine on Redis: one script per transition, which checks the lease, keeps the
 * output, counts the join, makes successors ready and claims the next. No events, attempts, timers, context versions,
 * reminders, no way to look at a run. A floor to measure against, not a product.
 */
import { createHash, randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { CONCURRENCY, type ContenderOptions, type OpenContender, type RedisContender } from './contender.ts'
import { Ends } from './ends.ts'
import { start, transition } from './floor-script.ts'
import type { Shape } from './shape.ts'

const READY = 'floor:ready'
const LEASES = 'floor:leases'
const LEASE_MS = 30_000

export const contender: RedisContender = {
  open: async (options) => {
    const floor = new Floor(options)
    await floor.listen()
    return floor
  },
}

interface Done {
  /** What the script is told of it. */
  readonly args: readonly (string | number)[]
  /** It was the last of its run. */
  readonly ended?: { readonly run: string; readonly output: number }
}

class Floor implements OpenContender {
  readonly #redis: Redis
  readonly #listener: Redis
  readonly #ends = new Ends()
  readonly #options: ContenderOptions
  readonly #transition = new Sha(transition)
  readonly #start = new Sha(start)
  #places = CONCURRENCY

  constructor(options: ContenderOptions) {
    this.#options = options
    this.#redis = new Redis(options.url)
    this.#listener = new Redis(options.url)
  }

  async listen(): Promise<void> {
    await this.#listener.subscribe(READY)
    this.#listener.on('message', () => this.#wake())
  }

  run(): Promise<number> {
    const run = randomUUID()
    const end = this.#ends.of(run)
    const first = this.#options.shape.form === 'line' ? 'n0' : 'source'
    void this.#start.run(this.#redis, [READY], [`${run} ${first} 0`])
    return end
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#redis.disconnect()
    this.#listener.disconnect()
  }

  #wake(): void {
    if (this.#places === 0) return
    this.#places -= 1
    void this.#work()
  }

  /** In one place: goes on for as long as each transition brings another node. */
  async #work(): Promise<void> {
    let done: Done = { args: [0] }
    for (;;) {
      const args = [Date.now() + LEASE_MS, 1, ...done.args]
      const [left = 0, job] = (await this.#transition.run(this.#redis, [READY, LEASES], args)) as [number?, string?]
      if (done.ended !== undefined) this.#ends.tell(done.ended.run, done.ended.output)
      if (left > 0) this.#wake()
      if (job === undefined) break
      done = await this.#execute(job)
    }
    this.#places += 1
  }

  async #execute(job: string): Promise<Done> {
    const { shape, onSecondNode } = this.#options
    const [run = '', node = '', text] = job.split(' ')
    if (node === 'n1') await onSecondNode()
    const input = Number(text)
    const output = shape.form === 'line' || node === 'source' ? input + 1 : input
    const successors = successorsOf(shape, node)
    const [key, value] = changeOf(shape, node)
    const args = [1, run, node, output, key, value, successors.length, ...successors.flat()]
    return successors.length === 0 ? { args, ended: { run, output } } : { args }
  }
}

function successorsOf({ form, size }: Shape, node: string): readonly (readonly [string, number])[] {
  if (form === 'line') {
    const next = Number(node.slice(1)) + 1
    return next < size ? [[`n${next}`, 1]] : []
  }
  if (node === 'source') return Array.from({ length: size }, (_, index) => [`b${index}`, 1] as const)
  return node === 'join' ? [] : [['join', size]]
}

function changeOf({ contextChars }: Shape, node: string): readonly [string, string] {
  if (contextChars === undefined) return ['', '']
  return node === 'n0' ? ['large', 'x'.repeat(contextChars)] : ['small', node]
}

class Sha {
  readonly #lua: string
  readonly #sha: string
  #isLoaded = false

  constructor(lua: string) {
    this.#lua = lua
    this.#sha = createHash('sha1').update(lua).digest('hex')
  }

  run(redis: Redis, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args] as [number, ...(string | number)[]]
    if (this.#isLoaded) return redis.evalsha(this.#sha, ...rest)
    this.#isLoaded = true
    return redis.eval(this.#lua, ...rest)
  }
}
