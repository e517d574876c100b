/** Worker processes that can be killed and frozen. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { WorkerOrders } from './run-worker.ts'

export interface CrewOptions {
  /** The program of a worker, and what Node needs to run it. */
  readonly program: URL
  readonly nodeFlags: readonly string[]
  readonly orders: Omit<WorkerOrders, 'workerId'>
  /** What a worker has complained about, and an end that nobody asked for. */
  readonly onTrouble: (trouble: string) => void
}

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

  constructor(workerId: string, { program, nodeFlags, orders, onTrouble }: CrewOptions) {
    this.workerId = workerId
    const args = [...nodeFlags, fileURLToPath(program), JSON.stringify({ ...orders, workerId } satisfies WorkerOrders)]
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], cwd: import.meta.dirname })
    this.exit = once(this.#child, 'close')
    this.ready = new Promise((resolve) => {
      createInterface(this.#child.stdout).on('line', (line) => {
        if (line !== 'ready') return onTrouble(`${workerId}: ${line}`)
        this.isReady = true
        resolve()
      })
      void this.exit.then(() => resolve())
    })
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
}
