/** What a worker is told by its environment and its arguments, checked whole before anything starts. */
import { parseArgs } from 'node:util'
import { type FlowsFile, flowsFileOf, mistake, nearestOf, readEnvironment, type Values } from '@baton/compose'
import { type BatonError, defaults, type LogLevel } from '@baton/core'
import { messageOf } from '@baton/core/adapter'
import type { LogFormat } from './log.ts'

export interface WorkerConfig {
  /** Name the stores, among other things; for `openPorts`. */
  readonly values: Values
  readonly flows: FlowsFile
  readonly workerId: string
  readonly concurrency: number
  readonly leaseMs: number
  readonly sweepMs: number
  readonly stopWithinMs: number
  readonly retentionMs: number
  /** Absent: no health endpoint. */
  readonly health: { readonly port: number; readonly host: string } | undefined
  readonly logFormat: LogFormat
  readonly logLevel: LogLevel
}

export type ReadConfig =
  | { readonly type: 'help' }
  | { readonly type: 'mistakes'; readonly mistakes: readonly BatonError[] }
  | { readonly type: 'config'; readonly config: WorkerConfig }

/** What the process itself knows, and a test wants to say. */
export interface Surroundings {
  readonly isTerminal: boolean
  readonly hostName: string
  readonly pid: number
}

export function readConfig(args: readonly string[], env: NodeJS.ProcessEnv, around: Surroundings): ReadConfig {
  const flags = readFlags(args)
  if (flags.help) return { type: 'help' }
  const { values, mistakes } = readEnvironment(env)
  const flows = flowsFileOf(values, flags.flows)
  const all = [...flags.mistakes, ...mistakes]
  if (flows === undefined) {
    const hint = 'Name an ES module that exports `flows`: BATON_FLOWS=./flows.js, or --flows ./flows.js.'
    all.push(mistake('BATON_FLOWS', 'a worker needs flows to run', hint))
  }
  if (all.length > 0 || flows === undefined) return { type: 'mistakes', mistakes: all }
  return { type: 'config', config: { ...settingsOf(values, around), flows } }
}

function settingsOf(values: Values, { isTerminal, hostName, pid }: Surroundings): Omit<WorkerConfig, 'flows'> {
  return {
    values,
    // Unlike a random name it leads to the machine and the process, also in a log that is read a week later.
    workerId: values.BATON_WORKER_ID ?? `${hostName.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 100)}:${pid}`,
    concurrency: values.BATON_CONCURRENCY ?? defaults.concurrency,
    leaseMs: values.BATON_LEASE_MS ?? defaults.leaseMs,
    sweepMs: values.BATON_SWEEP_MS ?? defaults.sweepMs,
    stopWithinMs: values.BATON_STOP_WITHIN_MS ?? defaults.stopWithinMs,
    retentionMs: values.BATON_RETENTION_MS ?? defaults.retentionMs,
    health:
      values.BATON_HEALTH_PORT === undefined
        ? undefined
        : { port: values.BATON_HEALTH_PORT, host: values.BATON_HEALTH_HOST ?? '127.0.0.1' },
    logFormat: values.BATON_LOG ?? (isTerminal ? 'pretty' : 'json'),
    logLevel: values.BATON_LOG_LEVEL ?? 'info',
  }
}

const options = { flows: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } } as const

function readFlags(args: readonly string[]): { flows?: string; help: boolean; mistakes: BatonError[] } {
  try {
    const { values } = parseArgs({ args: [...args], options })
    return { ...values, mistakes: [] }
  } catch (error) {
    const [said = ''] = messageOf(error).split('. ')
    const nearest = nearestOf(/'--([^']+)'/.exec(said)?.[1] ?? '', Object.keys(options))
    const hint = nearest === undefined ? 'There are --flows FILE and --help.' : `Did you mean --${nearest}?`
    return { help: false, mistakes: [mistake('arguments', said, hint)] }
  }
}

export const help = `baton-worker [--flows FILE]

Carries runs forward until it is told to stop (SIGTERM or Ctrl-C).

  BATON_FLOWS            an ES module that exports flows; as --flows
  BATON_STORE            where runs are kept: file:DIR, redis://HOST, dynamodb://TABLE, … (file:.baton)
  BATON_QUEUE            what wakes workers (the store's own)
  BATON_JOURNAL          where journals are published: kafka://HOST/TOPIC (nowhere)
  BATON_REDIS_URL        stands in for BATON_STORE where that is not set
  BATON_DURABILITY       process or power: what a commit survives (power)
  BATON_WORKER_ID        this worker's name (host:pid)
  BATON_CONCURRENCY      nodes at a time (${defaults.concurrency})
  BATON_LEASE_MS         how long a claim holds unless renewed (${defaults.leaseMs})
  BATON_SWEEP_MS         how often to look for what is due (${defaults.sweepMs})
  BATON_STOP_WITHIN_MS   what runs gets this long to end when stopping (${defaults.stopWithinMs})
  BATON_RETENTION_MS     ended runs are removed after this long (${defaults.retentionMs})
  BATON_HEALTH_PORT      serve GET /health here; 0 takes any free port (none)
  BATON_HEALTH_HOST      and on this address (127.0.0.1)
  BATON_LOG              json or pretty (pretty on a terminal)
  BATON_LOG_LEVEL        debug, info, warn or error (info)
  BATON_EXIT_WITH_PARENT 1: stop when stdin ends, so when the parent that holds it does (0)
`
