/** A graph to run, the same for every contender: what each node does, and what must come out. */
export interface Workload {
  readonly name: string
  readonly nodes: readonly WorkNode[]
  readonly edges: readonly (readonly [source: string, target: string])[]
  /** How many nodes can run at the same time. */
  readonly width: number
  /** The nodes that nothing follows, and the sum of what they give. */
  readonly terminals: readonly string[]
  readonly expected: number
}

export interface WorkNode {
  readonly id: string
  readonly fn: WorkFunction
}

export type WorkFunction = (args: { readonly input?: unknown }) => Promise<{ readonly output: number }>

/** How often a node function was called in this process. Contenders that skip work would be fast. */
export const calls = { count: 0 }

/** Gives one more than what came in: the end of a line knows how long the line was. */
export function counting(): WorkFunction {
  return async ({ input }) => {
    calls.count += 1
    return { output: typeof input === 'number' ? input + 1 : 1 }
  }
}

/**
 * Gives 1 whatever came in. For joins: contenders differ in what they hand to a node with several predecessors, and
 * unpacking it would measure that.
 */
export function constant(): WorkFunction {
  return async () => {
    calls.count += 1
    return { output: 1 }
  }
}
