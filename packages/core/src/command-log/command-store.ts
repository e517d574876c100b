/**
 * The calls of a run store that are commands to one run, for every store that puts them in one order and has the machine
 * answer: what each becomes as a command, and what it means when there is no such run.
 */
import type { Command } from '../machine/command.ts'
import type { Answer } from '../machine/own-answer.ts'
import type { RunId } from '../model/ids.ts'
import { PUBLISHED } from '../model/publication.ts'
import type { Awaitable } from '../ports/awaitable.ts'
import type { ClaimRequest, ClaimResult, RenewRequest, RenewResult } from '../ports/claim.ts'
import type { DueItem } from '../ports/run-store.ts'
import type { CommitResult, Transition } from '../ports/transition.ts'
import type { TooLarge } from './draft.ts'

type RedispatchCommand = Extract<Command, { readonly type: 'redispatch' }>

export abstract class CommandStore {
  /** Makes a command so. @returns undefined when there is no such run */
  protected abstract change(runId: RunId, command: Command): Awaitable<Answer | TooLarge | undefined>

  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const answer = await this.change(request.runId, { type: 'claim', request })
    return answer?.type === 'claim' ? answer.result : { status: 'unknown-run' }
  }

  async commit(transition: Transition): Promise<CommitResult> {
    const answer = await this.change(transition.runId, { type: 'commit', transition })
    if (answer?.type === 'too-large') return { status: 'too-large', limitBytes: answer.limitBytes }
    return answer?.type === 'commit' ? answer.result : { status: 'unknown-run' }
  }

  async renew(request: RenewRequest): Promise<RenewResult> {
    const answer = await this.change(request.runId, { type: 'renew', request })
    if (answer?.type === 'renew') return answer.result
    const lost = request.claims.map(({ instanceId }) => instanceId)
    return { run: { status: 'cancelled', stopping: true, seq: 0 }, lost, cancelled: [] }
  }

  async delivered(runId: RunId, keys: readonly string[]): Promise<void> {
    await this.change(runId, { type: 'delivered', runId, keys })
  }
}

/** The reminders that were sent, as a command for each run that they were about. */
export function redispatchCommands(
  items: readonly DueItem[],
  times: Pick<RedispatchCommand, 'redispatchMs' | 'redispatchMaxMs'>,
): readonly RedispatchCommand[] {
  const { redispatchMs, redispatchMaxMs } = times
  const byRun = new Map<RunId, { readonly instances: string[]; readonly messages: string[] }>()
  for (const item of items) {
    const ofRun = byRun.get(item.runId) ?? { instances: [], messages: [] }
    byRun.set(item.runId, ofRun)
    if (item.type === 'instance') ofRun.instances.push(item.instanceId)
    else if (item.type === 'message') ofRun.messages.push(item.message.key)
    else if (item.type === 'journal') ofRun.messages.push(PUBLISHED)
  }
  return [...byRun].map(([runId, ofRun]) => ({ type: 'redispatch', runId, ...ofRun, redispatchMs, redispatchMaxMs }))
}
