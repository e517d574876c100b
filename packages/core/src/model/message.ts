/**
 * What one run has to tell another: a child that starts, one that is called off, one that has ended, a signal. The run
 * that says it keeps it, beyond its own end, until the other one has it. Each is applied once however often it comes.
 */
import type { RecordedError } from './errors.ts'
import type { Gate } from './gate.ts'
import type { RunId } from './ids.ts'
import type { JsonValue } from './json.ts'
import type { NewRun, TerminalStatus } from './run.ts'
import { lastingIdOf } from './succession.ts'

export type MessageBody =
  | { readonly type: 'start'; readonly run: NewRun }
  /** To a child of the sender's: a run of that id which is another one's goes on. */
  | { readonly type: 'cancel'; readonly reason: string }
  /** To any run, asked for by node code. */
  | { readonly type: 'cancel-run'; readonly reason: string }
  | { readonly type: 'signal'; readonly name: string; readonly payload?: JsonValue }
  /** How it ended stands in the run itself, which is kept as long as this message is. */
  | { readonly type: 'child-ended' }
  /** To the limiter of a gate, and from it. */
  | { readonly type: 'slot-request'; readonly gate: Gate; readonly priority: number }
  | { readonly type: 'slot-release' }
  | { readonly type: 'slot-grant'; readonly limiter: RunId }
  /** To the first run of a limiter: where the limiter is now. */
  | { readonly type: 'limiter-move'; readonly generation: number }

export interface RunMessage {
  /** One of a kind among the messages of its run. */
  readonly key: string
  readonly to: RunId
  readonly body: MessageBody
}

/** How a child ended, as its parent learns it. Values are encoded. */
export type ChildEnd =
  | { readonly status: 'completed'; readonly output?: JsonValue }
  | { readonly status: 'failed'; readonly error: RecordedError }
  | { readonly status: 'cancelled'; readonly reason: string }

/** A run, as far as it says who is to hear of its end. */
export type Related = Pick<NewRun, 'runId'> & { readonly lineage?: NewRun['lineage'] | undefined }

/** The end of a run whose starter asked for a signal; undefined for a child, whose end is told as one. */
export function endAsSignal(run: Related, status: TerminalStatus) {
  const { lineage } = run
  if (lineage?.endSignal === undefined) return undefined
  const runId = lastingIdOf(run)
  return { name: lineage.endSignal, payload: { runId, status }, signalId: `${runId}/ended` }
}
