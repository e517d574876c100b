/**
 * One sample in a process of its own: `node sample.js <contender> <workload>`. Prints a line of JSON. A fresh process,
 * so that no contender runs on what another has warmed up, filled or fragmented.
 */
import { loadContender } from './contenders/index.ts'
import { loadMeter, loadTurningMeter } from './meters/index.ts'
import { rateOf } from './rate.ts'
import type { Measurement } from './suite.ts'
import { takeTurns } from './turns.ts'
import { buildWorkload } from './workloads/index.ts'
import { calls } from './workloads/workload.ts'

const [contenderName = '', workloadName = ''] = process.argv.slice(2)
const turning = await loadTurningMeter(contenderName)
if (turning === undefined) {
  const meter = await loadMeter(contenderName)
  process.stdout.write(`${JSON.stringify(meter === undefined ? await runGraph() : await meter(workloadName))}\n`)
} else await takeTurns(await turning(workloadName))

async function runGraph(): Promise<readonly Measurement[]> {
  const contender = await loadContender(contenderName)
  const workload = buildWorkload(workloadName)
  const run = contender.prepare(workload)
  let runs = 0
  const runsPerSecond = await rateOf(async () => {
    const output = await run()
    runs += 1
    if (output !== workload.expected) throw new Error(`${contenderName} gave ${output}, not ${workload.expected}`)
  })
  const expectedCalls = runs * workload.nodes.length
  if (calls.count !== expectedCalls) throw new Error(`${calls.count} calls of nodes, not ${expectedCalls}`)
  return [
    { unit: 'nodes/s', value: runsPerSecond * workload.nodes.length },
    { unit: 'MB peak', value: process.resourceUsage().maxRSS / 1_024 },
  ]
}
