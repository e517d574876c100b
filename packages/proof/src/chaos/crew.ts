/** Worker processes that can be killed and frozen, and that leave and join again when they are asked to. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { WorkerOrders } from './run-worker.ts'

export interface CrewOptions {
  /** The program of a worker, and what Node needs to run it. */
  readonly program: { readonly file: string; readonly nodeFlags: readonly string[] }
  readonly orders: Omit<WorkerOrders, 'workerId'>
  /** What a worker has complained about, and an end that nobody asked for. */
  readonly onTrouble: (trouble: string) => void
}

const READY = 'ready'
const LEFT = 'left'

/** A worker that is gone for good, and when it went. */
export interface Death {
  readonly workerId: string
  readonly atMs: number
}

export class Crew {
  readonly #options: CrewOptions
  readonly #members = new Set<Member>()
  readonly deaths: Death[] = []
  #count = 0

  constructor(options: CrewOptions) {
    this.#options = options
    process.on('exit', this.#endAll)
  }

  get members(): readonly Member[] {
    return [...this.#members]
  }

  hire(): Member {
    const workerId = `w${++this.#count}`
    const member = new Member(workerId, this.#options)
    this.#members.add(member)
    void member.exit.then(() => {
      if (this.#members.delete(member)) this.#options.onTrouble(`${workerId} ended by itself`)
    })
    return member
  }

  async kill(member: Member): Promise<void> {
    this.#members.delete(member)
    this.deaths.push({ workerId: member.workerId, atMs: Date.now() })
    member.signal('SIGKILL')
    await member.exit
  }

  /** Lets all leave as after a deploy, and those who cannot, by force. */
  async dismiss(withinMs: number): Promise<void> {
    await Promise.all(
      this.members.map(async (member) => {
        this.#members.delete(member)
        member.signal('SIGCONT')
        member.signal('SIGTERM')
        const force = setTimeout(() => member.signal('SIGKILL'), withinMs)
        await member.exit
        clearTimeout(force)
      }),
    )
    process.off('exit', this.#endAll)
  }

  /** Frozen ones do not notice that we are gone. */
  readonly #endAll = () => {
    for (const member of this.#members) member.signal('SIGKILL')
  }
}

export class Member {
  readonly workerId: string
  readonly exit: Promise<unknown>
  readonly ready: Promise<void>
  isReady = false
  isFrozen = false
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  /** What it is expected to say, and who waits for it. */
  readonly #expected = new Map<string, () => void>()

  constructor(workerId: string, { program, orders, onTrouble }: CrewOptions) {
    this.workerId = workerId
    const args = [...program.nodeFlags, program.file, JSON.stringify({ ...orders, workerId } satisfies WorkerOrders)]
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: import.meta.dirname })
    this.exit = once(this.#child, 'close')
    // It may be gone when it is told something.
    this.#child.stdin.on('error', () => {})
    createInterface(this.#child.stdout).on('line', (line) => {
      const tell = this.#expected.get(line)
      if (tell === undefined) return onTrouble(`${workerId}: ${line}`)
      this.isReady = line === READY
      tell()
    })
    this.ready = this.#says(READY)
  }

  /** As after a deploy: it ends or hands back what it does. Its process stays. Resolves when it has left, or is gone. */
  async leave(): Promise<void> {
    // It may still hold something, and nobody is to count on that.
    this.isReady = false
    const left = this.#says(LEFT)
    this.#child.stdin.write('leave\n')
    await left
  }

  /** Works again, with ports that were opened anew. */
  async join(): Promise<void> {
    const ready = this.#says(READY)
    this.#child.stdin.write('join\n')
    await ready
  }

  freeze(): void {
    this.isFrozen = this.signal('SIGSTOP')
  }

  thaw(): void {
    this.signal('SIGCONT')
    this.isFrozen = false
  }

  signal(name: NodeJS.Signals): boolean {
    return this.#child.kill(name)
  }

  /** Resolves when it has, or is gone. */
  #says(line: string): Promise<void> {
    return new Promise((resolve) => {
      this.#expected.set(line, resolve)
      void this.exit.then(() => resolve())
    })
  }
}
