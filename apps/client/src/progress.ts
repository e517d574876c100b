/** What a follower knows about a run: a fold of its events, and nothing else. */
import { isTurn, nodeOfInstance, type RunEvent } from '@baton/core'

export interface NodeProgress {
  readonly nodeId: string
  /** Instances at work now, with who does it. */
  readonly running: ReadonlyMap<string, string>
  /** Ended well, ended badly, skipped or called off. For a map these count its items. */
  readonly done: number
  readonly failed: number
  readonly skipped: number
  /** Known for maps, once they have their list. */
  readonly total: number | undefined
  /** What it asks for: an approval or a signal by name. */
  readonly waitsFor: string | undefined
  readonly isSettled: boolean
}

type Mutable = { -readonly [Name in keyof NodeProgress]: NodeProgress[Name] } & { running: Map<string, string> }

export class Progress {
  readonly #nodes = new Map<string, Mutable>()
  #flow = ''
  #status = 'pending'
  #startedAtMs = 0
  #lastAtMs = 0

  get flow(): string {
    return this.#flow
  }

  get status(): string {
    return this.#status
  }

  get startedAtMs(): number {
    return this.#startedAtMs
  }

  get elapsedMs(): number {
    return this.#lastAtMs - this.#startedAtMs
  }

  get nodes(): readonly NodeProgress[] {
    return [...this.#nodes.values()]
  }

  get isIdle(): boolean {
    return this.nodes.every(({ running, waitsFor }) => running.size === 0 && waitsFor === undefined)
  }

  node(instanceId: string): NodeProgress {
    return this.#node(instanceId)
  }

  apply(event: RunEvent): void {
    this.#lastAtMs = event.atMs
    // Where a loop turns no code runs, and nobody asked about it.
    if ('instanceId' in event && event.instanceId !== undefined && isTurn(event.instanceId)) return
    switch (event.type) {
      case 'run-started': {
        const { flowId, version } = event.head
        this.#flow = version === undefined ? flowId : `${flowId}@${version}`
        this.#startedAtMs = event.atMs
        return
      }
      case 'run-paused':
      case 'run-pause-ordered':
        this.#status = 'paused'
        return
      case 'run-resumed':
      case 'run-pause-lifted':
        this.#status = 'running'
        return
      case 'run-cancel-requested':
        this.#status = 'cancelling'
        return
      case 'run-completed':
      case 'run-failed':
      case 'run-cancelled':
        this.#status = event.type.slice('run-'.length)
        return
      case 'node-claimed': {
        this.#status = this.#status === 'cancelling' ? this.#status : 'running'
        const node = this.#node(event.instanceId)
        node.running.set(event.instanceId, event.workerId)
        node.waitsFor = undefined
        return
      }
      case 'map-expanded':
        this.#node(event.instanceId).total = event.items.length
        this.#node(event.instanceId).running.delete(event.instanceId)
        return
      case 'node-awaited':
        this.#node(event.instanceId).waitsFor = `${event.wait.kind} ${nameOfWait(event.instanceId, event.wait.name)}`
        this.#node(event.instanceId).running.delete(event.instanceId)
        return
      case 'node-succeeded':
        this.#settle(event.instanceId, 'done')
        return
      case 'node-failed':
        this.#settle(event.instanceId, 'failed')
        return
      case 'node-skipped':
      case 'node-cancelled':
        this.#settle(event.instanceId, 'skipped')
        return
      case 'node-lost':
      case 'node-released':
      case 'node-slept':
      case 'attempt-failed':
        this.#node(event.instanceId).running.delete(event.instanceId)
    }
  }

  #settle(instanceId: string, fate: 'done' | 'failed' | 'skipped'): void {
    const node = this.#node(instanceId)
    node.running.delete(instanceId)
    node.waitsFor = undefined
    if (!isItem(instanceId)) node.isSettled = true
    // The end of a map is told by its items.
    if (isItem(instanceId) || node.total === undefined || fate === 'failed') node[fate] += 1
  }

  #node(instanceId: string): Mutable {
    const nodeId = nodeOfInstance(instanceId)
    const known = this.#nodes.get(nodeId)
    if (known !== undefined) return known
    const node: Mutable = {
      nodeId,
      running: new Map(),
      done: 0,
      failed: 0,
      skipped: 0,
      total: undefined,
      waitsFor: undefined,
      isSettled: false,
    }
    this.#nodes.set(nodeId, node)
    return node
  }
}

export function isItem(instanceId: string): boolean {
  return instanceId.endsWith(']')
}

/** The id of an approval begins with the instance that asks; a signal has a name alone, colons and all. */
export function nameOfWait(instanceId: string, name: string): string {
  return name.startsWith(`${instanceId}:`) ? name.slice(instanceId.length + 1) : name
}
