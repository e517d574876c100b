/** Which seed catches which planted bug. */
import { mutants } from '../mutants/index.ts'
import { type Failing, inChildren, type Task } from './seeds.ts'

export interface Caught {
  readonly name: string
  readonly where: string
  /** Undefined where it was not caught in time. */
  readonly seed: number | undefined
  readonly message: string
}

/** A bug that survives this many seeds was not caught. */
const MOST_SEEDS = 2_000

export async function catchMutants(options: {
  readonly from: number
  readonly onCaught: (caught: Caught) => void
}): Promise<readonly Caught[]> {
  const found = new Map<string, Failing>()
  await inChildren(tasks(options.from), (done, { mutant = '' }) => {
    const [first] = done.failing
    if (first !== undefined) found.set(mutant, first)
    const { where = '' } = mutants.find(({ name }) => name === mutant) ?? {}
    options.onCaught({ name: mutant, where, seed: first?.seed, message: first?.message ?? '' })
  })
  return mutants.map(({ name, where }) => {
    const first = found.get(name)
    return { name, where, seed: first?.seed, message: first?.message ?? 'not caught' }
  })
}

function* tasks(from: number): Generator<Task, void> {
  for (const { name } of mutants) yield { from, count: MOST_SEEDS, mutant: name, first: true }
}

export function tableOf(caught: readonly Caught[]): string {
  const rows = [
    ['planted bug', 'where', 'seed', 'violated'],
    ...caught.map(({ name, where, seed, message }) => [name, where, String(seed ?? '—'), message.slice(0, 100)]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
