/** When a run is over, and when it only waits. */
import { errors } from '../model/errors.ts'
import type { RunFact } from '../model/event.ts'
import { isTerminal } from '../model/run.ts'
import type { RunState } from '../model/run-state.ts'
import { withCarried } from '../model/succession.ts'

/** The end of the run when nothing is left to happen; else that it has begun, or ceased, to wait for the outside. */
export function conclusionOf(state: RunState): RunFact | undefined {
  if (isTerminal(state.status)) return undefined
  if (state.open === 0 || (state.stopping && state.claimed === 0)) return endOf(state)
  if (state.news === undefined) return undefined
  const { paused, status, held } = state
  // A run that begins where another one was may wait for the outside before anybody has claimed anything.
  if (paused && (status === 'running' || status === 'pending')) return { type: 'run-paused' }
  return !paused && status === 'paused' && held === undefined ? { type: 'run-resumed' } : undefined
}

function endOf(state: RunState): RunFact {
  const { outcome } = state
  if (outcome === undefined) return { type: 'run-completed' }
  switch (outcome.status) {
    case 'continued':
      return { type: 'run-completed', next: withCarried(state, outcome.run) }
    case 'cancelled':
      return { type: 'run-cancelled', reason: outcome.reason }
    case 'failed': {
      const { error, instanceId } = outcome
      return { type: 'run-failed', error, ...(instanceId === undefined ? {} : { instanceId }) }
    }
  }
}

/** The deadline runs on whatever the run waits for; one that stops is about to end anyway. */
export function deadlinePassed({ head, stopping }: RunState, atMs: number): RunFact | undefined {
  const { deadlineAtMs } = head
  if (deadlineAtMs === undefined || atMs < deadlineAtMs || stopping) return undefined
  const error = { name: 'BatonError', code: 'RUN_TIMEOUT', message: errors.RUN_TIMEOUT.about }
  return { type: 'run-deadline-passed', error }
}
