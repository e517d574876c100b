/** Flows with their versions in one word, as indexes call them. A flow id has no `/`. */
import type { DueFlow } from '../ports/run-store.ts'

export function flowName({ flowId, version }: DueFlow): string {
  return version === undefined ? flowId : `${flowId}/${version}`
}

export function flowOfName(name: string): DueFlow {
  const end = name.indexOf('/')
  return end < 0 ? { flowId: name } : { flowId: name.slice(0, end), version: name.slice(end + 1) }
}

/** The names under which work for these flows may stand: whoever has a version of a flow also takes its runs without one. */
export function namesFor(flows: readonly DueFlow[]): readonly string[] {
  return [...new Set(flows.flatMap((flow) => [flowName(flow), flow.flowId]))]
}
