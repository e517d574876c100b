/** A server of our own, as a child process that never outlives us. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const START_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 20_000
const KNOCK_EVERY_MS = 20
const LAST_WORDS = 5

export interface ServerCommand {
  readonly command: string
  readonly args: readonly string[]
  /** The line by which the server says that it takes connections; or, for a silent one, the port that it opens then. */
  readonly ready: RegExp | { readonly port: number }
}

export class ServerProcess {
  readonly folder: string
  #server: ChildProcess | undefined
  #leash: ChildProcess | undefined

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `baton-${name}-`))
  }

  /** Starts it in its folder. Resolves when it takes connections, rejects with its last words when it ends before. */
  async start({ command, args, ready }: ServerCommand): Promise<void> {
    if (!(ready instanceof RegExp) && (await answers(ready.port)))
      throw new Error(`${ready.port}: address already in use`)
    // A group of its own: an interrupt at the terminal must not take it from a test that still runs.
    const server = spawn(command, args, { cwd: this.folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    server.unref()
    this.#server = server
    // At once: some take seconds to start, and we may be killed in them.
    if (server.pid !== undefined) this.#leash = leash(server.pid, this.folder)
    try {
      await isReady(server, command, ready)
    } catch (error) {
      await this.kill()
      throw error
    }
    for (const stream of [server.stdout, server.stderr]) (stream as { unref?: () => void } | null)?.unref?.()
  }

  /** Asks it to end, and waits until it has. One that does not is killed. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server !== undefined && isRunning(server)) {
      const over = new AbortController()
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.ref()
      server.kill('SIGTERM')
      const patience = sleep(STOP_WITHIN_MS, undefined, { signal: over.signal }).catch(() => {})
      await Promise.race([ended, patience])
      over.abort()
    }
    await this.kill()
  }

  /** `kill -9`. What the server has in its folder stays. */
  async kill(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#leash?.kill('SIGKILL')
    this.#leash = undefined
    if (server === undefined || !isRunning(server)) return
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.ref()
    server.kill('SIGKILL')
    await ended
  }

  /** Stops it as if the machine had forgotten about it: connections stay open, and nothing answers. */
  freeze(): void {
    this.#server?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#server?.kill('SIGCONT')
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null
}

/** Resolves when it is, rejects when it has ended or takes too long. */
async function isReady(server: ChildProcess, command: string, ready: ServerCommand['ready']): Promise<void> {
  const said: string[] = []
  const lastWords = () => said.join(' | ')
  const over = new AbortController()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.once('exit', (code) => reject(new Error(`${command} ended with ${code}: ${lastWords()}`)))
      for (const stream of [server.stdout, server.stderr]) {
        if (stream === null) continue
        createInterface(stream).on('line', (line) => {
          if (ready instanceof RegExp && ready.test(line)) resolve()
          // The steps of a stack would push out the line above them, which says what is wrong.
          if (/^\s+at /.test(line)) return
          said.push(line)
          if (said.length > LAST_WORDS) said.shift()
        })
      }
      if (!(ready instanceof RegExp)) opens(ready.port, over.signal).then(resolve, reject)
      sleep(START_WITHIN_MS, undefined, { signal: over.signal }).then(
        () => reject(new Error(`${command} did not start within ${START_WITHIN_MS} ms: ${lastWords()}`)),
        () => {},
      )
    })
  } finally {
    over.abort()
  }
}

async function opens(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await answers(port))) await sleep(KNOCK_EVERY_MS)
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/**
 * Ends the server when we end, however that comes about: the pipe to this shell closes with our process, also when we
 * are killed and can clean up nothing ourselves.
 */
function leash(pid: number, folder: string): ChildProcess {
  const script = 'cat >/dev/null; kill -9 "$1" 2>/dev/null; rm -rf "$2"'
  const shell = spawn('sh', ['-c', script, 'sh', String(pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.unref()
  ;(shell.stdin as { unref?: () => void } | null)?.unref?.()
  return shell
}

/** A port that nobody listens on at the moment. Somebody else may take it before we do: be ready to ask again. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

/** As many, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  // All are held until the last is found: one that was given back may be found again.
  const probes = await Promise.all(Array.from({ length: count }, listenAnywhere))
  return Promise.all(
    probes.map((probe) => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      return new Promise<number>((resolve) => probe.close(() => resolve(port)))
    }),
  )
}

function listenAnywhere(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => resolve(probe))
  })
}

/** Somebody else was quicker. Whatever else keeps a server from starting would do so again. */
export function isPortTaken(error: unknown): boolean {
  return /address already in use|failed to bind|EADDRINUSE|BindException/i.test(String(error))
}
