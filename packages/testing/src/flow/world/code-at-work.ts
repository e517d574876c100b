/** The code of nodes as it runs: what is called with what, by which worker, and what of it has not come back yet. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { NodeArguments } from '@baton/core'
import type { Actor } from '../../simulator/world/actor.ts'
import type { RunsSeen } from './runs-seen.ts'

/** One call of a node's function. Entering it again after a wait is the same call. */
export interface NodeCall<Input = unknown> {
  readonly flowId: string
  readonly nodeId: string
  readonly runId: string
  readonly instanceId: string
  readonly attempt: number
  readonly visit: number
  readonly itemIndex: number | undefined
  readonly idempotencyKey: string
  readonly input: Input
  /** By the test's clock. */
  readonly atMs: number
}

/** Code of a node between its entry and its end. */
export interface Invocation {
  readonly flowId: string
  readonly nodeId: string
  readonly runId: string
  readonly instanceId: string
  readonly fence: number
  readonly worker: Actor | undefined
  /** The step that it is in. */
  readonly step: string | undefined
}

/** Whose code is running, also after it has waited for something. */
const current = new AsyncLocalStorage<Invocation>()

export function invocationNow(): Invocation | undefined {
  return current.getStore()
}

interface Entry {
  readonly flowId: string
  readonly args: NodeArguments
  readonly nowMs: number
  readonly workerOf: (workerId: string | undefined) => Actor | undefined
  readonly run: () => unknown
}

export class CodeAtWork {
  readonly calls: NodeCall[] = []
  /** How often the functions of steps were called, by node and name of the step. */
  readonly stepCalls = new Map<string, number>()
  readonly #seen: RunsSeen
  /** Called, and neither returned nor left. */
  readonly #open = new Set<Invocation>()
  /** Known to wait for nothing that will come. */
  readonly #hanging = new WeakSet<Invocation>()

  constructor(seen: RunsSeen) {
    this.#seen = seen
  }

  /** Code that is under way and has not ended its claim by a wait: whatever it waits for is none of this world. */
  get open(): readonly Invocation[] {
    for (const invocation of this.#open) if (!this.#holds(invocation)) this.#open.delete(invocation)
    return [...this.#open].filter((invocation) => !this.#hanging.has(invocation))
  }

  /** Nobody waits for it any longer. */
  giveUp(invocation: Invocation): void {
    this.#hanging.add(invocation)
  }

  /** Calls a node's function. */
  enter({ flowId, args, nowMs, workerOf, run }: Entry): unknown {
    const { nodeId, runId, instanceId, attempt, visit, itemIndex, idempotencyKey, input } = args
    const instance = this.#seen.stateOf(runId)?.instances.get(instanceId)
    const worker = workerOf(instance?.workerId)
    const invocation: Invocation = {
      ...{ flowId, nodeId, runId, instanceId, worker },
      fence: instance?.fence ?? 0,
      step: undefined,
    }
    if (!this.#seen.isBackFromWait(runId, instanceId)) {
      const call = { flowId, nodeId, runId, instanceId, attempt, visit, itemIndex, idempotencyKey, input }
      this.calls.push({ ...call, atMs: nowMs })
    }
    this.#watchSteps(args, invocation)
    const returned = current.run(invocation, run)
    if (!isPromise(returned)) return returned
    this.#open.add(invocation)
    const over = () => void this.#open.delete(invocation)
    returned.then(over, over)
    return returned
  }

  /** The code that runs now waits for nothing that will come. */
  hangs(): void {
    const invocation = invocationNow()
    if (invocation !== undefined) this.giveUp(invocation)
  }

  #watchSteps(args: NodeArguments, invocation: Invocation): void {
    const { step } = args
    const watched: NodeArguments['step'] = (name, fn) =>
      step(name, (given) => {
        const key = `${invocation.nodeId} · ${name}`
        this.stepCalls.set(key, (this.stepCalls.get(key) ?? 0) + 1)
        return current.run({ ...invocation, step: name }, () => fn(given))
      })
    // What a node is given is made for one call of its function.
    Object.defineProperty(args, 'step', { value: watched })
  }

  #holds({ runId, instanceId, fence, worker }: Invocation): boolean {
    if (worker?.isGone === true) return false
    const instance = this.#seen.stateOf(runId)?.instances.get(instanceId)
    return instance?.status === 'claimed' && instance.fence === fence
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function'
}
