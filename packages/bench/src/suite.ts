/** What a suite is: who runs what, and which comparisons it makes. */

export interface Suite {
  readonly name: string
  readonly cases: readonly Case[]
  readonly comparisons: readonly Comparison[]
  /** Figures that are held against a number and not against each other: counts. */
  readonly limits?: readonly Limit[]
  /** What all its samples share. */
  readonly open?: () => Promise<Place>
}

/** A server, for as long as a suite runs; samples find it in their environment. */
export interface Place extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>
}

export interface Limit extends Figure {
  readonly atMost: number
}

/** Contenders that take turns on one workload. */
export interface Case {
  readonly workload: string
  readonly contenders: readonly string[]
  /** So many for each in every round; undefined for samples that are taken one after the other. */
  readonly turns?: number
}

/** One figure out of a sample. */
export interface Measurement {
  readonly unit: string
  readonly value: number
}

/** Which figure: one contender's, on one workload, in one unit. */
export interface Figure {
  readonly workload: string
  readonly contender: string
  readonly unit: string
}

/** A ratio of two figures, taken round by round so that a slow minute of the machine slows both. */
export interface Comparison {
  readonly name: string
  readonly of: Figure
  readonly to: Figure
  readonly budget?: Budget
}

export interface Budget {
  readonly atLeast?: number
  readonly atMost?: number
  /** The budget holds only if this other comparison reaches so much. */
  readonly countsIf?: { readonly comparison: string; readonly atLeast: number }
}
