/** What a machine is told by whoever keeps its run, and not by the run itself. */
import type { RunEvent } from '../model/event.ts'
import type { NodeId } from '../model/ids.ts'

export interface MachineOptions {
  /** How long a job may go unanswered before the sweep reminds of it. */
  readonly redispatchMs: number
  /** Sees every event, in order, after it was folded. Absent where nobody observes the run. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Which nodes' instances to let go of once they have settled: for runs whose state nobody will look at. */
  readonly forgets?: ((nodeId: NodeId) => boolean) | undefined
  /** How much news a limiter takes before it goes on in a new run, as long as it knows of few runs. Default 2,000. */
  readonly limiterNews?: number
}
