/**
 * No engine at all: what somebody would write by hand with a loop and promises. Its lines are so empty that the
 * compiler inlines them away, so it is shown for scale and no budget is held against it.
 */
import type { WorkFunction } from '../workloads/workload.ts'
import type { GraphContender } from './contender.ts'

export const contender: GraphContender = {
  prepare({ nodes, edges, terminals, width }) {
    if (width === 1) return () => inOrder(nodes.map(({ fn }) => fn))
    const sources = new Map(nodes.map(({ id }): [string, string[]] => [id, []]))
    for (const [source, target] of edges) sources.get(target)?.push(source)
    return async () => {
      const outputs = new Map<string, Promise<number>>()
      for (const { id, fn } of nodes) outputs.set(id, after(fn, sources.get(id) ?? [], outputs))
      let sum = 0
      for (const id of terminals) sum += (await outputs.get(id)) ?? Number.NaN
      return sum
    }
  },
}

async function inOrder(fns: readonly WorkFunction[]): Promise<number> {
  let input: number | undefined
  for (const fn of fns) input = (await fn({ input })).output
  return input ?? Number.NaN
}

async function after(fn: WorkFunction, sources: readonly string[], outputs: ReadonlyMap<string, Promise<number>>) {
  const inputs = await Promise.all(sources.map((id) => outputs.get(id)))
  const { output } = await fn({ input: inputs.length === 1 ? inputs[0] : inputs })
  return output
}
