/**
 * What the lines of a run's log say.
 *
 * Most are commands, and core's machine says what each does to the run. A line has its writer's time; the time at which
 * it takes effect never goes back behind that of the line before, whatever the clocks do.
 */
import type { BlobPlace, StoredCommand } from '@baton/core/adapter'

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
