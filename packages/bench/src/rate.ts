/** How fast something is, told by doing it again and again: warm up, then count for long enough to be worth dividing. */
import { performance } from 'node:perf_hooks'

const WARM_UP_MS = 500
const SAMPLE_MS = 1_000
/** Looking at the clock after every call would be most of the work of a small one. */
const BATCH_MS = 20

/** @returns calls per second */
export async function rateOf(work: () => Promise<void>): Promise<number> {
  let batch = 1
  let calls = 0
  const warmUpFrom = performance.now()
  do {
    const batchFrom = performance.now()
    for (let call = 0; call < batch; call++) await work()
    if (performance.now() - batchFrom < BATCH_MS / 2) batch *= 2
  } while (performance.now() - warmUpFrom < WARM_UP_MS)

  const from = performance.now()
  let tookMs = 0
  do {
    for (let call = 0; call < batch; call++) await work()
    calls += batch
    tookMs = performance.now() - from
  } while (tookMs < SAMPLE_MS)
  return (calls / tookMs) * 1_000
}
