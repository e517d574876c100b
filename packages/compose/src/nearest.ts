import { nearestName } from '@baton/core/adapter'

/** What somebody who mistyped a name probably meant: a known name that is a few letters away, if there is one. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  return nearestName(name, known, Math.max(2, name.length / 3))
}
