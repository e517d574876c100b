/**
 * A run that waits for a person, and outlives the process that started it.
 *
 *   npm start                       starts the run; it asks, pauses, and this process ends
 *   npm start -- approve <folder>   another process answers, and carries the run to its end
 *
 * The two share the folder, which the first one prints, and the run's id, nothing else. Between them a day may pass, or
 * a reboot.
 */
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFlow, FlowRuntime, type NodeArguments } from '@baton/core'
import { FileRunStore } from '@baton/store-file'

interface Refund {
  readonly to: string
  readonly euros: number
}

const refunds = createFlow<Refund>('refunds')
  .node('ask', async ({ input, approval }: NodeArguments<Refund>) => {
    // No worker is held while the answer is out. When it comes, the function is entered again, and gets it here.
    const { by } = await approval('refund', { request: `Refund ${input.euros} € to ${input.to}?` })
    return { output: { ...input, by } }
  })
  .node('pay', ({ input }: NodeArguments<Refund & { by: string | undefined }>) => ({
    output: `${input.to} got ${input.euros} €, since ${input.by} said yes`,
  }))
  .edge('ask', 'pay')

const runId = 'refund-17'
const [command, folder] = process.argv.slice(2)
const isAnswer = command === 'approve'
if (isAnswer && !existsSync(folder ?? '')) {
  // A store makes its folder when it is missing, and would then say that it knows of no such run.
  console.error(folder === undefined ? 'Say which folder.' : `There is no folder ${folder}.`)
  console.error('Answer with the line that the start has printed: npm start -- approve <folder>')
  process.exit(2)
}

// A new one for each run, so that the example can be played again and by several at a time; yours would have one.
const directory = folder ?? mkdtempSync(join(tmpdir(), 'baton-approval-'))

const store = new FileRunStore({ directory })
const runtime = new FlowRuntime({ flows: [refunds], store })
await (isAnswer ? answer() : ask())
await runtime.stop()
await store.close()

async function ask(): Promise<void> {
  const run = await runtime.start(refunds, { to: 'Ada', euros: 80 }, { runId })
  for await (const { type } of run.stream()) if (type === 'run-paused') break
  const { status, pendingApproval } = await run.summary()
  console.log(`${runId} is ${status}: ${pendingApproval?.request}`)
  console.log(`To say yes: npm start -- approve ${directory}`)
}

async function answer(): Promise<void> {
  const run = runtime.get<string>(runId)
  await run.approve({ by: 'Grace' })
  console.log(`${runId} is completed: ${await run.result()}`)
}
