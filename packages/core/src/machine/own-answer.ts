/**
 * Answers that share nothing with the run: whoever gets one may change it.
 *
 * A machine makes its answers as it goes, and what is in them is new, but for the values of the run that they bring. So
 * those are copied, and not the whole: this is done for every node.
 */
import { copyOf } from '../model/copy.ts'
import type { Mutable } from '../model/mutable.ts'
import type { RunHead } from '../model/run.ts'
import type { Claim, ClaimedArrival } from '../ports/claim.ts'
import type { CreateResult } from '../ports/run-store.ts'
import type { CommitResult } from '../ports/transition.ts'
import type { CommandResult } from './apply.ts'

/** What became of a command, for whoever has sent it. */
export type Answer =
  | Exclude<CommandResult, { readonly type: 'create' }>
  | { readonly type: 'create'; readonly result: CreateResult }

/** @param answer of a machine, just now, and for nobody else: what of it is new is used again */
export function ownAnswer(answer: CommandResult): Answer {
  switch (answer.type) {
    case 'create': {
      const { result } = answer
      if (result.status === 'created' && result.claim !== undefined) makeOwn(result.claim)
      return { type: 'create', result }
    }
    case 'claim':
      if (answer.result.status === 'claimed') makeOwn(answer.result.claim)
      return answer
    case 'commit':
      makeResultOwn(answer.result)
      return answer
    default:
      return copyOf(answer)
  }
}

function makeResultOwn(result: Mutable<CommitResult>): void {
  if (result.status !== 'committed' && result.status !== 'already-committed') return
  // The instance keeps the list, for the one who asks again.
  result.ready = [...result.ready]
  if (result.sent !== undefined) result.sent = copyOf(result.sent)
  if (result.claim !== undefined) makeOwn(result.claim)
}

function makeOwn(claim: Mutable<Claim>): void {
  claim.head = copyOfHead(claim.head)
  for (const arrival of claim.arrivals as readonly Mutable<ClaimedArrival>[]) {
    if (arrival.output !== undefined) arrival.output = copyOf(arrival.output)
    if (arrival.error !== undefined) arrival.error = copyOf(arrival.error)
  }
  claim.steps = copyOf(claim.steps)
  claim.context = copyOf(claim.context)
  if (claim.input !== undefined) claim.input = copyOf(claim.input)
  if (claim.item !== undefined) claim.item = copyOf(claim.item)
}

/** With every claim of the run: member by member it would take several times as long. */
function copyOfHead(head: RunHead): RunHead {
  const copy: Mutable<RunHead> = { ...head }
  copy.tags = [...head.tags]
  copy.lineage = { ...head.lineage }
  if (head.lineage.succession !== undefined) copy.lineage = copyOf(head.lineage)
  copy.correlation = { ...head.correlation }
  if (head.gates !== undefined) copy.gates = copyOf(head.gates)
  return copy
}
