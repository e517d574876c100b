/** Warnings about loops that go round in vain. */
import { findLoops } from '../model/loops.ts'
import type { GraphView } from './graph-view.ts'
import type { Finding } from './lint-blueprint.ts'

export function loopWarnings({ blueprint }: GraphView): Finding[] {
  const loops = findLoops(blueprint)
  if (loops.size === 0) return []
  // Edges that lead out decide nothing: the loop goes round all the same.
  const decided = new Set<string>()
  for (const { source, target, action, condition } of blueprint.edges) {
    if (action === undefined && condition === undefined) continue
    const around = new Set(loops.get(target)?.map(({ header }) => header))
    for (const { header } of loops.get(source) ?? []) if (around.has(header)) decided.add(header)
  }
  const told = new Set<string>()
  return blueprint.edges.flatMap(({ source, target, loop }, index): Finding[] => {
    if (loop === undefined) return []
    const what = `${source} -> ${target}`
    if (loop.maxVisits === 1) return [{ code: 'LOOP_OF_ONE', field: `edges[${index}].loop.maxVisits`, what }]
    if (decided.has(target) || told.has(target)) return []
    told.add(target)
    return [{ code: 'LOOP_WITHOUT_END', field: `edges[${index}]`, what }]
  })
}
