import type { RunHandle, RunnableFlow, StartOptions } from '@baton/core'
import { wait } from '@baton/core/adapter'
import type { Stage } from '@baton/testing'

/** One flow, its input and how it must end: what every adapter has to agree on. */
export interface Scenario {
  readonly name: string
  flow(): RunnableFlow
  /** What it starts as runs of their own: workers have to have them too. */
  readonly children?: readonly RunnableFlow[]
  readonly input?: unknown
  readonly start?: StartOptions
  /** Brings news from outside. Without a store nobody can, and the run is compared as far as it gets. */
  readonly drive?: (handle: RunHandle, stage: Stage) => Promise<void>
  /** What happens next is known to the store alone: a deadline, the end of a wait. Only a sweep finds it. */
  readonly onlyTime?: boolean
  /** It is driven by what happens in a child, which nobody sees without a store. Tested apart there. */
  readonly onlyStored?: boolean
  readonly expect: Expected
}

export interface Expected {
  readonly status: 'completed' | 'failed' | 'cancelled'
  readonly output?: unknown
  readonly error?: { readonly code?: string; readonly message?: string }
  readonly context?: Readonly<Record<string, unknown>>
  /** Instances and how each ended. Those not named may end as they like. */
  readonly instances?: Readonly<Record<string, string>>
  /** How often the code of a node is called. */
  readonly calls?: Readonly<Record<string, number>>
}

/** Waits until the run waits for the outside, for the first time or for the n-th. */
export async function untilPaused(handle: RunHandle, stage: Stage, times = 1): Promise<void> {
  const paused = (async () => {
    let left = times
    for await (const { type } of handle.stream()) if (type === 'run-paused' && --left === 0) return
    throw new Error('the run ended before it waited for anything')
  })()
  await stage.until(paused, 60_000)
}

/** Waits until the condition holds. */
export async function eventually(stage: Stage, condition: () => Promise<boolean>): Promise<void> {
  const come = (async () => {
    while (!(await condition())) await wait(stage.clock, stage.tickMs)
  })()
  await stage.until(come, 60_000)
}
