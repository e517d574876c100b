/** What somebody probably meant by a name that nobody knows. */

/** The known name that is a few letters away, if there is one. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: lettersBetween(name, candidate) }))
    .sort((left, right) => left.distance - right.distance)
  return nearest !== undefined && nearest.distance <= Math.max(2, name.length / 3) ? nearest.candidate : undefined
}

/** How many letters must be put in, left out or changed to get from one to the other (Levenshtein). */
function lettersBetween(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (const [at, letter] of [...left].entries()) {
    const next = [at + 1]
    for (const [to, other] of [...right].entries()) {
      const changed = (row[to] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(changed, (row[to + 1] ?? 0) + 1, (next[to] ?? 0) + 1))
    }
    row = next
  }
  return row[right.length] ?? 0
}
