/**
 * All orders of a tiny world: at each point where several port calls could take effect next, or a worker could die, every
 * possibility is taken once. Depth first; each execution starts anew and repeats the choices of the one before, but for
 * the last that has another possibility left.
 */

/** What is chosen from at one point of an execution. */
interface Choice {
  readonly count: number
  taken: number
}

/** The choices of one execution. */
export class Choices {
  readonly #path: Choice[]
  #at = 0

  constructor(path: Choice[]) {
    this.#path = path
  }

  /** @returns which of so many possibilities is taken here */
  take(count: number): number {
    if (count <= 1) return 0
    const known = this.#path[this.#at]
    this.#at += 1
    if (known === undefined) {
      this.#path.push({ count, taken: 0 })
      return 0
    }
    if (known.count !== count) throw new Error('an execution is not determined by its choices')
    return known.taken
  }
}

export interface Explored {
  readonly orders: number
  /** False when there were more than the limit. */
  readonly isComplete: boolean
}

/** Executes once per order of choices, and stops when told to. */
export async function everyOrder(
  execute: (choices: Choices) => Promise<void>,
  { most }: { readonly most: number },
): Promise<Explored> {
  const path: Choice[] = []
  for (let orders = 1; ; orders++) {
    await execute(new Choices(path))
    if (!advance(path)) return { orders, isComplete: true }
    if (orders >= most) return { orders, isComplete: false }
  }
}

/** To the next path; false when that was the last. */
function advance(path: Choice[]): boolean {
  for (let last = path.pop(); last !== undefined; last = path.pop()) {
    if (last.taken + 1 >= last.count) continue
    path.push({ ...last, taken: last.taken + 1 })
    return true
  }
  return false
}
