import type { RunId } from '../model/ids.ts'
import type { RunHead } from '../model/run.ts'
import type { DueFlow } from '../ports/run-store.ts'

export interface List extends DueFlow {
  readonly runs: Set<RunId>
}

/** Which runs to look at for a version. A run may have left its list unnoticed: whoever looks strikes it out. */
export class WaitingLists {
  readonly #lists = new Map<string, List>()
  readonly #listeners = new Set<{ readonly names: ReadonlySet<string>; readonly wake: () => void }>()

  add({ runId, flowId, version }: Pick<RunHead, 'runId' | 'flowId' | 'version'>): void {
    const name = nameOf(flowId, version)
    const list = this.#lists.get(name) ?? { flowId, version, runs: new Set() }
    this.#lists.set(name, list)
    list.runs.add(runId)
    for (const { names, wake } of [...this.#listeners]) if (names.has(name)) wake()
  }

  remove({ flowId, version }: DueFlow, runId: RunId): void {
    const name = nameOf(flowId, version)
    const list = this.#lists.get(name)
    list?.runs.delete(runId)
    if (list?.runs.size === 0) this.#lists.delete(name)
  }

  /** The lists from which somebody with these flows may take, or all of them. */
  lists(flows?: readonly DueFlow[]): readonly List[] {
    if (flows === undefined) return [...this.#lists.values()]
    return [...namesFor(flows)].flatMap((name) => this.#lists.get(name) ?? [])
  }

  listen(flows: readonly DueFlow[], wake: () => void): () => void {
    const listener = { names: namesFor(flows), wake }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** Whoever has any version of a flow may carry out its runs without one. */
function namesFor(flows: readonly DueFlow[]): ReadonlySet<string> {
  return new Set(flows.flatMap(({ flowId, version }) => [nameOf(flowId, version), nameOf(flowId, undefined)]))
}

function nameOf(flowId: string, version: string | undefined): string {
  return JSON.stringify([flowId, version])
}
