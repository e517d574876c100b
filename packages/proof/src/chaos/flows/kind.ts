import type { RunHandle, RunnableFlow, StartOptions } from '@baton/core'

/** A kind of run: its flow, and what its client and operators do meanwhile. */
export interface Kind {
  readonly flow: RunnableFlow
  readonly options?: (input: number) => Pick<StartOptions, 'limitKey' | 'priority'>
  /** Called once, right after the start: news from outside that may come early. */
  readonly begin?: (run: RunHandle, input: number) => Promise<void>
  /** Called when the run waits for a decision. */
  readonly decide?: (run: RunHandle, input: number) => Promise<void>
  /** Brought one by one while the run lives, and again now and then: each counts once. */
  readonly news?: (input: number) => readonly News[]
  /** The client may call the run off at any time. */
  readonly mayBeCancelled?: boolean
  /** It fails until what is broken outside is mended: an operator does so, and redrives it. */
  readonly isBrittle?: boolean
}

export interface News {
  readonly name: string
  readonly payload: number
  readonly signalId: string
}
