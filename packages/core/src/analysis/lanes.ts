/**
 * The lines of a drawing, from top to bottom: each leads to a node that is still to come, whoever it comes from. There
 * are only so many, so that a drawing stays as wide as a screen; whoever gets none is told of in words.
 */
import type { ViewedNode } from './graph-view.ts'

const MOST_LANES = 12

export class Lanes {
  readonly #goals: (ViewedNode | undefined)[] = new Array<ViewedNode | undefined>(MOST_LANES).fill(undefined)
  readonly #laneOf = new Map<ViewedNode, number>()

  has(node: ViewedNode): boolean {
    return this.#laneOf.has(node)
  }

  /** Ends the line of a node, and gives its place. A node without one stands at the first free place, or beside them all. */
  arrive(node: ViewedNode): number {
    const lane = this.#laneOf.get(node)
    if (lane === undefined) {
      const free = this.#goals.indexOf(undefined)
      return free === -1 ? MOST_LANES : free
    }
    this.#laneOf.delete(node)
    this.#goals[lane] = undefined
    return lane
  }

  /**
   * Draws lines from a place to these nodes: to those that have one already, and new ones as long as there is room.
   *
   * @returns the row with the turns, absent where one line just goes on, and the nodes that are left over
   */
  lead(
    from: number,
    targets: readonly ViewedNode[],
  ): { readonly turns: string | undefined; readonly left: ViewedNode[] } {
    const left: ViewedNode[] = []
    const begun = new Set<number>()
    const joined = new Set<number>()
    for (const target of targets) {
      const known = this.#laneOf.get(target)
      const free = known ?? this.#freeLane(from)
      if (free === undefined) left.push(target)
      else {
        if (known === undefined) begun.add(free)
        else joined.add(free)
        this.#goals[free] = target
        this.#laneOf.set(target, free)
      }
    }
    const ends = [...begun, ...joined]
    const isStraight = ends.every((end) => end === from && begun.has(end))
    return { turns: isStraight ? undefined : this.#turns(from, begun, joined), left }
  }

  /** A row that all lines run through; something may stand at one place. */
  row(at?: { readonly place: number; readonly mark: string }): string {
    const cells = this.#goals.map((goal, lane) => (lane === at?.place ? at.mark : goal === undefined ? ' ' : '│'))
    if (at?.place === MOST_LANES) cells.push(at.mark)
    return cells.join(' ').trimEnd()
  }

  #freeLane(from: number): number | undefined {
    if (from < MOST_LANES && this.#goals[from] === undefined) return from
    const free = this.#goals.indexOf(undefined)
    return free === -1 ? undefined : free
  }

  #turns(from: number, begun: ReadonlySet<number>, joined: ReadonlySet<number>): string {
    const ends = [from, ...begun, ...joined]
    const first = Math.min(...ends)
    const last = Math.max(...ends)
    let row = ''
    for (let lane = 0; lane <= MOST_LANES; lane++) {
      const isEnd = begun.has(lane) || joined.has(lane)
      const isWithin = lane >= first && lane <= last
      if (isWithin && (isEnd || lane === from)) {
        const up = lane === from || joined.has(lane)
        row += corner({ up, down: isEnd, left: lane > first, right: lane < last })
      } else if (this.#goals[lane] !== undefined) row += '│'
      else row += isWithin ? '─' : ' '
      row += lane >= first && lane < last ? '─' : ' '
    }
    return row.trimEnd()
  }
}

interface Ways {
  readonly up: boolean
  readonly down: boolean
  readonly left: boolean
  readonly right: boolean
}

/** By up, down, left and right, as the digits of a number. */
const CORNERS = '   ─ ┐┌┬ ┘└┴│┤├┼'

function corner({ up, down, left, right }: Ways): string {
  return CORNERS[(up ? 8 : 0) + (down ? 4 : 0) + (left ? 1 : 0) + (right ? 2 : 0)] ?? ' '
}
