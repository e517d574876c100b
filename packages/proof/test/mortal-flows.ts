/** What the processes of `killed-at.test.ts` work on. Node code writes down that it runs, outside of the store. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { createFlow, type NodeArguments, type RunnableFlow } from '@baton/core'
import { withSchedules } from '@baton/schedule'

/** Short, so that whoever comes after need not wait. */
export const TIMES = { leaseMs: 400, sweepMs: 100, redispatchMs: 150 }

export const DONE = 'done'
const LOOK_MS = 10

export function seatOf(version: string): RunnableFlow {
  return createFlow('seat', { version, concurrency: { limit: 1 } }).node(
    'sit',
    async ({ waitForSignal }: NodeArguments) => ({ output: `${await waitForSignal<string>('stand')} by ${version}` }),
  )
}

export function mortalFlows(directory: string, { workerId, seatVersion }: { workerId: string; seatVersion: string }) {
  const witness = ({ runId, instanceId }: Pick<NodeArguments, 'runId' | 'instanceId'>) =>
    appendFileSync(witnessIn(directory), `${workerId} ${runId} ${instanceId}\n`)
  const row = createFlow<number>('row').node('go', async (args: NodeArguments<number>) => {
    witness(args)
    return args.input < 4 ? args.continueAsNew(args.input + 1) : { output: `reached ${args.input}` }
  })
  const busy = createFlow('busy').node('work', async (args: NodeArguments) => {
    witness(args)
    while (!existsSync(join(directory, DONE))) await setTimeout(LOOK_MS)
    return { output: `by ${workerId}` }
  })
  const rest = createFlow<number>('rest').node('sleep', async ({ input, sleep }: NodeArguments<number>) => {
    await sleep(input)
    return { output: 'rested' }
  })
  const fragile = createFlow('fragile').node('break', (args: NodeArguments) => {
    witness(args)
    if (args.previousIdempotencyKey === undefined) throw new Error('broken')
    return { output: 'mended' }
  })
  const own = [row, busy, rest, fragile]
  return { row, busy, rest, fragile, all: [...withSchedules(own), seatOf(seatVersion)] }
}

/** Each line: worker, run, instance. */
export function witnessedIn(directory: string): readonly string[] {
  const path = witnessIn(directory)
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
}

function witnessIn(directory: string): string {
  return join(directory, 'witness.txt')
}
