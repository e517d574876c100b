/** Real processes for the tests that need somebody to kill. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface Child {
  readonly pid: number
  /** The lines it has printed so far. */
  readonly lines: readonly string[]
  /** Resolves when it has printed that many lines, or ended. */
  printed(count: number): Promise<void>
  kill(): Promise<void>
  /** @returns its exit code */
  ended(): Promise<number | null>
}

/** Starts a script: `new URL('./children/…', import.meta.url)`. */
export function startChild(script: URL, args: readonly string[]): Child {
  const flags = ['--import', 'tsx', '--conditions=@baton/source', fileURLToPath(script)]
  const child: ChildProcessByStdio<null, Readable, null> = spawn(process.execPath, [...flags, ...args], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  const exit = once(child, 'close') as Promise<[number | null]>
  const check = (over: boolean) => {
    for (const { count, resolve } of waiting) if (over || lines.length >= count) resolve()
  }
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    check(false)
  })
  void exit.then(() => check(true))
  return {
    pid: child.pid ?? -1,
    lines,
    printed: (count) =>
      new Promise((resolve) => {
        if (lines.length >= count || child.exitCode !== null || child.signalCode !== null) return resolve()
        waiting.push({ count, resolve })
      }),
    kill: async () => {
      child.kill('SIGKILL')
      await exit
    },
    ended: async () => (await exit)[0],
  }
}
