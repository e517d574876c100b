/** For the process tests: nodes that hold on until a file is gone. */
import { existsSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { createFlow, type NodeArguments } from '@baton/core'

const polite = createFlow<string>('polite').node('hold', async ({ input: gate, signal }: NodeArguments<string>) => {
  await gone(gate, signal)
  return { output: 'through' }
})

/** Does not listen to its signal. */
const stubborn = createFlow<string>('stubborn').node('hold', async ({ input: gate }: NodeArguments<string>) => {
  await gone(gate, new AbortController().signal)
})

/** Never ends, and hears nothing. */
const deaf = createFlow<string>('deaf').node('hold', () => new Promise<never>(() => {}))

/** The same inside a step. */
const deafInStep = createFlow<string>('deaf-in-step').node('hold', ({ step }: NodeArguments<string>) =>
  step('hold', () => new Promise<never>(() => {})),
)

export const flows = [polite, stubborn, deaf, deafInStep]

function gone(gate: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (signal.aborted) reject(signal.reason)
      else if (!existsSync(gate)) resolve()
      else return
      watcher.close()
    }
    const watcher = watch(dirname(gate), look)
    signal.addEventListener('abort', look)
    look()
  })
}
