/**
 * What the lines of a run's log say.
 *
 * Most are commands, and core's machine says what each does to the run. A line has its writer's time; the time at which
 * it takes effect never goes back behind that of the line before, whatever the clocks do.
 */
import type { Command } from '@baton/core/adapter'

export interface CommandLine {
  readonly atMs: number
  readonly command: Command
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
