/** Commands as they stand in the log of a run, for stores that keep one. */
import type { RunId } from '../model/ids.ts'
import type { Command } from './command.ts'

type Creation = Extract<Command, { readonly type: 'create' }>

export type StoredCommand = Creation | Anonymous<Exclude<Command, Creation>>

/** A command that does not say of which run it is. */
type Anonymous<Each> = Each extends { readonly runId: RunId }
  ? Omit<Each, 'runId'>
  : { readonly [Key in keyof Each]: Each[Key] extends { readonly runId: RunId } ? Omit<Each[Key], 'runId'> : Each[Key] }

/** A command as it stands in the line. */
export function withoutRunId(command: Command): StoredCommand {
  switch (command.type) {
    case 'create':
      return command
    case 'claim': {
      const { runId: _, ...request } = command.request
      return { type: command.type, request }
    }
    case 'renew': {
      const { runId: _, ...request } = command.request
      return { type: command.type, request }
    }
    case 'commit': {
      const { runId: _, ...transition } = command.transition
      return { type: command.type, transition }
    }
    case 'notify': {
      const { runId: _, ...notice } = command.notice
      return { type: command.type, notice }
    }
    case 'redispatch': {
      const { runId: _, ...redispatch } = command
      return redispatch
    }
    case 'enlist': {
      const { runId: _, ...enlist } = command
      return enlist
    }
    case 'delivered': {
      const { runId: _, ...delivered } = command
      return delivered
    }
  }
}

/** The command of a line, in the log of that run; undefined for one of a run that is not there. */
export function withRunId(command: StoredCommand, runId: RunId): Command
export function withRunId(command: StoredCommand, runId: RunId | undefined): Command | undefined
export function withRunId(command: StoredCommand, runId: RunId | undefined): Command | undefined {
  if (command.type === 'create') return command
  if (runId === undefined) return undefined
  switch (command.type) {
    case 'claim':
    case 'renew':
      return { ...command, request: { ...command.request, runId } } as Command
    case 'commit':
      return { ...command, transition: { ...command.transition, runId } } as Command
    case 'notify':
      return { ...command, notice: { ...command.notice, runId } } as Command
    case 'redispatch':
    case 'enlist':
    case 'delivered':
      return { ...command, runId }
  }
}
