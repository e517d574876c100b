/**
 * The least that can be called a graph engine: nodes are integers, joins are counters, and a node's function gets its
 * predecessor's output (a join: a list of them) and is awaited. No ids, errors, retries, timeouts, cancellation,
 * events or state to look at. It is a floor to measure against, not a product.
 */
import type { WorkFunction, Workload } from '../workloads/workload.ts'
import type { GraphContender } from './contender.ts'

export const contender: GraphContender = {
  prepare(workload) {
    const graph = compile(workload)
    return () => new FloorRun(graph).finish()
  },
}

interface Compiled {
  readonly fns: readonly WorkFunction[]
  readonly predecessors: readonly (readonly number[])[]
  readonly successors: readonly (readonly number[])[]
  readonly indegrees: readonly number[]
  readonly starts: readonly number[]
  readonly terminals: readonly number[]
}

function compile({ nodes, edges, terminals }: Workload): Compiled {
  const numbers = new Map(nodes.map(({ id }, number) => [id, number]))
  const numberOf = (id: string) => numbers.get(id) as number
  const predecessors = nodes.map((): number[] => [])
  const successors = nodes.map((): number[] => [])
  for (const [source, target] of edges) {
    predecessors[numberOf(target)]?.push(numberOf(source))
    successors[numberOf(source)]?.push(numberOf(target))
  }
  return {
    fns: nodes.map(({ fn }) => fn),
    predecessors,
    successors,
    indegrees: predecessors.map(({ length }) => length),
    starts: nodes.map((_, number) => number).filter((number) => predecessors[number]?.length === 0),
    terminals: terminals.map(numberOf),
  }
}

class FloorRun {
  readonly #graph: Compiled
  readonly #missing: number[]
  readonly #outputs: unknown[]

  constructor(graph: Compiled) {
    this.#graph = graph
    this.#missing = graph.indegrees.slice()
    this.#outputs = new Array<unknown>(graph.fns.length)
  }

  async finish(): Promise<number> {
    const { starts, terminals } = this.#graph
    if (starts.length === 1) await this.#goOn(starts[0] as number)
    else await Promise.all(starts.map((start) => this.#goOn(start)))
    let sum = 0
    for (const terminal of terminals) sum += this.#outputs[terminal] as number
    return sum
  }

  /** Runs a node and what it makes ready: the first here, each of the others beside it. */
  async #goOn(start: number): Promise<void> {
    const { fns, successors } = this.#graph
    let others: Promise<void>[] | undefined
    for (let number: number | undefined = start; number !== undefined; ) {
      const fn = fns[number] as WorkFunction
      const { output } = await fn({ input: this.#inputOf(number) })
      this.#outputs[number] = output
      let next: number | undefined
      for (const successor of successors[number] as readonly number[]) {
        const missing = (this.#missing[successor] as number) - 1
        this.#missing[successor] = missing
        if (missing > 0) continue
        if (next === undefined) next = successor
        else {
          others ??= []
          others.push(this.#goOn(successor))
        }
      }
      number = next
    }
    if (others !== undefined) await Promise.all(others)
  }

  #inputOf(number: number): unknown {
    const predecessors = this.#graph.predecessors[number] as readonly number[]
    if (predecessors.length === 0) return undefined
    if (predecessors.length === 1) return this.#outputs[predecessors[0] as number]
    return predecessors.map((predecessor) => this.#outputs[predecessor])
  }
}
