/** The processes of the demo: how they are started, what they say, and that none of them is left behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { extname, join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Program {
  readonly name: string
  readonly pid: number
  readonly exit: Promise<Exit>
  kill(signal: NodeJS.Signals): void
  /** The last lines it wrote to stderr. */
  lastWords(): string
}

export interface ProgramOptions {
  readonly name: string
  readonly house: string
  readonly app: 'worker' | 'client'
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Its stderr goes here. */
  readonly log: string
  onOut?(line: string): void
  onLog?(line: string): void
}

const LAST_LINES = 5

/**
 * Starts an app by Node itself, so that the process we may kill is the one that works, and no wrapper of it. It holds on
 * to us by its stdin: when we are gone, even by a SIGKILL, it goes as well.
 */
export function startProgram(options: ProgramOptions): Program {
  const { name, house, app, args, env, log, onOut, onLog } = options
  const child = spawn(process.execPath, [...process.execArgv, entryOf(house, app), ...args], {
    cwd: house,
    env: { ...withoutBaton(process.env), BATON_EXIT_WITH_PARENT: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const last: string[] = []
  const file = createWriteStream(log, { flags: 'a' })
  createInterface({ input: child.stdout }).on('line', (line) => onOut?.(line))
  createInterface({ input: child.stderr }).on('line', (line) => {
    file.write(`${line}\n`)
    last.push(line)
    if (last.length > LAST_LINES) last.shift()
    onLog?.(line)
  })
  return {
    name,
    pid: child.pid ?? 0,
    exit: exitOf(child).finally(() => file.end()),
    kill: (signal) => void child.kill(signal),
    lastWords: () => last.join('\n'),
  }
}

/** The app as we are ourselves: built, or straight from its source under `tsx`. */
function entryOf(house: string, app: string): string {
  const built = extname(import.meta.filename) === '.js'
  return join(house, 'apps', app, built ? 'dist/main.js' : 'src/main.ts')
}

/** `close`, not `exit`: by then everything that it wrote has been read. */
function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}

/** The settings of whoever starts the demo are not for the demo's processes. */
function withoutBaton(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('BATON_')))
}
