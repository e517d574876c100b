/** How fast something is, told by doing it again and again: warm up, then count for long enough to be worth dividing. */
import { performance } from 'node:perf_hooks'

const SAMPLE_MS = 1_000
/** Looking at the clock after every call would be most of the work of a small one. */
const BATCH_MS = 20

/**
 * @param warmUpMs long enough for the code to be compiled: what is called less often takes longer
 * @returns calls per second
 */
export async function rateOf(work: () => Promise<void>, warmUpMs = 500): Promise<number> {
  let batch = 1
  let calls = 0
  const warmUpFrom = performance.now()
  do {
    const batchFrom = performance.now()
    for (let call = 0; call < batch; call++) await work()
    if (performance.now() - batchFrom < BATCH_MS / 2) batch *= 2
  } while (performance.now() - warmUpFrom < warmUpMs)

  const from = performance.now()
  let tookMs = 0
  do {
    for (let call = 0; call < batch; call++) await work()
    calls += batch
    tookMs = performance.now() - from
  } while (tookMs < SAMPLE_MS)
  return (calls / tookMs) * 1_000
}
