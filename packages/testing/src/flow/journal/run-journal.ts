/**
 * The journal of a run, with assertions. Each one throws an `AssertionError` that says what was expected, what the
 * journal has instead, and the events around it; each gives the journal again, so that they can be written in a row.
 */
import { isDeepStrictEqual } from 'node:util'
import { type ErrorCode, type InstanceId, isTurn, nodeOfInstance, type RunEvent } from '@baton/core'
import { checkOptions, foldJournal, summaryOf } from '@baton/core/adapter'
import { failure } from '../failure.ts'
import { assertKnownNode, type KnownNodes } from '../known-node.ts'
import { duration } from './duration.ts'
import { type Decode, errorText, lineOf, shown } from './event-text.ts'

export interface RanOptions {
  /** Attempts that ended, whether they succeeded or failed. Default: at least one. */
  readonly times?: number
}

export interface SleptOptions {
  /** How long it was asked to. */
  readonly ms?: number
}

export interface JournalSource {
  readonly runId: string
  readonly events: readonly RunEvent[]
  /** From a value as it is stored to a value as code has it. */
  readonly decode: Decode
  /** Of its flow; absent where nobody here has that. */
  readonly nodes: KnownNodes | undefined
}

type Of<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>

const CONTEXT_LINES = 2
const LAST_LINES = 12

export class RunJournal<Ids extends string = string> {
  readonly runId: string
  /** In their order; values encoded. */
  readonly events: readonly RunEvent[]
  readonly #decode: Decode
  readonly #nodes: KnownNodes | undefined

  constructor({ runId, events, decode, nodes }: JournalSource) {
    this.runId = runId
    this.events = events
    this.#decode = decode
    this.#nodes = nodes
  }

  /** Code of the node ran to an end. Takes a node's id, or one of its instances: `price`, `price[2]`, `draft#2`. */
  ran(node: Ids | InstanceOf<Ids>, options: RanOptions = {}): this {
    this.#assertKnown(node)
    checkOptions(options, ['times'] satisfies (keyof RanOptions)[])
    const { times } = options
    const ends = this.#endsOf(node)
    if (times === undefined ? ends.length > 0 : ends.length === times) return this
    const wanted = times === undefined ? 'ran' : `ran ${count(times)}`
    throw this.#failure(`${node} ${wanted}`, `it ran ${count(ends.length)}`, this.#about(node), times, ends.length)
  }

  /** The node's code never ran to an end. */
  didNotRun(node: Ids | InstanceOf<Ids>): this {
    return this.ran(node, { times: 0 })
  }

  /** Each of these began only after the one before it had ended, at its first visit. */
  order(nodes: readonly (Ids | InstanceOf<Ids>)[]): this {
    for (const node of nodes) this.#assertKnown(node)
    for (const [index, next] of nodes.entries()) {
      const before = nodes[index - 1]
      if (before === undefined) continue
      const ended = this.#fateOf(before)
      const began = this.#of('node-claimed').find((event) => isOf(event, next))
      if (ended !== undefined && began !== undefined && ended.seq < began.seq) continue
      const what =
        ended === undefined
          ? `${before} has not ended`
          : began === undefined
            ? `${next} has not begun`
            : `${next} began before ${before} had ended`
      throw this.#failure(`${nodes.join(', then ')}`, what, [ended, began])
    }
    return this
  }

  skipped(node: Ids | InstanceOf<Ids>): this {
    this.#assertKnown(node)
    const found = this.#of('node-skipped').some((event) => isOf(event, node))
    if (found) return this
    const fate = this.#fateOf(node)
    throw this.#failure(`${node} was skipped`, fate === undefined ? 'it was not' : fate.type, this.#about(node))
  }

  /** The node failed for good, if given with this code or message. */
  failed(node: Ids | InstanceOf<Ids>, how?: ErrorCode | RegExp): this {
    this.#assertKnown(node)
    const fates = this.#of('node-failed').filter((event) => isOf(event, node))
    if (fates.some(({ error }) => fits(error, how))) return this
    const wanted = how === undefined ? 'failed' : `failed with ${how}`
    const [first] = fates
    const has = first === undefined ? 'it did not fail' : errorText(first.error)
    throw this.#failure(`${node} ${wanted}`, has, this.#about(node))
  }

