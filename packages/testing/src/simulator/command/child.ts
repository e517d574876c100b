/** A process that simulates what it is told to, until nobody tells it any more. */
import { mutantOf } from '../mutants/index.ts'
import { simulate } from '../simulate.ts'
import type { Done, Failing, Task } from './seeds.ts'

process.on('message', (task: Task) => {
  void run(task).then((done) => process.send?.(done))
})

async function run({ from, count, mutant, first = false }: Task): Promise<Done> {
  const failing: Failing[] = []
  const planted = mutant === undefined ? undefined : mutantOf(mutant)
  for (let seed = from; seed < from + count; seed++) {
    const { violation } = await simulate({ seed, mutant: planted })
    if (violation === undefined) continue
    failing.push({ seed, invariant: violation.invariant, message: violation.message })
    if (first) return { count: seed - from + 1, failing }
  }
  return { count, failing }
}
