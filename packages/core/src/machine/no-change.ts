/**
 * What a run's machine answers where it changes nothing: a claim of what somebody else has, a commit with an old
 * fence, the same commit again. Such answers need no line in the log. Where it is not sure, it says nothing, and the
 * line decides.
 */
import { isBehind, isPublishedNews, PUBLISHED } from '../model/publication.ts'
import { isSettled, isTerminal } from '../model/run.ts'
import { NEVER, type RunState } from '../model/run-state.ts'
import type { ClaimRequest } from '../ports/claim.ts'
import type { Transition } from '../ports/transition.ts'
import { applyCommand, type CommandResult } from './apply.ts'
import type { Command } from './command.ts'
import type { MachineOptions } from './machine-options.ts'
import type { RunMachine } from './run-machine.ts'

/** @returns undefined when the command may change something */
export function answerWithoutChange(
  machine: RunMachine,
  command: Command,
  atMs: number,
  options: MachineOptions,
): CommandResult | undefined {
  const { state } = machine
  if (!changesNothing(state, command, atMs)) return undefined
  const { seq } = state
  const answer = applyCommand(machine, command, atMs, options)
  // Otherwise this process would know something that the log does not.
  if (state.seq !== seq) throw new Error(`a ${command.type} that should change nothing did`)
  return answer
}

function changesNothing(state: RunState, command: Command, atMs: number): boolean {
  switch (command.type) {
    case 'create':
      return true
    case 'claim':
      return isTerminal(state.status) || !mayClaim(state, command.request, atMs)
    case 'commit':
      return isTerminal(state.status) || !mayCommit(state, command.transition)
    case 'notify':
      // A limiter that has moved only says where to; which is all it ever does again.
      if (state.limiter?.movedTo !== undefined && command.notice.type !== 'limiter-move') return true
      if (isTerminal(state.status)) return command.notice.type !== 'continued' || !isNews(state, command.notice)
      // A run that is about to go on as new can still be cancelled.
      return command.notice.type === 'cancel' && state.stopping && state.outcome?.status !== 'continued'
    case 'renew':
      return command.request.claims.every(({ instanceId, fence }) => {
        const instance = state.instances.get(instanceId)
        return instance?.status !== 'claimed' || instance.fence !== fence || atMs >= (instance.attemptUntilMs ?? NEVER)
      })
    case 'redispatch':
      return (
        command.instances.every((id) => isSettled(state.instances.get(id)?.status ?? 'succeeded')) &&
        command.messages.every((key) => state.outbox?.has(key) !== true && (key !== PUBLISHED || !isBehind(state)))
      )
    case 'enlist':
      return isTerminal(state.status) || state.stopping || !mayEnlist(state, command.instanceId, atMs)
    case 'delivered':
      return command.keys.every((key) => state.outbox?.has(key) !== true && !isPublishedNews(state, key))
    default:
      throw new Error(`no such command: ${JSON.stringify(command satisfies never)}`)
  }
}

/** Whether a first run has not heard yet that this one goes on for it. */
function isNews({ continuedBy, newest }: RunState, { link }: { readonly link: number }): boolean {
  return continuedBy !== undefined && link > (newest?.link ?? 2)
}

function mayClaim(state: RunState, { instanceId, claimId }: ClaimRequest, atMs: number): boolean {
  // A claim is also where a deadline that has passed is noticed.
  if (state.head.deadlineAtMs !== undefined && state.head.deadlineAtMs <= atMs) return true
  const instance = state.instances.get(instanceId)
  if (instance === undefined || instance.status === 'waiting' || isSettled(instance.status)) return false
  if (instance.status === 'claimed' && instance.claimId === claimId) return false
  if (state.held !== undefined) return false
  return instance.dueAtMs <= atMs
}

function mayEnlist(state: RunState, instanceId: string, atMs: number): boolean {
  if (state.held !== undefined) return false
  const instance = state.instances.get(instanceId)
  if (instance === undefined || instance.status === 'waiting' || isSettled(instance.status)) return false
  return instance.enlistedAtMs === undefined && instance.dueAtMs <= atMs
}

function mayCommit(state: RunState, { instanceId, fence, commitId }: Transition): boolean {
  const instance = state.instances.get(instanceId)
  return instance?.status === 'claimed' && instance.fence === fence && instance.commitId !== commitId
}