  /** An attempt of the node failed and was made again. */
  retried(node: Ids | InstanceOf<Ids>, options: RanOptions = {}): this {
    this.#assertKnown(node)
    checkOptions(options, ['times'] satisfies (keyof RanOptions)[])
    const { times } = options
    const found = this.#of('attempt-failed').filter((event) => isOf(event, node)).length
    if (times === undefined ? found > 0 : found === times) return this
    const wanted = times === undefined ? 'was retried' : `was retried ${count(times)}`
    throw this.#failure(`${node} ${wanted}`, `it was ${count(found)}`, this.#about(node), times, found)
  }

  /** The node slept. */
  slept(node: Ids | InstanceOf<Ids>, options: SleptOptions = {}): this {
    this.#assertKnown(node)
    checkOptions(options, ['ms'] satisfies (keyof SleptOptions)[])
    const { ms } = options
    const sleeps = this.#of('node-slept').filter((event) => isOf(event, node))
    const lengths = sleeps.map(({ atMs, wakeAtMs }) => wakeAtMs - atMs)
    if (ms === undefined ? lengths.length > 0 : lengths.includes(ms)) return this
    const wanted = ms === undefined ? 'slept' : `slept for ${duration(ms)}`
    const has = lengths.length === 0 ? 'it did not' : `for ${lengths.map(duration).join(', ')}`
    throw this.#failure(`${node} ${wanted}`, has, this.#about(node))
  }

  /** The function of this step gave a result, once. */
  step(node: Ids | InstanceOf<Ids>, name: string): this {
    this.#assertKnown(node)
    const steps = this.#of('step-recorded').filter((event) => isOf(event, node))
    if (steps.some(({ step }) => step.kind === 'step' && step.name === name)) return this
    const has = steps.map(({ step }) => step.name).join(', ') || 'none'
    throw this.#failure(`${node} recorded step ${name}`, `its steps: ${has}`, this.#about(node))
  }

  /** The run completed, if given with this output. */
  completed(output?: unknown): this {
    const end = this.#of('run-completed')[0]
    if (end === undefined) throw this.#endedOtherwise('completed')
    if (output === undefined) return this
    const actual = this.output
    if (isDeepStrictEqual(actual, output)) return this
    throw this.#failure(`it completed with ${shown(output)}`, shown(actual), [end], output, actual)
  }

  /** The run failed, if given with this code or message. */
  failedWith(how?: ErrorCode | RegExp): this {
    const end = this.#of('run-failed')[0]
    if (end === undefined) throw this.#endedOtherwise(how === undefined ? 'failed' : `failed with ${how}`)
    if (fits(end.error, how)) return this
    throw this.#failure(`it failed with ${how}`, errorText(end.error), [end])
  }

  cancelled(reason?: string): this {
    const end = this.#of('run-cancelled')[0]
    if (end === undefined) throw this.#endedOtherwise('cancelled')
    if (reason === undefined || end.reason === reason) return this
    throw this.#failure(`it was cancelled: ${reason}`, end.reason, [end], reason, end.reason)
  }

  /** What the run gave: the output of its single terminal node that ran, else an object by node. */
  get output(): unknown {
    const state = foldJournal(this.events)
    const output = state === undefined ? undefined : summaryOf(state).output
    return output === undefined ? undefined : this.#decode(output as never)
  }

  /** The last output of a node, decoded. */
  outputOf(node: Ids | InstanceOf<Ids>): unknown {
    this.#assertKnown(node)
    const last = this.#of('node-succeeded').findLast((event) => isOf(event, node))
    return last?.output === undefined ? undefined : this.#decode(last.output as never)
  }

  /** One line per event, the same in every test run: for snapshots. */
  toText(): string {
    return this.#lines(this.events)
  }

