/** What a contender sends and what the server makes of it. */
import { Redis } from 'ioredis'
import { FlowcraftRedis } from './flowcraft-redis.ts'

export interface Spent {
  readonly commands: number
  readonly calls: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Processor time in microseconds: of the contender's process, and of the server. */
  readonly ownUs: number
  readonly serverUs: number
}

let commands = 0

/** Of every ioredis that a contender may bring along. Before any client is made. */
export function countCommands(): void {
  for (const { prototype } of [Redis, FlowcraftRedis]) {
    const send = prototype.sendCommand
    prototype.sendCommand = function sendCommand(this: Redis, ...args) {
      commands += 1
      return send.apply(this, args)
    }
  }
}

/** What was spent until now, since the server was started; calls are those of scripts as well. */
export async function spent(redis: Redis): Promise<Spent> {
  const sent = commands
  const { user, system } = process.cpuUsage()
  const [stats, cpu, calls] = await Promise.all([redis.info('stats'), redis.info('cpu'), redis.info('commandstats')])
  const of = (name: string) => Number(new RegExp(`\\b${name}:([\\d.]+)`).exec(stats + cpu)?.[1])
  let total = 0
  for (const [, count] of calls.matchAll(/^cmdstat_[^:]+:calls=(\d+)/gm)) total += Number(count)
  return {
    commands: sent,
    calls: total,
    bytesIn: of('total_net_input_bytes'),
    bytesOut: of('total_net_output_bytes'),
    ownUs: user + system,
    serverUs: (of('used_cpu_user') + of('used_cpu_sys')) * 1e6,
  }
}

export function spentSince(before: Spent, after: Spent): Spent {
  return combined(before, after, (from, to) => to - from)
}

/** @param all one or more */
export function sumOf(all: readonly Spent[]): Spent {
  return all.reduce((sum, each) => combined(sum, each, (left, right) => left + right))
}

function combined(one: Spent, other: Spent, combine: (left: number, right: number) => number): Spent {
  const names = Object.keys(one) as (keyof Spent)[]
  return Object.fromEntries(names.map((name) => [name, combine(one[name], other[name])])) as unknown as Spent
}
