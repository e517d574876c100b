/**
 * What the lines of a run's log say.
 *
 * Most are commands, and core's machine says what each does to the run. A line has its writer's time; the time at which
 * it takes effect never goes back behind that of the line before, whatever the clocks do.
 */
import type { Command, RunId } from '@baton/core/adapter'

export interface CommandLine {
  readonly atMs: number
  /** Without the run's id, save in a `create`: it would be a tenth of a line. */
  readonly command: StoredCommand
  /** Large values that were taken out of the command; null stands in their places. */
  readonly blobs?: readonly BlobPlace[]
  /** With a `create`: where its marker lies. */
  readonly markerMs?: number
}

/** Says that the run's marker in the wheel of `due-wheel.ts` was moved. Null: it was removed. */
export interface MarkerLine {
  readonly atMs: number
  readonly markerMs: number | null
  /**
   * The end of what the mover had read. The line counts only if it stands right there: if anything came between, the
   * move was decided without it, and the old marker is still in its place.
   */
  readonly seenToByte: number
}

export type RunLine = CommandLine | MarkerLine

export interface BlobPlace {
  /** The members that lead from the command to the value. */
  readonly path: readonly (string | number)[]
  readonly sha256: string
}

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

/** The command of a line, in the log of that run; undefined while there is no such run. */
export function withRunId(command: Exclude<StoredCommand, Creation>, runId: RunId | undefined): Command | undefined {
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
