/** What a server was asked, and how much went over its wires: for tests of counts. */
import { Redis } from 'ioredis'

export interface Spent {
  /** What clients of this process have sent, transactions of several commands counted one by one. */
  readonly commands: number
  /** The same with what scripts have called. */
  readonly calls: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** Counts from its making on. Counts commands of all clients of this process, so there must be one server only. */
export class Spending implements Disposable {
  readonly #redis: Redis
  readonly #send = Redis.prototype.sendCommand
  #commands = 0
  #before: Spent = { commands: 0, calls: 0, bytesIn: 0, bytesOut: 0 }
  /** What a look costs itself. */
  #look: Spent = this.#before

  private constructor(redis: Redis) {
    this.#redis = redis
    const count = () => {
      this.#commands += 1
    }
    const send = this.#send
    Redis.prototype.sendCommand = function sendCommand(this: Redis, ...args) {
      count()
      return send.apply(this, args)
    }
  }

  static async of(url: string): Promise<Spending> {
    const spending = new Spending(new Redis(url))
    await spending.reset()
    // A look is told of by the next one.
    spending.#look = await spending.#since()
    await spending.reset()
    return spending
  }

  async reset(): Promise<void> {
    this.#before = await this.#total()
  }

  /** Since it was reset. */
  async spent(): Promise<Spent> {
    const { commands, calls, bytesIn, bytesOut } = await this.#since()
    const look = this.#look
    return {
      commands: commands - look.commands,
      calls: calls - look.calls,
      bytesIn: bytesIn - look.bytesIn,
      bytesOut: bytesOut - look.bytesOut,
    }
  }

  [Symbol.dispose](): void {
    Redis.prototype.sendCommand = this.#send
    this.#redis.disconnect()
  }

  async #since(): Promise<Spent> {
    const before = this.#before
    const now = await this.#total()
    return {
      commands: now.commands - before.commands,
      calls: now.calls - before.calls,
      bytesIn: now.bytesIn - before.bytesIn,
      bytesOut: now.bytesOut - before.bytesOut,
    }
  }

  async #total(): Promise<Spent> {
    const [stats, calls] = await Promise.all([this.#redis.info('stats'), this.#redis.info('commandstats')])
    const of = (name: string) => Number(new RegExp(`${name}:(\\d+)`).exec(stats)?.[1])
    let total = 0
    for (const [, count] of calls.matchAll(/^cmdstat_[^:]+:calls=(\d+)/gm)) total += Number(count)
    return {
      commands: this.#commands,
      calls: total,
      bytesIn: of('total_net_input_bytes'),
      bytesOut: of('total_net_output_bytes'),
    }
  }
}
