/**
 * The same run twice: by a worker with a store, and in this process without one. What happens must be the same, event
 * by event; who did it and when is all that may differ.
 */
import {
  FlowRuntime,
  type IJobQueue,
  type IRunStore,
  isTerminal,
  JsonSerializer,
  type RunEvent,
  type RunHandle,
  type RunnableFlow,
  type StartOptions,
} from '@baton/core'
import { foldJournal, summaryOf } from '@baton/core/adapter'
import type { TestClock } from '@baton/testing'

export interface Told {
  /** The journal without what may differ, one text per event. */
  readonly journal: readonly string[]
  readonly status: string
  readonly output: unknown
  readonly error: unknown
}

const ONE_AT_A_TIME = { concurrency: 1, random: () => 0 } as const
const NEVER_MS = 1e12

/** Runs flows one at a time by a worker on these ports. */
export class StoredRuns {
  readonly #runtime: FlowRuntime
  readonly #clock: TestClock | undefined

  /** @param sweepMs how often to look for what only time makes due: deadlines, and waits that nobody ends */
  constructor(
    ports: { readonly store: IRunStore; readonly queue: IJobQueue; readonly clock?: TestClock },
    sweepMs = NEVER_MS,
  ) {
    this.#clock = ports.clock
    const timeless = { inlineMaxNodes: Number.POSITIVE_INFINITY, inlineMaxMs: Number.POSITIVE_INFINITY }
    // Without sweeps nothing is found by chance: jobs and timers alone say what comes next.
    const worker = { ...timeless, leaseMs: NEVER_MS, sweepMs, retentionMs: Number.POSITIVE_INFINITY }
    this.#runtime = new FlowRuntime({ ...ONE_AT_A_TIME, ...ports, worker })
  }

  /** @param untilPaused take a run that waits for the outside for over */
  async run(flow: RunnableFlow, input: unknown, options?: StartOptions, untilPaused = false): Promise<Told> {
    const handle = await this.#runtime.start(flow, input, options)
    await this.#until(this.#untilQuiet(handle, untilPaused))
    const events: RunEvent[] = []
    for await (const event of handle.stream({ live: false })) events.push(event)
    return tell(events)
  }

  stop(): Promise<void> {
    return this.#until(this.#runtime.stop())
  }

  async #untilQuiet(handle: RunHandle, untilPaused: boolean): Promise<void> {
    for await (const { type } of handle.stream()) {
      if (type === 'run-paused' && untilPaused) return
    }
  }

  #until<Value>(promise: Promise<Value>): Promise<Value> {
    return this.#clock === undefined ? promise : this.#clock.until(promise)
  }
}

/** Runs a flow in this process, with no store. */
export async function runLocally(
  flow: RunnableFlow,
  input: unknown,
  clock?: TestClock,
  options?: StartOptions,
): Promise<Told> {
  const events: RunEvent[] = []
  const runtime = new FlowRuntime({ ...ONE_AT_A_TIME, ...(clock === undefined ? {} : { clock }) })
  const running = runtime.run(flow, input, { ...options, onEvent: (event) => events.push(event) })
  const result = await (clock === undefined ? running : clock.until(running))
  const told = tell(events)
  if (result.status !== told.status) throw new Error(`the result says ${result.status}, the journal ${told.status}`)
  return told
}

function tell(events: readonly RunEvent[]): Told {
  const [first] = events
  if (first?.type !== 'run-started') throw new Error('a journal begins with the start of its run')
  // Where the run went on as new, the last of the journals says how it ended.
  const last = events.findLastIndex(({ type }) => type === 'run-started')
  const state = foldJournal(events.slice(last).map((event) => encoded(event)))
  if (state === undefined) throw new Error('the journal does not fold')
  const { status, output, error } = summaryOf(state)
  return {
    journal: events.map((event) =>
      // The ids of children begin with their parent's.
      JSON.stringify(strip(encoded(event), first.head.createdAtMs)).replaceAll(first.head.runId, '<run>'),
    ),
    status: isTerminal(status) ? status : 'paused',
    output,
    error:
      error === undefined
        ? undefined
        : { ...error, message: error.message.replaceAll(first.head.runId, '<run>'), stack: undefined },
  }
}

/** For stores with a clock of their own: what happened, whenever it was. */
export function withoutTimes(told: Told): Told {
  return { ...told, journal: told.journal.map((event) => event.replace(/"(a|[a-z]+A)tMs":-?\d+/g, '"$1tMs":0')) }
}

const serializer = new JsonSerializer()

/** Without a store values pass as they are; with one they are encoded. Encoding what is encoded changes nothing. */
function encoded(event: RunEvent): RunEvent {
  return holdsObjects(event) ? (serializer.encode(event, 'event') as unknown as RunEvent) : event
}

/** Whether there is anything in it that is no JSON. */
function holdsObjects(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(holdsObjects)
  if (Object.getPrototypeOf(value) !== Object.prototype) return true
  return Object.values(value).some(holdsObjects)
}

const PERSONAL = new Set([
  'workerId',
  'claimId',
  'stack',
  'runId',
  'rootRunId',
  'correlation',
  'lineage',
  'createdAtMs',
])

/** Leaves out who did it; instants become times since the start. */
function strip(value: unknown, startedAtMs: number): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item, startedAtMs))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    if (PERSONAL.has(name)) return []
    if (/(^a|A)tMs$/.test(name) && typeof member === 'number') return [[name, member - startedAtMs]]
    return [[name, strip(member, startedAtMs)]]
  })
  return Object.fromEntries(members.sort(([left], [right]) => (left < right ? -1 : 1)))
}
