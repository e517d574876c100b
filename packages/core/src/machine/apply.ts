/**
 * Applies commands in the order in which a store keeps them. Two processes that read the same commands have the same
 * state and give the same answers; that is all a log-keeping store needs to agree without a lock.
 */
import { unreachable } from '../model/errors.ts'
import type { ClaimResult, RenewResult } from '../ports/claim.ts'
import type { NoticeResult } from '../ports/notice.ts'
import type { CreateResult } from '../ports/run-store.ts'
import type { CommitResult } from '../ports/transition.ts'
import type { EnlistResult } from '../ports/waiting-lists.ts'
import type { Command } from './command.ts'
import type { MachineOptions } from './machine-options.ts'
import { RunMachine } from './run-machine.ts'

export type CommandResult =
  | { readonly type: 'create'; readonly machine: RunMachine; readonly result: CreateResult }
  | { readonly type: 'claim'; readonly result: ClaimResult }
  | { readonly type: 'commit'; readonly result: CommitResult }
  | { readonly type: 'notify'; readonly result: NoticeResult }
  | { readonly type: 'renew'; readonly result: RenewResult }
  | { readonly type: 'redispatch' }
  | { readonly type: 'enlist'; readonly result: EnlistResult }
  | { readonly type: 'delivered' }

/**
 * @param machine the run so far; undefined before its `create`
 * @param atMs the store's time of the command, never less than that of the one before
 * @returns undefined where a command speaks of a run that was not created
 */
export function applyCommand(
  machine: RunMachine | undefined,
  command: Command,
  atMs: number,
  options: MachineOptions,
): CommandResult | undefined {
  if (command.type === 'create') {
    if (machine === undefined) {
      const made = RunMachine.create(command.run, atMs, options)
      const claim = command.first === undefined ? undefined : made.claimFirst(command.first, atMs)
      return { type: 'create', machine: made, result: { status: 'created', ...(claim === undefined ? {} : { claim }) } }
    }
    return { type: 'create', machine, result: { status: 'exists', same: machine.isSameStart(command.run) } }
  }
  if (machine === undefined) return undefined
  switch (command.type) {
    case 'claim':
      return { type: 'claim', result: machine.claim(command.request, atMs) }
    case 'commit':
      return { type: 'commit', result: machine.commit(command.transition, atMs) }
    case 'notify':
      return { type: 'notify', result: machine.notify(command.notice, atMs) }
    case 'renew':
      return { type: 'renew', result: machine.renew(command.request, atMs) }
    case 'redispatch':
      machine.redispatch(command.instances, command, atMs, command.messages)
      return { type: 'redispatch' }
    case 'enlist':
      return { type: 'enlist', result: machine.enlist(command.instanceId, atMs) }
    case 'delivered':
      machine.delivered(command.keys)
      return { type: 'delivered' }
    default:
      return unreachable(command)
  }
}
