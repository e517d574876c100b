/** A process that somebody started for a while must not outlive them, however they ended. */
import type { Values } from './environment.ts'

/**
 * With `BATON_EXIT_WITH_PARENT=1`: calls back once stdin has ended. The parent holds its other end, and the system closes
 * that for a parent that could not say goodbye. What comes in on stdin is thrown away.
 */
export function whenParentIsGone({ BATON_EXIT_WITH_PARENT }: Values, leave: () => void): void {
  if (BATON_EXIT_WITH_PARENT !== true) return
  const { stdin } = process
  stdin.once('end', leave).once('error', leave).resume()
  // To listen is no reason to stay. A file in the place of a pipe has no `unref`, and ends by itself.
  stdin.unref?.()
}