  /** Types know the nodes of a flow that was built in one go; a name that comes from elsewhere may be any. */
  #assertKnown(node: string): void {
    if (this.#nodes !== undefined) assertKnownNode(nodeOfInstance(node as InstanceId), this.#nodes, 'node')
  }

  #lines(events: readonly RunEvent[], marked: ReadonlySet<RunEvent> = new Set()): string {
    const startMs = this.events[0]?.atMs ?? 0
    const mark = (event: RunEvent) => (marked.size === 0 ? '' : marked.has(event) ? '› ' : '  ')
    return events.map((event) => `${mark(event)}${lineOf(event, startMs, this.#decode)}`).join('\n')
  }

  #of<Type extends RunEvent['type']>(type: Type): Of<Type>[] {
    return this.events.filter((event): event is Of<Type> => event.type === type)
  }

  /** Ends of attempts in which code ran: no verdicts over code that never did, and nothing that gathers or turns. */
  #endsOf(node: string): RunEvent[] {
    const maps = new Set(this.#of('map-expanded').map(({ instanceId }) => instanceId))
    return this.events.filter((event) => {
      if (event.type !== 'node-succeeded' && event.type !== 'attempt-failed' && event.type !== 'node-failed')
        return false
      if (!isOf(event, node) || maps.has(event.instanceId) || isTurn(event.instanceId)) return false
      return event.type !== 'node-failed' || (event.fence !== undefined && event.error.code !== 'PREDECESSOR_FAILED')
    })
  }

  #fateOf(node: string): RunEvent | undefined {
    const fates = ['node-succeeded', 'node-failed', 'node-skipped', 'node-cancelled']
    return this.events.find((event) => fates.includes(event.type) && isOf(event, node))
  }

  #about(node: string): RunEvent[] {
    return this.events.filter((event) => isOf(event, node))
  }

  #endedOtherwise(wanted: string): Error {
    const last = this.events.at(-1)
    const end = this.events.find(({ type }) => ['run-completed', 'run-failed', 'run-cancelled'].includes(type))
    const has = end === undefined ? 'it has not ended' : end.type === 'run-failed' ? errorText(end.error) : end.type
    return this.#failure(`it ${wanted}`, has, [end ?? last])
  }

  #failure(
    expected: string,
    has: string,
    about: readonly (RunEvent | undefined)[],
    expectedValue?: unknown,
    actualValue?: unknown,
  ): Error {
    const marked = new Set(about.filter((event) => event !== undefined))
    const message = `run ${this.runId}\n  expected: ${expected}\n  journal:  ${has}\n\n${this.#around(marked)}`
    return failure(message, { expected: expectedValue ?? expected, actual: actualValue ?? has })
  }

  /** The marked events with their neighbours; the end of the journal where there are none. */
  #around(marked: ReadonlySet<RunEvent>): string {
    if (marked.size === 0) return this.#lines(this.events.slice(-LAST_LINES))
    const places = [...marked].map(({ seq }) => seq)
    const near = this.events.filter(({ seq }) => places.some((place) => Math.abs(place - seq) <= CONTEXT_LINES))
    const lines: string[] = []
    for (const [index, event] of near.entries()) {
      if (index > 0 && event.seq !== (near[index - 1] as RunEvent).seq + 1) lines.push('    …')
      lines.push(this.#lines([event], marked))
    }
    return lines.join('\n')
  }
}

/** An instance of one of these nodes. */
export type InstanceOf<Ids extends string> = `${Ids}[${number}]` | `${Ids}#${string}`

function isOf(event: RunEvent, node: string): boolean {
  if (!('instanceId' in event) || event.instanceId === undefined) return false
  return event.instanceId === node || nodeOfInstance(event.instanceId) === node
}

function fits(error: { code?: string; message: string }, how: ErrorCode | RegExp | undefined): boolean {
  if (how === undefined) return true
  return typeof how === 'string' ? error.code === how : how.test(error.message)
}

function count(times: number): string {
  return times === 1 ? 'once' : times === 0 ? 'never' : `${times} times`
}
