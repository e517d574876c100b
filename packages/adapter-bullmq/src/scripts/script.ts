/** A Lua script that is sent by its digest, and whole only to a server that does not have it (yet, or any more). */
import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'

type Scriptable = Pick<Redis | Cluster, 'evalsha' | 'eval'>

export class Script {
  readonly #lua: string
  readonly #sha: string

  constructor(lua: string) {
    this.#lua = lua
    this.#sha = createHash('sha1').update(lua).digest('hex')
  }

  async run(redis: Scriptable, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return redis.eval(this.#lua, keys.length, ...keys, ...args)
    }
  }
}
