/** A gate is a file: closed as long as it exists. It holds nodes where a demo or a test wants them, without a sleep. */
import { existsSync, watch } from 'node:fs'
import { dirname } from 'node:path'

/** Resolves when the gate is open. Throws when the signal fires first. */
export function passGate(gate: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (signal.aborted) end(() => reject(signal.reason))
      else if (!existsSync(gate)) end(resolve)
    }
    const watcher = watch(dirname(gate), look)
    const end = (settle: () => void) => {
      watcher.close()
      signal.removeEventListener('abort', look)
      settle()
    }
    watcher.on('error', (error) => end(() => reject(error)))
    signal.addEventListener('abort', look)
    // After the watcher has begun, or an opening in between would be missed.
    look()
  })
}
