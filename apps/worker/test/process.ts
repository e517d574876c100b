/** A worker process under test: started by Node itself, from the sources, and never left behind. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { houseProgram } from '@baton/services'
import { onTestFinished } from 'vitest'

interface LogLine {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'baton-worker-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export function startWorker(env: Record<string, string>, args: readonly string[] = []) {
  const house = join(import.meta.dirname, '../../..')
  const { file, nodeFlags } = houseProgram(join(import.meta.dirname, '../src/main.ts'), { typescript: true })
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('BATON_'))
  const child = spawn(process.execPath, [...nodeFlags, file, ...args], {
    cwd: house,
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line)
    for (const look of waiting) look()
  })
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  return {
    lines,
    exit,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    /** What the system does with our ends of its pipes when we are gone. */
    abandon() {
      child.stdin.destroy()
      child.stdout.destroy()
      child.stderr.destroy()
    },
    /** The first log line with this message, as soon as there is one. */
    said(message: string): Promise<LogLine> {
      const found = new Promise<LogLine>((resolve) => {
        const look = () => {
          const line = lines.find((each) => each.includes(JSON.stringify(message)))
          if (line === undefined) return
          waiting.delete(look)
          resolve(JSON.parse(line) as LogLine)
        }
        waiting.add(look)
        look()
      })
      const ended = exit.then(() => {
        const line = lines.find((each) => each.includes(JSON.stringify(message)))
        if (line !== undefined) return JSON.parse(line) as LogLine
        throw new Error(`the worker ended without saying "${message}":\n${lines.join('\n')}`)
      })
      return Promise.race([found, ended])
    },
  }
}
