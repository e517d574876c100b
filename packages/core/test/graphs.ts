/** Graphs for the tests of those who look at them, and a count of what looking costs. */
import type { Blueprint, BlueprintEdge, NodeConfig } from '../src/model/blueprint.ts'

/** `a>b a>c`: nodes in the order in which they are named. */
export function graph(edges: string, configs: { readonly [id: string]: NodeConfig } = {}): Blueprint {
  const pairs = edges.split(' ').map((edge) => edge.split('>') as [string, string?])
  const fallbacks = Object.values(configs).flatMap(({ fallback }) => fallback ?? [])
  const ids = new Set([...pairs.flatMap((pair) => pair.filter((id) => id !== undefined)), ...fallbacks])
  return {
    id: 'x',
    nodes: [...ids].map((id) => ({ id, uses: 'f', ...(configs[id] === undefined ? {} : { config: configs[id] }) })),
    edges: pairs.flatMap(([source, target]): BlueprintEdge[] => (target === undefined ? [] : [{ source, target }])),
  }
}

/** Layers of ten nodes, each with edges to two of the next; one fallback and one condition in ten. */
export function ladder(nodeCount: number): Blueprint {
  const nodes: Blueprint['nodes'][number][] = []
  const edges: BlueprintEdge[] = []
  for (let index = 0; index < nodeCount; index++) {
    const fallback = index % 10 === 0 ? { config: { fallback: `spare${index}` } } : {}
    nodes.push({ id: `n${index}`, uses: 'f', ...fallback })
    if (index % 10 === 0) nodes.push({ id: `spare${index}`, uses: 'f' })
    for (const target of [index + 10, index + 11]) {
      if (target < nodeCount)
        edges.push({ source: `n${index}`, target: `n${target}`, ...(index % 10 === 1 ? { action: 'x' } : {}) })
    }
  }
  return { id: 'ladder', nodes, edges }
}

/**
 * How often the work looked something up, put something somewhere or walked over something: what would grow faster than
 * the graph if the work did. Array methods that walk count each item.
 */
export function countedWork(work: () => unknown): number {
  let count = 0
  const undo: (() => void)[] = []
  const spy = <Kind extends object>(prototype: Kind, methods: readonly (keyof Kind & string)[], walks: boolean) => {
    for (const method of methods) {
      const original = prototype[method] as (...args: unknown[]) => unknown
      const counting = function (this: { readonly length?: number }, ...args: unknown[]) {
        count += walks ? (this.length ?? 0) : 1
        return original.apply(this, args)
      }
      Object.defineProperty(prototype, method, { value: counting, writable: true, configurable: true })
      undo.push(() => Object.defineProperty(prototype, method, { value: original, writable: true, configurable: true }))
    }
  }
  spy(Map.prototype, ['get', 'set', 'has', 'delete'], false)
  spy(Set.prototype, ['add', 'has', 'delete'], false)
  spy(Array.prototype, ['push', 'pop', 'splice'], false)
  spy(
    Array.prototype,
    [
      'map',
      'filter',
      'find',
      'findIndex',
      'includes',
      'indexOf',
      'some',
      'every',
      'flatMap',
      'forEach',
      'join',
      'slice',
      'reduce',
    ],
    true,
  )
  try {
    work()
  } finally {
    for (const each of undo) each()
  }
  return count
}
