/** What somebody probably meant by a name that nobody knows. For hints in errors, never for decisions. */

/** Comparing with more names than this would cost more than the hint is worth. */
const MOST_COMPARED = 2_000

/** @param within how many letters may differ; unless set, half of them, and two at least */
export function nearestName(
  name: string,
  known: Iterable<string>,
  within = Math.max(2, Math.ceil(name.length / 2)),
): string | undefined {
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  let compared = 0
  for (const candidate of known) {
    if (compared++ === MOST_COMPARED) break
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance >= least) continue
    nearest = candidate
    least = distance
  }
  return least <= within ? nearest : undefined
}

/** How many letters must be put in, left out or changed to get from one text to the other (Levenshtein). */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let at = 0; at < left.length; at++) {
    const next = [at + 1]
    for (let to = 0; to < right.length; to++) {
      const changed = (row[to] as number) + (left[at] === right[to] ? 0 : 1)
      next.push(Math.min(changed, (row[to + 1] as number) + 1, (next[to] as number) + 1))
    }
    row = next
  }
  return row[right.length] as number
}
