import { duration } from '../journal/duration.ts'

/** How often a node's code, or a step's function, was called. */
export interface NodeCount {
  /** When nothing goes wrong. */
  readonly usual: number
  /** In the worst of the runs. */
  readonly most: number
}

export type Unit = readonly [one: string, many: string]

export const CRASHES: Unit = ['crash', 'crashes']
export const SEEDS: Unit = ['seed', 'seeds']

/** `1 crash`, `2 crashes`. */
export function counted(count: number, [one, many]: Unit): string {
  return `${count} ${count === 1 ? one : many}`
}

export interface CheckReportParts {
  /** What was tried, for one and for many. */
  readonly unit: Unit
  readonly tried: number
  readonly leftOut: number
  readonly tookMs: number
  readonly nodes: ReadonlyMap<string, NodeCount>
}

/** What a check did, and how often code ran in it. What ran more often than usual is done twice in production, too. */
export class CheckReport {
  /** How often it was tried. */
  readonly tried: number
  /** What was left out because of `limit`. */
  readonly leftOut: number
  /** In real time. */
  readonly tookMs: number
  /** By the id of the node; steps as `node · step`, nodes of other flows as `flow/node`. */
  readonly nodes: ReadonlyMap<string, NodeCount>
  readonly #unit: Unit

  constructor({ unit, tried, leftOut, tookMs, nodes }: CheckReportParts) {
    this.tried = tried
    this.leftOut = leftOut
    this.tookMs = tookMs
    this.nodes = nodes
    this.#unit = unit
  }

  toText(): string {
    const left = this.leftOut === 0 ? '' : `, ${this.leftOut} left out`
    const head = `${counted(this.tried, this.#unit)}${left}, ${duration(this.tookMs)}`
    const width = Math.max(4, ...[...this.nodes.keys()].map((name) => name.length))
    const rows = [...this.nodes].map(
      ([name, { usual, most }]) => `${name.padEnd(width)}  ${String(usual).padStart(5)}  ${String(most).padStart(7)}`,
    )
    return [head, `${'code'.padEnd(width)}  calls  at most`, ...rows].join('\n')
  }
}

/** Keeps count over the runs of a check. */
export class NodeCounts {
  readonly #counts = new Map<string, { usual: number; most: number }>()

  constructor(usual: ReadonlyMap<string, number>) {
    for (const [name, count] of usual) this.#counts.set(name, { usual: count, most: count })
  }

  add(counts: ReadonlyMap<string, number>): void {
    for (const [name, count] of counts) {
      const known = this.#counts.get(name) ?? { usual: 0, most: 0 }
      known.most = Math.max(known.most, count)
      this.#counts.set(name, known)
    }
  }

  get all(): ReadonlyMap<string, NodeCount> {
    return this.#counts
  }
}
