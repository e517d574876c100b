import type { RunHandle, RunnableFlow } from '@baton/core'

/** A kind of run: its flow, and what its client does meanwhile. */
export interface Kind {
  readonly flow: RunnableFlow
  /** Called once, right after the start: news from outside that may come early. */
  readonly begin?: (run: RunHandle, input: number) => Promise<void>
  /** Called when the run waits for a decision. */
  readonly decide?: (run: RunHandle, input: number) => Promise<void>
  /** The client may call the run off at any time. */
  readonly mayBeCancelled?: boolean
}
