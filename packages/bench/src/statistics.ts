export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** @param values one or more */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? at(sorted, middle) : (at(sorted, middle - 1) + at(sorted, middle)) / 2
  return { median, min: at(sorted, 0), max: at(sorted, sorted.length - 1) }
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? Number.NaN
}
