/**
 * A worker: claims what is due in the folder and commits the next node of its line, until it is killed. Prints what it
 * committed, once the store has said so. A line ends at node n<last>. After `most` commits it claims one more node and
 * hangs with it, so that work which needs more commits needs more workers, however fast each of them is.
 */
import { FileRunStore } from '../../src/run-store.ts'
import { claimOf, step } from '../runs.ts'

const [directory = '', last = '5', leaseMs = '400', most = '1e9'] = process.argv.slice(2)
const store = new FileRunStore({ directory, redispatchMs: 50 })
const workerId = `w${process.pid}`
let commits = 0
process.stdout.write('ready\n')

for (;;) {
  const due = await store.due({ limit: 16 })
  if (due.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const shuffled = [...due].sort(() => Math.random() - 0.5)
  for (const item of shuffled.slice(0, 4)) {
    if (item.type !== 'instance') continue
    const { runId, instanceId } = item
    const result = await store.claim(claimOf(runId, instanceId, workerId, Number(leaseMs)))
    if (result.status !== 'claimed') continue
    if (commits === Number(most)) await new Promise(() => setInterval(() => {}, 60_000))
    const { claim } = result
    const commit = await store.commit(
      step(runId, claim, {
        output: claim.fence,
        commitId: `${workerId}-${instanceId}`,
        last: instanceId === `n${last}`,
      }),
    )
    if (commit.status !== 'committed') continue
    commits += 1
    process.stdout.write(`${runId} ${instanceId} ${claim.fence}\n`)
  }
}
