/** What is run on Redis, the same for every contender: each node adds one to a number, and the last gives the sum. */
export interface Shape {
  readonly name: string
  /** One after the other; or one, so many beside each other, and one that joins them. */
  readonly form: 'line' | 'fan'
  /** Nodes of the line, or branches. */
  readonly size: number
  /** Runs of one sample, and how many of them at the same time. */
  readonly runs: number
  readonly atOnce: number
  /** A value in the context from the first node on: every node after it changes one small key. */
  readonly contextChars?: number
}

export const W5 = 'w5-line-10'
export const W5_FEW = 'w5-line-10-few'
export const W6 = 'w6-fan-out-50'
export const W6_WIDE = 'w6-fan-out-200'
export const W7 = 'w7-context-1mb'
export const W8 = 'w8-idle'

const shapes: readonly Shape[] = [
  { name: W5, form: 'line', size: 10, runs: 500, atOnce: 500 },
  // For whoever takes minutes for the 500.
  { name: W5_FEW, form: 'line', size: 10, runs: 50, atOnce: 50 },
  { name: W6, form: 'fan', size: 50, runs: 50, atOnce: 50 },
  { name: W6_WIDE, form: 'fan', size: 200, runs: 12, atOnce: 12 },
  { name: W7, form: 'line', size: 101, runs: 1, atOnce: 1, contextChars: 2 ** 20 },
  { name: W8, form: 'line', size: 10, runs: 100, atOnce: 1 },
]

export function shapeOf(name: string): Shape {
  const shape = shapes.find((each) => each.name === name)
  if (shape === undefined) throw new Error(`no shape ${name}`)
  return shape
}

export function nodesOf({ form, size }: Shape): number {
  return form === 'line' ? size : size + 2
}

/** What the last node gives: the length of the line, or the number of branches that the join has seen. */
export function expectedOf({ size }: Shape): number {
  return size
}
