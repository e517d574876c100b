/** Many seeds, in as many processes as there are processors. */
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { extname, join } from 'node:path'

/** What a child is asked to simulate. */
export interface Task {
  readonly from: number
  readonly count: number
  /** The bug that is planted; none: the engine as it is. */
  readonly mutant?: string
  /** Stop at the first violation. */
  readonly first?: boolean
}

export interface Failing {
  readonly seed: number
  readonly invariant: string
  readonly message: string
}

/** What it answers. */
export interface Done {
  readonly count: number
  readonly failing: readonly Failing[]
}

/** Carries out tasks, and tells of each that is done. Resolves when there are no more. */
export async function inChildren(tasks: Iterator<Task>, onDone: (done: Done, task: Task) => void): Promise<void> {
  // Next to this file, as source or as built.
  const file = join(import.meta.dirname, `child${extname(import.meta.filename)}`)
  const children = Array.from({ length: availableParallelism() }, () => work(fork(file), tasks, onDone))
  await Promise.all(children)
}

function work(child: ChildProcess, tasks: Iterator<Task>, onDone: (done: Done, task: Task) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let current: Task | undefined
    const next = () => {
      const { value, done } = tasks.next()
      current = value
      if (done === true) child.disconnect()
      else child.send(value)
    }
    child.on('error', reject)
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a simulating process ended with ${code}`))))
    child.on('message', (done: Done) => {
      if (current !== undefined) onDone(done, current)
      next()
    })
    next()
  })
}

/** So many seeds from the first on, in portions. */
export function* portions(from: number, count: number, size = 20): Generator<Task, void> {
  for (let at = 0; at < count; at += size) yield { from: from + at, count: Math.min(size, count - at) }
}
